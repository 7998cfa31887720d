import { SdkError, Type } from '#model'
import { CommandJobSchema, type CommandRequest, CommandRequestSchema } from '#rpc'
import { commanderFor, commandersOf, firstThatKnows, fromAll } from '../reach.js'
import { route } from '../route.js'
import { seenBy } from '../sight.js'
import { IdParams, listOf, strict } from './shapes.js'

const unknown = (id: string) => `there is no command ${id}`

export const commandRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/commands',
    group: 'commands',
    scope: 'control',
    summary:
      'Commands devices by id or filter; answers at once, progress and results are read at `Location`. `dryRun` only checks',
    body: CommandRequestSchema,
    reply: CommandJobSchema,
    status: 202,
    audit: {
      targets: ({ body, reply }) => reply?.results.map(({ deviceId }) => deviceId) ?? idsOf(body),
      result: ({ id }) => id,
    },
    async handle({ fleet, directory, site, stream }, { body, caller, header, answer }) {
      const idempotencyKey = header('idempotency-key')
      if (idempotencyKey !== undefined && !/^[\x21-\x7e]{1,128}$/.test(idempotencyKey)) {
        throw new SdkError('BAD_REQUEST', 'Idempotency-Key must be 1 to 128 printable characters without spaces')
      }
      const commander = commanderFor(directory, seenBy(fleet, caller), site, body, caller)
      const job = await commander.submit({ request: body, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) })
      answer.header('location', `/api/v1/commands/${job.id}`)
      stream.commandsChanged()
      return job
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/commands',
    group: 'commands',
    scope: 'read',
    summary: 'Commands, newest first, without their results',
    query: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })) }, strict),
    reply: listOf(CommandJobSchema),
    async handle({ directory }, { query, caller }) {
      const limit = query.limit ?? 100
      const lists = await fromAll(commandersOf(directory, caller), (commander) => commander.list({ limit }))
      return {
        data: lists
          .flat()
          .sort((a, b) => b.createdAt - a.createdAt)
          .slice(0, limit),
      }
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/commands/{id}',
    group: 'commands',
    scope: 'read',
    summary: 'One command: progress, and the result of each device',
    params: IdParams,
    reply: CommandJobSchema,
    handle: ({ directory }, { params: { id }, caller }) =>
      firstThatKnows(commandersOf(directory, caller), (commander) => commander.get({ id }), unknown(id)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/commands/{id}/cancel',
    group: 'commands',
    scope: 'control',
    summary: 'Skips what has not started; what runs ends',
    params: IdParams,
    reply: CommandJobSchema,
    async handle({ directory, stream }, { params: { id }, caller }) {
      const job = await firstThatKnows(
        commandersOf(directory, caller),
        (commander) => commander.cancel({ id }),
        unknown(id),
      )
      stream.commandsChanged()
      return job
    },
  }),
]

function idsOf({ targets }: CommandRequest): string[] {
  return 'ids' in targets ? targets.ids : []
}
