import crypto from 'hypercore-crypto'
import { issueGrant } from '#keys'
import { logKey, memberKey } from './fleet.js'
import type { Site } from './site.js'

/** One good call of a route. `prepare` makes what it needs, as the operator, and answers the path's id. */
export interface GoodCall {
  readonly route: string
  readonly query?: string
  readonly body?: unknown
  readonly status?: number
  prepare?(site: Site): Promise<string>
}

const device = async () => 'home.wm.a'
const reboot = { command: 'reboot', targets: { ids: ['home.wm.a'] } }
const ranges = ['127.0.0.0/30']
const made = (path: string, body: unknown) => async (site: Site) =>
  (await site.ask(path, { method: 'POST', body })).json.id as string
const job = made('/api/v1/commands', reboot)
const scan = made('/api/v1/scans', { ranges })
const invite = made('/api/v1/invites', { role: 'worker' })
const member = async () => memberKey
const owner = { at: 1, by: memberKey, signature: 'cd'.repeat(64) }
const grant = issueGrant(crypto.keyPair(), undefined, { subject: memberKey, role: 'worker', from: 1 })
const token = made('/api/v1/tokens', { name: 'temporary', scope: 'read' })

/** Every route once, as somebody would use it. */
export const goodCalls: readonly GoodCall[] = [
  { route: 'GET /healthz' },
  { route: 'GET /readyz' },
  { route: 'GET /metrics', query: 'devices=1' },
  { route: 'GET /api/v1/fleet', query: 'groupBy=site&status=mining,offline' },
  { route: 'GET /api/v1/sites' },
  { route: 'GET /api/v1/feeds' },
  { route: 'GET /api/v1/node' },
  { route: 'GET /api/v1/libraries' },
  { route: 'POST /api/v1/libraries', body: { package: 'miningsdk-miner-acme' }, status: 201 },
  { route: 'DELETE /api/v1/libraries/{name}', status: 204, prepare: async () => 'miner-acme' },
  { route: 'GET /api/v1/devices', query: 'kind=miner&status=mining&sort=-powerW&fields=status&fields=metrics&limit=2' },
  { route: 'POST /api/v1/devices', body: { host: '127.0.0.9', tags: ['row-a'] }, status: 201 },
  { route: 'GET /api/v1/devices/{id}', prepare: device },
  { route: 'PATCH /api/v1/devices/{id}', body: { name: 'first' }, prepare: device },
  { route: 'DELETE /api/v1/devices/{id}', status: 204, prepare: async () => 'home.wm.b' },
  { route: 'POST /api/v1/devices/{id}/poll', prepare: device },
  { route: 'GET /api/v1/devices/{id}/raw', prepare: device },
  {
    route: 'GET /api/v1/devices/{id}/history',
    query: 'metrics=powerW,hashrateThs&from=-2h&step=1m&digest=min,max',
    prepare: device,
  },
  { route: 'GET /api/v1/devices/{id}/events', query: 'from=-1d&limit=5', prepare: device },
  { route: 'GET /api/v1/devices/{id}/settings', query: 'limit=5', prepare: device },
  { route: 'GET /api/v1/history', query: 'groupBy=model&kind=miner&from=-7d' },
  { route: 'GET /api/v1/events', query: 'limit=10' },
  { route: 'POST /api/v1/commands', body: reboot, status: 202 },
  { route: 'GET /api/v1/commands', query: 'limit=10' },
  { route: 'GET /api/v1/commands/{id}', prepare: job },
  { route: 'POST /api/v1/commands/{id}/cancel', prepare: job },
  { route: 'POST /api/v1/scans', body: { ranges }, status: 202 },
  { route: 'GET /api/v1/scans' },
  { route: 'GET /api/v1/scans/{id}', prepare: scan },
  { route: 'POST /api/v1/scans/{id}/adopt', body: { hosts: ['127.0.0.1'] }, prepare: scan },
  { route: 'POST /api/v1/scans/{id}/cancel', prepare: scan },
  { route: 'GET /api/v1/services' },
  { route: 'POST /api/v1/services/{id}/restart', body: {}, status: 204, prepare: async () => 'scanner' },
  { route: 'GET /api/v1/audit', query: 'from=-1h&limit=5' },
  { route: 'GET /api/v1/mesh' },
  { route: 'GET /api/v1/mesh/reach/{key}', prepare: member },
  { route: 'GET /api/v1/members' },
  { route: 'DELETE /api/v1/members/{key}', query: 'reason=stolen', status: 204, prepare: member },
  { route: 'POST /api/v1/members/{key}/revoke', body: { owner }, status: 204, prepare: member },
  { route: 'GET /api/v1/mesh/refused' },
  { route: 'GET /api/v1/mesh/record' },
  { route: 'PUT /api/v1/mesh/indexers', body: { logs: [logKey] }, status: 204 },
  { route: 'POST /api/v1/mesh/writers/{key}/remove', body: {}, status: 204, prepare: async () => logKey },
  { route: 'POST /api/v1/mesh/recover', body: { logs: [logKey], system: logKey, length: 1, owner }, status: 204 },
  { route: 'POST /api/v1/mesh/topic', body: {} },
  { route: 'GET /api/v1/invites' },
  { route: 'POST /api/v1/invites', body: { role: 'worker', sites: ['texas'] }, status: 201 },
  { route: 'POST /api/v1/invites/{id}/confirm', body: { owner }, status: 204, prepare: invite },
  { route: 'GET /api/v1/invites/{id}/guest', prepare: invite },
  { route: 'POST /api/v1/invites/{id}/grant', body: { grant }, status: 204, prepare: invite },
  { route: 'DELETE /api/v1/invites/{id}', status: 204, prepare: invite },
  { route: 'GET /api/v1/tokens' },
  { route: 'POST /api/v1/tokens', body: { name: 'ci', scope: 'control', sites: ['home'] }, status: 201 },
  { route: 'DELETE /api/v1/tokens/{id}', status: 204, prepare: token },
  { route: 'POST /api/v1/session', body: { token: '' } },
  { route: 'GET /api/v1/session' },
  { route: 'DELETE /api/v1/session', status: 204 },
]

/** The call as a request: method, path with its query, and the body. */
export async function requestOf(site: Site, { route, query, body, prepare }: GoodCall) {
  const [method, path] = route.split(' ') as [string, string]
  const at = prepare ? path.replace(/\{(id|key|name)\}/, await prepare(site)) : path
  const sent = route === 'POST /api/v1/session' ? { token: site.adminToken } : body
  return { method, path: query ? `${at}?${query}` : at, ...(sent === undefined ? {} : { body: sent }) }
}
