import { type Static, Type } from '#model'
import { action, contract, query } from '../contract.js'

export const FoundDeviceSchema = Type.Object({
  host: Type.String(),
  port: Type.Integer(),
  ports: Type.Optional(Type.Record(Type.String(), Type.Integer())),
  /** null: something answers, but what it is was not recognised; see `seen`. */
  library: Type.Union([Type.String(), Type.Null()]),
  family: Type.Union([Type.String(), Type.Null()]),
  make: Type.Union([Type.String(), Type.Null()]),
  model: Type.Union([Type.String(), Type.Null()]),
  variant: Type.Union([Type.String(), Type.Null()]),
  firmware: Type.Union([Type.String(), Type.Null()]),
  mac: Type.Union([Type.String(), Type.Null()]),
  /** 0 to 1. */
  confidence: Type.Number(),
  /** The evidence in words. */
  seen: Type.Array(Type.String()),
  /** The id of the device if a worker has it already. */
  knownAs: Type.Union([Type.String(), Type.Null()]),
})
export type FoundDevice = Static<typeof FoundDeviceSchema>

export const ScanRequestSchema = Type.Object(
  {
    /** CIDR (`10.0.0.0/22`), ranges (`10.0.0.10-10.0.0.60`, `10.0.0.10-60`) or single addresses. */
    ranges: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 64 }),
    /** Ports by protocol name where they are not the usual ones, e.g. `{ "http": 8080 }`. */
    ports: Type.Optional(Type.Record(Type.String(), Type.Integer({ minimum: 1, maximum: 65535 }))),
    /** How long a host may take to accept a connection, ms; default 1000. */
    connectMs: Type.Optional(Type.Integer({ minimum: 50, maximum: 30_000 })),
    libraries: Type.Optional(Type.Array(Type.String())),
    /** Add what was found to the worker that accepts it. */
    adopt: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)
export type ScanRequest = Static<typeof ScanRequestSchema>

export const ScanSchema = Type.Object({
  id: Type.String(),
  state: Type.Union([
    Type.Literal('running'),
    Type.Literal('complete'),
    Type.Literal('incomplete'),
    Type.Literal('cancelled'),
  ]),
  /** Why it is incomplete. */
  reason: Type.Optional(Type.String()),
  ranges: Type.Array(Type.String()),
  addresses: Type.Integer(),
  tried: Type.Integer(),
  startedAt: Type.Number(),
  endedAt: Type.Optional(Type.Number()),
  found: Type.Array(FoundDeviceSchema),
  /** Addresses that could not be tried, with the reason; never silent. */
  untried: Type.Array(Type.Object({ host: Type.String(), reason: Type.String() })),
  adopted: Type.Array(Type.String()),
  /** Found, but no worker accepts it. */
  refused: Type.Array(Type.Object({ host: Type.String(), reason: Type.String() })),
})
export type Scan = Static<typeof ScanSchema>

export const scanner = contract('scanner', {
  start: action({ needs: 'admin', input: ScanRequestSchema, output: ScanSchema }),
  get: query({ input: Type.Object({ id: Type.String() }), output: ScanSchema }),
  list: query({ input: Type.Object({}), output: Type.Array(ScanSchema) }),
  cancel: action({ needs: 'admin', input: Type.Object({ id: Type.String() }), output: ScanSchema }),
  /** Adds found devices (all recognised ones, or those of `hosts`) to the workers that accept them. */
  adopt: action({
    needs: 'admin',
    input: Type.Object({ id: Type.String(), hosts: Type.Optional(Type.Array(Type.String())) }),
    output: ScanSchema,
  }),
})
