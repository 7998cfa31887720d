import { type Static, Type } from '#model'
import { action, contract, query } from '../contract.js'

export const serviceStates = [
  'starting',
  'running',
  'hung',
  'waiting',
  'failed',
  'stopping',
  'stopped',
  'unreachable',
] as const

export const ServiceHealthSchema = Type.Object({
  name: Type.String(),
  kind: Type.String(),
  site: Type.String(),
  /**
   * `waiting`: it broke and is started again at `retryAt`. `failed`: it broke often; tried again, but rarely. `unreachable`: it was announced
   * to the fleet, and its node does not answer now.
   */
  state: Type.Enum(serviceStates),
  ready: Type.Boolean(),
  /** Why it is not ready, in words. */
  reason: Type.Union([Type.String(), Type.Null()]),
  since: Type.Number(),
  restarts: Type.Integer(),
  lastError: Type.Union([Type.String(), Type.Null()]),
  retryAt: Type.Union([Type.Number(), Type.Null()]),
  /** When it last showed that it is alive. */
  heartbeatAt: Type.Union([Type.Number(), Type.Null()]),
  /** null: not known. */
  pid: Type.Union([Type.Integer(), Type.Null()]),
  version: Type.String(),
  /** Plain counters and gauges that the service keeps about itself. */
  stats: Type.Record(Type.String(), Type.Number()),
})
export type ServiceHealth = Static<typeof ServiceHealthSchema>

/** As a gateway lists it. */
export const ServiceRowSchema = Type.Object({
  ...ServiceHealthSchema.properties,
  /** The key of its node in the fleet; null: the process of the gateway itself. With `pid` it tells processes apart. */
  node: Type.Union([Type.String({ pattern: '^[0-9a-f]{64}$' }), Type.Null()]),
})
export type ServiceRow = Static<typeof ServiceRowSchema>

/** What every node answers about itself. */
export const nodeContract = contract('node', {
  services: query({ input: Type.Object({}), output: Type.Array(ServiceHealthSchema) }),
  describe: query({
    input: Type.Object({}),
    output: Type.Object({
      site: Type.String(),
      version: Type.String(),
      pid: Type.Integer(),
      startedAt: Type.Number(),
      mode: Type.String(),
      demo: Type.Boolean(),
      memoryBytes: Type.Integer(),
    }),
  }),
  /**
   * Ends the service and starts it anew at once; answers when it runs again. With `process` the whole process ends in order, for whoever
   * watches it to start it anew; answers before that. CONFLICT if nobody does.
   */
  restart: action({
    needs: 'admin',
    input: Type.Object({ name: Type.String(), process: Type.Optional(Type.Boolean()) }),
    output: Type.Object({}),
  }),
})
