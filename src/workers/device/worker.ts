import type { Clock, DeviceEntry, Log } from '#model'
import { SdkError } from '#model'
import type { LocalStore } from '#replication'
import { settingsOf } from './changes.js'
import type { Secrets } from './credentials.js'
import type { Handle } from './handle.js'
import { newHandle } from './handle.js'
import { identityOf } from './identity.js'
import { addressKey } from './inventory.js'
import type { Poller } from './poller.js'
import { emptyRecord, type Home, placed } from './record.js'
import type { Ticks } from './ticks.js'
import type { Visitor } from './visit.js'

/** One worker's state: its devices, by id, by address and by hardware, and the parts that work on them. */
export interface Worker {
  readonly site: string
  readonly name: string
  /** The device library that it works with. */
  readonly library: string
  readonly clock: Clock
  readonly log: Log
  readonly intervalMs: number
  readonly home: Home
  readonly visitor: Visitor
  readonly store: LocalStore
  readonly secrets: Secrets
  readonly ticks: Ticks
  readonly poller: Poller<Handle>
  readonly handles: Map<string, Handle>
  /** Id by address key. */
  readonly places: Map<string, string>
  /** Who is known to be which hardware. */
  readonly owners: Map<string, Handle>
  /** Ids of hardware that was removed: met again, it gets its id back. */
  readonly retired: Map<string, string>
  readonly counts: { failures: number; outOfSockets: number; commands: number; lastOutOfSocketsAt: number }
  /** How many devices were ever taken in: gives each its place in the interval. */
  taken: number
}

export function handleOf(worker: Worker, id: string): Handle {
  const handle = worker.handles.get(id)
  if (!handle) throw new SdkError('NOT_FOUND', `${worker.name} has no device ${id}`)
  return handle
}

/** False once the device was removed or replaced: what is still under way of it counts no more. */
export function isHere(worker: Worker, handle: Handle): boolean {
  return worker.handles.get(handle.id) === handle
}

/** Takes a device of the inventory in, with what the store knows of it, and visits it soon. */
export function takeIn(worker: Worker, id: string, entry: DeviceEntry): Handle {
  const { home, store, visitor, clock } = worker
  const known = store.record(id)
  const handle = newHandle(worker.taken++, id, entry, known ? placed(known, home, entry) : emptyRecord(home, id, entry))
  worker.handles.set(id, handle)
  worker.places.set(addressKey(entry, visitor.candidates), id)
  // Everybody sees it at once, also if it lets us wait for its first answer.
  if (!known) worker.ticks.add({ record: handle.record })
  if (known && known.at !== null) {
    handle.device = visitor.candidates.find(({ family }) => family === known.firmware.family)
    handle.settings = settingsOf(known, undefined)
    claim(worker, handle, identityOf(known))
  }
  worker.poller.at(handle, clock.hr())
  return handle
}

/** Ends everything of the device in this process; the store is the caller's business. */
export function letGo(worker: Worker, handle: Handle): void {
  worker.ticks.drop(handle.id)
  endVisits(worker, handle)
  const key = addressKey(handle.entry, worker.visitor.candidates)
  if (worker.places.get(key) === handle.id) worker.places.delete(key)
  if (handle.identity !== undefined && worker.owners.get(handle.identity) === handle) {
    worker.owners.delete(handle.identity)
  }
}

/** Ends what is under way with the device; nothing that still comes of it counts. */
export function endVisits(worker: Worker, handle: Handle): void {
  if (isHere(worker, handle)) worker.handles.delete(handle.id)
  worker.poller.drop(handle)
  handle.ending.end(new SdkError('CANCELLED', `${handle.id} is no longer visited`))
}

/** From now on the device is known to be this hardware. */
export function claim(worker: Worker, handle: Handle, identity: string | undefined): void {
  if (handle.identity !== undefined && worker.owners.get(handle.identity) === handle) {
    worker.owners.delete(handle.identity)
  }
  handle.identity = identity
  if (identity !== undefined && !worker.owners.has(identity)) worker.owners.set(identity, handle)
}

/** Gives the device another entry; at another address it is visited soon. Its record follows. */
export function reenter(worker: Worker, handle: Handle, entry: DeviceEntry): void {
  const { places, visitor } = worker
  const before = addressKey(handle.entry, visitor.candidates)
  const after = addressKey(entry, visitor.candidates)
  if (places.get(before) === handle.id) places.delete(before)
  places.set(after, handle.id)
  handle.entry = entry
  handle.record = placed(handle.record, worker.home, entry, handle.device)
  worker.ticks.add({ record: handle.record })
}
