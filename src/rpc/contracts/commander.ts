import { DeviceFilterSchema, resultStates, type Static, Type } from '#model'
import { action, contract, query } from '../contract.js'
import { CommandNameSchema } from './device-worker.js'

export const TargetsSchema = Type.Union([
  Type.Object(
    { ids: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { minItems: 1, maxItems: 10_000 }) },
    { additionalProperties: false },
  ),
  Type.Object({ filter: DeviceFilterSchema }, { additionalProperties: false }),
])

export const CommandRequestSchema = Type.Object(
  {
    command: CommandNameSchema,
    params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    targets: TargetsSchema,
    /** So many devices at once, then a pause: 1,000 reboots together trip breakers. */
    batch: Type.Optional(
      Type.Object(
        {
          size: Type.Integer({ minimum: 1, maximum: 1000 }),
          pauseMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 3_600_000 })),
        },
        { additionalProperties: false },
      ),
    ),
    /** Stop after so many failures; the rest is skipped. */
    stopAfterFailures: Type.Optional(Type.Integer({ minimum: 1 })),
    dryRun: Type.Optional(Type.Boolean()),
    reason: Type.Optional(Type.String({ maxLength: 500 })),
  },
  { additionalProperties: false },
)
export type CommandRequest = Static<typeof CommandRequestSchema>

export const CommandResultSchema = Type.Object({
  deviceId: Type.String(),
  state: Type.Enum(resultStates),
  /** Why, for everything but `confirmed`. */
  reason: Type.Optional(Type.String()),
  code: Type.Optional(Type.String()),
  result: Type.Optional(Type.Unknown()),
  startedAt: Type.Optional(Type.Number()),
  endedAt: Type.Optional(Type.Number()),
})
export type CommandResult = Static<typeof CommandResultSchema>

export const CommandJobSchema = Type.Object({
  id: Type.String(),
  command: Type.String(),
  /** Secrets removed. */
  params: Type.Record(Type.String(), Type.Unknown()),
  state: Type.Union([Type.Literal('running'), Type.Literal('done'), Type.Literal('cancelled')]),
  dryRun: Type.Boolean(),
  reason: Type.Optional(Type.String()),
  by: Type.String(),
  createdAt: Type.Number(),
  endedAt: Type.Optional(Type.Number()),
  batch: Type.Object({ size: Type.Integer(), pauseMs: Type.Integer() }),
  counts: Type.Record(Type.String(), Type.Integer()),
  /** Sum of the present power of the targets, W; what the command will touch. */
  powerW: Type.Union([Type.Number(), Type.Null()]),
  results: Type.Array(CommandResultSchema),
})
export type CommandJob = Static<typeof CommandJobSchema>

/** Commands to many devices of a site: resolved, batched, cancellable, remembered over restarts. */
export const commander = contract('commander', {
  /** The same idempotencyKey from the same caller answers the first job. */
  submit: action({
    input: Type.Object({
      request: CommandRequestSchema,
      idempotencyKey: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    }),
    output: CommandJobSchema,
  }),
  get: query({ input: Type.Object({ id: Type.String() }), output: CommandJobSchema }),
  /** Newest first, without results. */
  list: query({
    input: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })) }),
    output: Type.Array(CommandJobSchema),
  }),
  /** What has not started is skipped; what runs ends. */
  cancel: action({ input: Type.Object({ id: Type.String() }), output: CommandJobSchema }),
})
