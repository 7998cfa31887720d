import { SdkError, Type } from '#model'
import { ServiceHealthSchema } from '#rpc'
import { AuditEntrySchema } from '../audit.js'
import { parseTime, TimeSchema } from '../query.js'
import { fromAll, nodesOf } from '../reach.js'
import { route } from '../route.js'
import { listOf, strict } from './shapes.js'

export const serviceRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/services',
    group: 'services',
    scope: 'read',
    summary: 'Every service: where it runs, its state, restarts, last error and own figures',
    reply: listOf(ServiceHealthSchema),
    async handle({ directory }, { caller }) {
      return { data: (await fromAll(nodesOf(directory, caller), (node) => node.services({}))).flat() }
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/audit',
    group: 'services',
    scope: 'admin',
    summary: 'Who did what to which device, with which result; newest first',
    query: Type.Object(
      {
        from: Type.Optional(TimeSchema),
        to: Type.Optional(TimeSchema),
        by: Type.Optional(Type.String({ maxLength: 128 })),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
      },
      strict,
    ),
    reply: listOf(AuditEntrySchema),
    async handle({ audit, clock }, { query, caller }) {
      if (caller.sites) throw new SdkError('FORBIDDEN', 'the audit is of all sites; this token is limited to some')
      const { from, to, by, limit } = query
      return {
        data: await audit.list({
          ...(from === undefined ? {} : { from: parseTime(from, clock.now(), 'from') }),
          ...(to === undefined ? {} : { to: parseTime(to, clock.now(), 'to') }),
          ...(by === undefined ? {} : { by }),
          ...(limit === undefined ? {} : { limit }),
        }),
      }
    },
  }),
]
