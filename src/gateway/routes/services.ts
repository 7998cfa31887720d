import { SdkError, Type } from '#model'
import { type Caller, ServiceRowSchema } from '#rpc'
import { AuditRowSchema, type RecordRow } from '../audit.js'
import type { Gateway } from '../gateway.js'
import { parseTime, TimeSchema } from '../query.js'
import { nodesOf, servicesOf } from '../reach.js'
import { route } from '../route.js'
import { ownFleet } from './mesh.js'
import { IdParams, listOf, strict } from './shapes.js'

const auditSources = ['gateway', 'record'] as const
/** Among so many of the newest of the fleet's record it is looked for whose they are. */
const mostOfRecord = 1000

/** To end and to start again. */
const restartMs = 60_000

export const serviceRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/services',
    group: 'services',
    scope: 'read',
    summary: 'Every service: where it runs, its state, restarts, last error and own figures',
    reply: listOf(ServiceRowSchema),
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
      {
        process: Type.Optional(Type.Boolean()),
        site: Type.Optional(Type.String({ maxLength: 64 })),
        node: Type.Optional(ServiceRowSchema.properties.node),
      },
      strict,
    ),
    async handle({ directory }, { caller, params: { id }, body: { process, site, node: key } }) {
      for (const node of nodesOf(directory, caller, { timeoutMs: restartMs })) {
        if (site !== undefined && node.site !== site) continue
        if (key !== undefined && node.node !== key) continue
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
    summary: 'Who did what by this gateway, and who changed what in the record of the fleet; newest first',
    query: Type.Object(
      {
        from: Type.Optional(TimeSchema),
        to: Type.Optional(TimeSchema),
        by: Type.Optional(Type.String({ maxLength: 128 })),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
        source: Type.Optional(
          Type.Array(Type.Enum(auditSources), {
            description: '`gateway`: the file of this gateway. `record`: what all nodes of the fleet know',
          }),
        ),
      },
      strict,
    ),
    reply: listOf(AuditRowSchema),
    async handle(gateway, { query, caller }) {
      const { audit, clock } = gateway
      if (caller.sites) throw new SdkError('FORBIDDEN', 'the audit is of all sites; this token is limited to some')
      const { from, to, by, limit = 100, source = auditSources } = query
      const span = {
        ...(from === undefined ? {} : { from: parseTime(from, clock.now(), 'from') }),
        ...(to === undefined ? {} : { to: parseTime(to, clock.now(), 'to') }),
      }
      const fits = (row: { by: string }) => by === undefined || row.by === by
      const [own, shared] = await Promise.all([
        source.includes('gateway') ? audit.list({ ...span, limit, fits }) : [],
        source.includes('record') ? ofRecord(gateway, caller, span) : [],
      ])
      const rows = [...own.map((row) => ({ source: 'gateway' as const, ...row })), ...shared.filter(fits)]
      return { data: rows.sort((a, b) => b.at - a.at).slice(0, limit) }
    },
  }),
]

/** Of a site without a fleet none. */
async function ofRecord(gateway: Gateway, caller: Caller, span: { from?: number; to?: number }): Promise<RecordRow[]> {
  const fleet = ownFleet(gateway, caller)
  if (!fleet) return []
  const [rows, members] = await Promise.all([fleet.recordAudit({ ...span, limit: mostOfRecord }), fleet.members({})])
  const names = new Map(members.map(({ key, name }) => [key, name]))
  return rows.map(({ at, op, by, about }) => ({
    source: 'record',
    at,
    by: by === null ? 'nobody' : `member:${by}`,
    name: (by && names.get(by)) ?? null,
    action: op,
    targets: [about],
    targetCount: 1,
  }))
}
