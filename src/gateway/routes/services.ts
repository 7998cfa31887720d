import { SdkError, Type } from '#model'
import { ServiceHealthSchema } from '#rpc'
import { AuditEntrySchema } from '../audit.js'
import { parseTime, TimeSchema } from '../query.js'
import { nodesOf, servicesOf } from '../reach.js'
import { route } from '../route.js'
import { IdParams, listOf, strict } from './shapes.js'

/** To end and to start again. */
const restartMs = 60_000

export const serviceRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/services',
    group: 'services',
    scope: 'read',
    summary: 'Every service: where it runs, its state, restarts, last error and own figures',
    reply: listOf(ServiceHealthSchema),
    handle: async ({ directory }, { caller }) => ({ data: await servicesOf(directory, caller) }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/services/{id}/restart',
    group: 'services',
    scope: 'admin',
    summary: 'Starts a service anew; with `process` the whole process that runs it, answered before it is back',
    params: IdParams,
    body: Type.Object(
      { process: Type.Optional(Type.Boolean()), site: Type.Optional(Type.String({ maxLength: 64 })) },
      strict,
    ),
    async handle({ directory }, { caller, params: { id }, body: { process, site } }) {
      for (const node of nodesOf(directory, caller, { timeoutMs: restartMs })) {
        if (site !== undefined && node.site !== site) continue
        const services = await node.client.services({}).catch(() => [])
        if (!services.some(({ name }) => name === id)) continue
        await node.client.restart({ name: id, ...(process === undefined ? {} : { process }) })
        return undefined
      }
      throw new SdkError('NOT_FOUND', `there is no service ${id} that could be reached`)
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
          ...(by === undefined ? {} : { fits: (entry) => entry.by === by }),
          ...(limit === undefined ? {} : { limit }),
        }),
      }
    },
  }),
]
