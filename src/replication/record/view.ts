import Hyperbee from 'hyperbee'
import type Hypercore from 'hypercore'

const part = encodeURIComponent
const time = (ms: number) => String(ms).padStart(15, '0')

/**
 * Where things are in the view. All values are JSON.
 *
 * `fleet`, `topic`, `indexers`: one row each. `member/<key>`, `revoked/<key or grant id>`, `writer/<log>`, `writers-of/<member>`: who may.
 * `service/<member>/<name>`, `devices/<member>/<service>/<page>`, `site/<site>`: what there is. `invite/<id>`. `event/` and `audit/` by time.
 * `signed/<digest>`: signed intents that were taken, so that none counts twice. `refused/<reason>`: how many were not taken, and the last.
 */
export const rows = {
  fleet: 'fleet',
  topic: 'topic',
  indexers: 'indexers',
  members: 'member/',
  member: (key: string) => `member/${key}`,
  revocations: 'revoked/',
  revoked: (keyOrGrant: string) => `revoked/${keyOrGrant}`,
  writers: 'writer/',
  writer: (log: string) => `writer/${log}`,
  writersOf: (member: string) => `writers-of/${member}`,
  services: 'service/',
  service: (member: string, name: string) => `service/${member}/${part(name)}`,
  devices: 'devices/',
  devicePages: (member: string, service: string) => `devices/${member}/${part(service)}/`,
  devicePage: (member: string, service: string, page: number) =>
    `${rows.devicePages(member, service)}${String(page).padStart(6, '0')}`,
  sites: 'site/',
  site: (site: string) => `site/${part(site)}`,
  invites: 'invite/',
  invite: (id: string) => `invite/${id}`,
  events: 'event/',
  event: (at: number, origin: string) => `event/${time(at)}/${origin}`,
  audits: 'audit/',
  audit: (at: number, origin: string) => `audit/${time(at)}/${origin}`,
  signed: (digest: string) => `signed/${digest}`,
  refusals: 'refused/',
  refused: (reason: string) => `refused/${reason}`,
} as const

export const viewName = 'view'
export type View = Hyperbee<unknown>

export function openView(core: Hypercore): View {
  return new Hyperbee<unknown>(core, { keyEncoding: 'utf-8', valueEncoding: 'json', extension: false })
}
