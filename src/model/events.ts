import { type Static, Type } from './schema.js'

/**
 * What happened, in order, in the worker's own feed. `status`: a device changed its state. `error-raised`/`error-cleared`: a device error
 * came or went. `command`: a step of a command. `config`: settings of a device changed. `inventory`: a device was added, changed, moved or removed.
 */
export const eventTypes = [
  'status',
  'error-raised',
  'error-cleared',
  'command',
  'config',
  'inventory',
  'service',
] as const
export type EventType = (typeof eventTypes)[number]

export const EventSchema = Type.Object({
  /** ms since the epoch. */
  at: Type.Number(),
  type: Type.Enum(eventTypes),
  deviceId: Type.Optional(Type.String()),
  /** One sentence for a person. */
  message: Type.String(),
  /** Facts by type, for programs: `{ from, to }`, the error, the command's name and state ... */
  data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
})
export type Event = Static<typeof EventSchema>
