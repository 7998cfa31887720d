import type { Device } from '#devices'
import { type DeviceEntry, type DeviceRecord, type Event, idOf, SdkError } from '#model'
import type { LocalStore } from '#replication'
import { split } from './credentials.js'

/** So many devices a worker takes; beyond it another worker is due. */
export const maxDevices = 20_000

/** Where a device is: the host, the port where it is not the usual one of the library, the unit where it has one. */
export function addressKey(entry: DeviceEntry, candidates: readonly Device[]): string {
  const port = isMainPort(entry.port, candidates) ? '' : `:${entry.port}`
  return `${entry.host}${port}${entry.unit === undefined ? '' : `#${entry.unit}`}`
}

function isMainPort(port: number | undefined, candidates: readonly Device[]): boolean {
  return port === undefined || candidates.some((device) => device.mainPort.default === port)
}

/** The id that a device gets once and keeps: the operator's, or made of the site, the worker and its first address. */
export function firstId(site: string, worker: string, entry: DeviceEntry, candidates: readonly Device[]): string {
  if (entry.id !== undefined) return entry.id
  const port = isMainPort(entry.port, candidates) ? [] : [String(entry.port)]
  const unit = entry.unit === undefined ? [] : [`u${entry.unit}`]
  return idOf(site, worker, entry.host, ...port, ...unit)
}

/** The ids by address. */
export function byAddress(
  entries: ReadonlyMap<string, DeviceEntry>,
  candidates: readonly Device[],
): Map<string, string> {
  return new Map([...entries].map(([id, entry]) => [addressKey(entry, candidates), id]))
}

export function inventoryEvent(deviceId: string, message: string, data: Record<string, unknown>, at: number): Event {
  return { at, type: 'inventory', deviceId, message, data }
}

/** What the configuration said of a device at the last start, and the id it goes by (another one after it was recognised). */
interface Configured {
  entry: DeviceEntry
  as: string
}
type ConfiguredDocument = Record<string, Configured>
const documentName = 'configured'

/** The configured devices by their first id, without accounts; one listed twice is CONFIG_INVALID. */
export function configuredEntries(
  site: string,
  worker: string,
  devices: readonly DeviceEntry[],
  candidates: readonly Device[],
): Map<string, DeviceEntry> {
  const entries = new Map<string, DeviceEntry>()
  devices.forEach((device, index) => {
    const { entry } = split(device)
    const id = firstId(site, worker, entry, candidates)
    if (entries.has(id)) throw new SdkError('CONFIG_INVALID', `devices[${index}] of ${worker}: ${id} is listed twice`)
    entries.set(id, entry)
  })
  return entries
}

/**
 * Brings the stored inventory in line with the configuration: what is new or changed in the file since the last start is taken over, what
 * vanished from it is removed, and what the operator changed at run time otherwise stays. Answers each configured id's present id.
 */
export async function reconcile(
  store: LocalStore,
  wanted: ReadonlyMap<string, DeviceEntry>,
  candidates: readonly Device[],
  at: number,
): Promise<{ present: ReadonlyMap<string, string>; removed: DeviceRecord[] }> {
  const last = (await store.getDocument<ConfiguredDocument>(documentName)) ?? {}
  const next: ConfiguredDocument = {}
  const writes: (() => Promise<void>)[] = []
  const there = byAddress(store.entries(), candidates)
  for (const [id, entry] of wanted) {
    const before = last[id]
    const as = before?.as ?? (store.entries().has(id) ? id : (there.get(addressKey(entry, candidates)) ?? id))
    next[id] = { entry, as }
    if (before && same(before.entry, entry)) continue
    const stored = store.entries().get(as)
    const merged = { ...without(stored, Object.keys(before?.entry ?? {})), ...entry }
    if (stored && same(stored, merged)) continue
    const change = stored ? 'changed' : 'added'
    const event = inventoryEvent(as, `${as} was ${change} by the configuration`, { change, address: entry.host }, at)
    writes.push(() => store.putEntry(as, merged, [event]))
  }
  const removed: DeviceRecord[] = []
  const kept = new Set(Object.values(next).map(({ as }) => as))
  for (const [id, { as }] of Object.entries(last)) {
    if (wanted.has(id) || kept.has(as) || !store.entries().has(as)) continue
    const event = inventoryEvent(as, `${as} was removed from the configuration`, { change: 'removed' }, at)
    const record = store.record(as)
    if (record) removed.push(record)
    writes.push(() => store.deleteEntry(as, [event]))
  }
  await inGroups(writes)
  if (!same(last, next)) await store.putDocument(documentName, next)
  return { present: new Map(Object.entries(next).map(([id, { as }]) => [id, as])), removed }
}

/** Remembers that a configured device goes by another id now. */
export async function rename(store: LocalStore, from: string, to: string): Promise<void> {
  const last = await store.getDocument<ConfiguredDocument>(documentName)
  const found = Object.entries(last ?? {}).find(([, { as }]) => as === from)
  if (found) await store.putDocument(documentName, { ...last, [found[0]]: { ...found[1], as: to } })
}

const groupSize = 64

async function inGroups(writes: readonly (() => Promise<void>)[]): Promise<void> {
  for (let start = 0; start < writes.length; start += groupSize) {
    await Promise.all(writes.slice(start, start + groupSize).map((write) => write()))
  }
}

function without(entry: DeviceEntry | undefined, keys: readonly string[]): Partial<DeviceEntry> {
  return Object.fromEntries(Object.entries(entry ?? {}).filter(([key]) => !keys.includes(key)))
}

/** Equal as documents, whatever the order of keys. */
function same(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b)
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
