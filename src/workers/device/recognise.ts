import type { DeviceEntry } from '#model'
import { forget, type Handle } from './handle.js'
import { inventoryEvent, rename } from './inventory.js'
import { claim, letGo, reenter, takeIn, type Worker } from './worker.js'

/** Two devices change places at most this often, ms: cloned MAC addresses would do it for ever. */
const movePauseMs = 600_000
/** Ids of so many removed devices are remembered. */
const maxRetired = 2000
const retiredDocument = 'retired'

/**
 * Decides what it means that `handle` turned out to be the hardware `identity`. An id belongs to the hardware: a known device met at a new
 * address moves there. Answers false if what was read belongs to another id, which is visited soon.
 * `revisit` makes sure of a device: it reads it now.
 */
export async function recognise(
  worker: Worker,
  handle: Handle,
  identity: string,
  revisit: (other: Handle) => Promise<unknown>,
): Promise<boolean> {
  const owner = worker.owners.get(identity)
  if (owner && owner !== handle) {
    if (handle.record.at !== null) return swap(worker, handle, owner, identity)
    if (owner.failures === 0) await revisit(owner)
    if (owner.failures === 0 && owner.identity === identity) {
      worker.log.warn({ id: handle.id, other: owner.id, identity }, 'two addresses answer as the same device')
      handle.identity = identity
      return true
    }
    await move(worker, owner, handle)
    return false
  }
  const formerId = worker.retired.get(identity)
  const isNew = handle.record.at === null
  if (formerId !== undefined && isNew && handle.entry.id === undefined && !worker.handles.has(formerId)) {
    await takeFormerId(worker, handle, formerId)
    return false
  }
  if (handle.identity !== undefined) {
    const data = { change: 'replaced', before: handle.identity, after: identity }
    const event = inventoryEvent(handle.id, `${handle.id} is other hardware now`, data, worker.clock.now())
    worker.ticks.add({ events: [event] })
    forget(handle)
  }
  claim(worker, handle, identity)
  return true
}

/** The known device was met under the address of a new entry: it moves there, and the entry was for it. */
async function move(worker: Worker, owner: Handle, newcomer: Handle) {
  const { store, clock, secrets } = worker
  const from = owner.record.address
  const entry = { ...newcomer.entry, ...withoutAddress(owner.entry), ...addressOf(newcomer.entry) }
  const secret = secrets.get(newcomer.id)
  letGo(worker, newcomer)
  moveEntry(worker, owner, entry)
  const data = { change: 'moved', from, to: owner.record.address }
  const event = inventoryEvent(owner.id, `${owner.id} moved from ${from} to ${owner.record.address}`, data, clock.now())
  await store.putEntry(owner.id, entry, [event])
  await store.deleteEntry(newcomer.id)
  await rename(store, newcomer.id, owner.id)
  if (secret && !secrets.get(owner.id)) await secrets.set(owner.id, secret)
  await secrets.set(newcomer.id, undefined)
  worker.poller.soon(owner)
}

/** Two known devices changed addresses. */
async function swap(worker: Worker, handle: Handle, owner: Handle, identity: string): Promise<boolean> {
  const { store, clock } = worker
  const now = clock.hr()
  if (handle.movedAt !== undefined && now - handle.movedAt < movePauseMs) {
    handle.identity = identity
    return true
  }
  handle.movedAt = now
  owner.movedAt = now
  const [mine, theirs] = [addressOf(handle.entry), addressOf(owner.entry)]
  for (const [moved, address] of [
    [owner, mine],
    [handle, theirs],
  ] as const) {
    const from = moved.record.address
    moveEntry(worker, moved, { ...withoutAddress(moved.entry), ...address })
    const data = { change: 'moved', from, to: moved.record.address }
    const text = `${moved.id} moved from ${from} to ${moved.record.address}`
    await store.putEntry(moved.id, moved.entry, [inventoryEvent(moved.id, text, data, clock.now())])
    worker.poller.soon(moved)
  }
  return false
}

function moveEntry(worker: Worker, handle: Handle, entry: DeviceEntry) {
  forget(handle)
  handle.failures = 0
  reenter(worker, handle, entry)
}

/** Hardware that was removed earlier is back under a new entry: it gets its id, and with it its history. */
async function takeFormerId(worker: Worker, handle: Handle, id: string) {
  const { store, clock, secrets } = worker
  const secret = secrets.get(handle.id)
  letGo(worker, handle)
  const text = `${id} is back, at ${handle.entry.host}`
  const event = inventoryEvent(id, text, { change: 'added', address: handle.entry.host }, clock.now())
  await store.putEntry(id, handle.entry, [event])
  await store.deleteEntry(handle.id)
  await rename(store, handle.id, id)
  if (secret) await secrets.set(id, secret)
  await secrets.set(handle.id, undefined)
  worker.retired.forEach((retired, identity) => {
    if (retired === id) worker.retired.delete(identity)
  })
  takeIn(worker, id, handle.entry)
}

/** Remembers the ids of hardware that is removed. */
export async function retire(
  worker: Worker,
  gone: readonly { id: string; identity: string | undefined }[],
): Promise<void> {
  const { retired } = worker
  const known = gone.flatMap(({ id, identity }) => (identity === undefined ? [] : [[identity, id] as const]))
  if (known.length === 0) return
  for (const [identity, id] of known) {
    retired.delete(identity)
    retired.set(identity, id)
  }
  for (const oldest of retired.keys()) {
    if (retired.size <= maxRetired) break
    retired.delete(oldest)
  }
  await worker.store.putDocument(retiredDocument, [...retired])
}

export async function loadRetired(store: Worker['store']): Promise<Map<string, string>> {
  return new Map(await store.getDocument<[string, string][]>(retiredDocument))
}

function addressOf({ host, port, ports, unit }: DeviceEntry): DeviceEntry {
  return {
    host,
    ...(port === undefined ? {} : { port }),
    ...(ports === undefined ? {} : { ports }),
    ...(unit === undefined ? {} : { unit }),
  }
}

function withoutAddress({
  host: _h,
  port: _p,
  ports: _ps,
  unit: _u,
  ...rest
}: DeviceEntry): Omit<DeviceEntry, 'host' | 'port' | 'ports' | 'unit'> {
  return rest
}
