import { HealthSchema, KindSchema, StatusSchema } from './device.js'
import { type Static, Type } from './schema.js'

/** Which devices: the same words as the query of `GET /api/v1/devices`. All given conditions must hold; lists are alternatives. */
export const DeviceFilterSchema = Type.Object(
  {
    kind: Type.Optional(Type.Array(KindSchema)),
    status: Type.Optional(Type.Array(StatusSchema)),
    health: Type.Optional(Type.Array(HealthSchema)),
    site: Type.Optional(Type.Array(Type.String())),
    worker: Type.Optional(Type.Array(Type.String())),
    model: Type.Optional(Type.Array(Type.String())),
    tag: Type.Optional(Type.Array(Type.String())),
    container: Type.Optional(Type.Array(Type.String())),
    rack: Type.Optional(Type.Array(Type.String())),
    /** Free text over id, name, address, model, serial, MAC and tags. */
    q: Type.Optional(Type.String({ maxLength: 200 })),
  },
  { additionalProperties: false },
)
export type DeviceFilter = Static<typeof DeviceFilterSchema>
