import { DeviceFilterSchema, type TSchema, Type } from '#model'

export const strict = { additionalProperties: false } as const
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
export const listOf = <T extends TSchema>(item: T) => Type.Object({ data: Type.Array(item) })

/** Of devices, commands, scans and tokens alike (interface.md §3). */
export const IdParams = Type.Object({ id: Type.String({ pattern: '^[A-Za-z0-9._~-]{1,128}$' }) }, strict)

/** The device filter as query parameters. */
export const filterQuery = DeviceFilterSchema.properties

const numbers = Type.Record(Type.String(), Type.Number())
const maybe = nullable(Type.Number())

/** Sums over live devices only; null: nobody reports it (replication `Totals`). */
export const TotalsSchema = Type.Object({
  devices: Type.Integer(),
  live: Type.Integer(),
  byKind: numbers,
  byStatus: numbers,
  byHealth: numbers,
  hashrateThs: maybe,
  expectedHashrateThs: maybe,
  nominalHashrateThs: maybe,
  powerW: maybe,
  containerPowerW: maybe,
  sitePowerW: maybe,
  efficiencyJTh: maybe,
  reporting: Type.Object({ hashrateThs: Type.Integer(), powerW: Type.Integer() }),
  boardTempMaxC: maybe,
  chipTempMaxC: maybe,
  errors: numbers,
  oldestAt: maybe,
  newestAt: maybe,
  simulated: Type.Integer(),
})
