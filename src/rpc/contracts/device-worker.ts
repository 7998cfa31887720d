import { type CommandName, commands, DeviceEntrySchema, DeviceRecordSchema, OptionsSchema, Receipt, Type } from '#model'
import { action, contract, query } from '../contract.js'

const id = Type.String({ minLength: 1, maxLength: 128 })

export const LibrarySchema = Type.Object({
  library: Type.String(),
  kind: Type.String(),
  make: Type.String(),
  families: Type.Array(Type.String()),
  models: Type.Array(Type.String()),
  commands: Type.Array(Type.String()),
})

export const CommandNameSchema = Type.Enum(Object.keys(commands) as CommandName[])

/** What an operator may change of a device after it was added; null clears. */
export const DevicePatchSchema = Type.Object(
  {
    host: Type.Optional(DeviceEntrySchema.properties.host),
    port: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 65535 }), Type.Null()])),
    name: Type.Optional(Type.Union([Type.String({ maxLength: 128 }), Type.Null()])),
    tags: Type.Optional(DeviceEntrySchema.properties.tags),
    location: Type.Optional(DeviceEntrySchema.properties.location),
    options: Type.Optional(Type.Union([OptionsSchema, Type.Null()])),
    username: Type.Optional(Type.Union([Type.String({ maxLength: 128 }), Type.Null()])),
    password: Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()])),
  },
  { additionalProperties: false, minProperties: 1 },
)

/** A worker reads and commands the devices of one library. */
export const deviceWorker = contract('device-worker', {
  describe: query({
    input: Type.Object({}),
    output: Type.Object({
      service: Type.String(),
      site: Type.String(),
      library: LibrarySchema,
      deviceType: Type.Union([Type.String(), Type.Null()]),
      devices: Type.Integer(),
      intervalMs: Type.Number(),
    }),
  }),
  /** The live record of one device, from memory. */
  device: query({ input: Type.Object({ id }), output: DeviceRecordSchema }),
  /** Reads the device now, out of turn, and answers the new record. */
  poll: query({ input: Type.Object({ id }), output: DeviceRecordSchema }),
  /** The vendor's replies as they came, read now; secrets removed. */
  raw: query({
    input: Type.Object({ id }),
    output: Type.Object({ id: Type.String(), at: Type.Number(), replies: Type.Record(Type.String(), Type.Unknown()) }),
  }),
  /** Adds devices; one that is there already (same id, or same host and port) is reported, not doubled. */
  addDevices: action({
    needs: 'admin',
    input: Type.Object({ entries: Type.Array(DeviceEntrySchema, { minItems: 1, maxItems: 1000 }) }),
    output: Type.Object({ added: Type.Array(Type.String()), existing: Type.Array(Type.String()) }),
  }),
  updateDevice: action({
    needs: 'admin',
    input: Type.Object({ id, patch: DevicePatchSchema }),
    output: DeviceRecordSchema,
  }),
  /** Forgets the device; its history stays. */
  removeDevice: action({ needs: 'admin', input: Type.Object({ id }), output: Type.Object({ id: Type.String() }) }),
  /**
   * One command to one device. The same `requestId` is never carried out twice: the second call gets the first one's receipt.
   * `dryRun` checks everything that can be checked without sending (capability, input, limits).
   */
  command: action({
    input: Type.Object({
      id,
      command: CommandNameSchema,
      params: Type.Record(Type.String(), Type.Unknown()),
      requestId: Type.String({ minLength: 1, maxLength: 128 }),
      dryRun: Type.Optional(Type.Boolean()),
    }),
    output: Receipt,
  }),
})
