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

const tries = 3

/**
 * Reads a state of the view that does not move meanwhile, through a tree of its own: the one of the view keeps in mind what it has read, also
 * of blocks that are others since writers met or signers changed.
 */
export async function atOnce<T>(view: View, job: (state: View) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const state = view.snapshot()
    try {
      await state.ready()
      return await job(state)
    } catch (error) {
      // It was moved to other logs under our hands.
      if (attempt === tries) throw error
    } finally {
      await state.close()
    }
  }
}

const end = '\u{10ffff}'
const defaultRows = 100
const maxRows = 1000

export async function readInvites(view: View, clock: Clock): Promise<Invite[]> {
  return (await all<InviteRow>(view, rows.invites)).map((row) => inviteOf(row, clock))
}

export async function readInvite(view: View, id: string, clock: Clock): Promise<Invite | undefined> {
  const found = await view.get(rows.invite(id))
  return found ? inviteOf(found.value as InviteRow, clock) : undefined
}

function inviteOf(row: InviteRow, clock: Clock): Invite {
  return { ...row, state: row.state === 'open' && clock.now() >= row.until ? 'expired' : row.state }
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
  const owners = of ? [of] : await atOnce(view, deviceOwners)
  for (const { member, service } of owners) {
    const pages = await atOnce(view, (state) => newestPageCount(state, member, service))
    for (let page = 0; page < pages; page++) {
      const row = await atOnce(view, (state) => state.get(rows.devicePage(member, service, page)))
      for (const device of row ? unpackDevices((row.value as DevicesRow).data) : [])
        yield { ...device, member, service }
    }
  }
}

/** Who has pages: one look for each, however many pages it has. */
async function deviceOwners(view: View): Promise<{ member: string; service: string }[]> {
  const found: { member: string; service: string }[] = []
  let after: string = rows.devices
  for (;;) {
    const [next] = await take(view.createReadStream({ gte: after, lt: `${rows.devices}${end}` }, { limit: 1 }))
    if (!next) return found
    const [, member = '', name = ''] = next.key.split('/')
    const service = decodeURIComponent(name)
    found.push({ member, service })
    after = rows.devicePages(member, service) + end
  }
}

async function take<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const each of stream) found.push(each)
  return found
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
