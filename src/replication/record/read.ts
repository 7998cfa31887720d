import type { Clock } from '#model'
import { between, under } from '../layout.js'
import { unpackDevices } from './devices.js'
import type { Reason } from './intent.js'
import type {
  AuditRow,
  DevicePlace,
  DevicesRow,
  FleetEvent,
  Invite,
  InviteRow,
  RefusedRow,
  SiteRow,
  TimeQuery,
} from './shapes.js'
import { rows, type View } from './view.js'

const defaultRows = 100
const maxRows = 1000

export async function readInvites(view: View, clock: Clock): Promise<Invite[]> {
  const found = await all<InviteRow>(view, rows.invites)
  const now = clock.now()
  return found.map((row) => ({ ...row, state: row.state === 'open' && now >= row.until ? 'expired' : row.state }))
}

export function readSites(view: View): Promise<SiteRow[]> {
  return all<SiteRow>(view, rows.sites)
}

export function readEvents(view: View, query: TimeQuery = {}): Promise<FleetEvent[]> {
  return newest<FleetEvent>(view, rows.events, query)
}

export function readAudit(view: View, query: TimeQuery = {}): Promise<AuditRow[]> {
  return newest<AuditRow>(view, rows.audits, query)
}

export async function readRefused(view: View): Promise<Partial<Record<Reason, RefusedRow>>> {
  const found: Partial<Record<Reason, RefusedRow>> = {}
  for await (const { key, value } of view.createReadStream(under(rows.refusals)))
    found[key.slice(rows.refusals.length) as Reason] = value as RefusedRow
  return found
}

/** A page of one worker's inventory in memory at a time. Pages that the worker no longer has are passed over. */
export async function* readDevices(
  view: View,
  of?: { readonly member: string; readonly service: string },
): AsyncGenerator<DevicePlace & { member: string; service: string }> {
  const prefix = of ? rows.devicePages(of.member, of.service) : rows.devices
  let owner = ''
  let pages = 0
  for await (const { key, value } of view.createReadStream(under(prefix))) {
    const [, member = '', name = '', page = ''] = key.split('/')
    if (owner !== `${member}/${name}`) {
      owner = `${member}/${name}`
      pages = await newestPageCount(view, member, decodeURIComponent(name))
    }
    if (Number(page) >= pages) continue
    const service = decodeURIComponent(name)
    for (const device of unpackDevices((value as DevicesRow).data)) yield { ...device, member, service }
  }
}

/** How many pages the worker has, by the newest of them. */
async function newestPageCount(view: View, member: string, service: string): Promise<number> {
  let newest: DevicesRow | undefined
  for await (const { value } of view.createReadStream(under(rows.devicePages(member, service)))) {
    const row = value as DevicesRow
    if (!newest || row.at > newest.at) newest = row
  }
  return newest?.pages ?? 0
}

async function all<T>(view: View, prefix: string): Promise<T[]> {
  const found: T[] = []
  for await (const { value } of view.createReadStream(under(prefix))) found.push(value as T)
  return found
}

async function newest<T>(view: View, prefix: string, { from, to, limit = defaultRows }: TimeQuery): Promise<T[]> {
  const most = Math.min(Math.max(0, limit), maxRows)
  const found: T[] = []
  for await (const { value } of view.createReadStream(between(prefix, from, to), { reverse: true, limit: most }))
    found.push(value as T)
  return found
}
