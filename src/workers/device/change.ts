import { type DeviceEntry, type DeviceRecord, SdkError, type Static } from '#model'
import type { DevicePatchSchema } from '#rpc'
import { type Secret, split } from './credentials.js'
import { forget, type Handle } from './handle.js'
import { addressKey, firstId, inventoryEvent, maxDevices } from './inventory.js'
import { checkOptions } from './options.js'
import { retire } from './recognise.js'
import { isHere, letGo, reenter, takeIn, type Worker } from './worker.js'

type DevicePatch = Static<typeof DevicePatchSchema>

/** Adds what is not there yet; resolves when it is in the store. TOO_LARGE beyond what a worker takes. */
export async function addDevices(
  worker: Worker,
  entries: readonly DeviceEntry[],
  by: string,
): Promise<{ added: string[]; existing: string[] }> {
  if (worker.handles.size + entries.length > maxDevices) {
    throw new SdkError('TOO_LARGE', `a worker takes at most ${maxDevices} devices: add another worker`)
  }
  const existing: string[] = []
  const fresh = new Map<string, { entry: DeviceEntry; secret: Secret | undefined }>()
  const taken = new Map(worker.places)
  for (const device of entries) {
    const { entry, secret } = split(device)
    refuseEnvironment(secret)
    checkOptions(worker.visitor.candidates, worker.visitor.options, entry.options, entry.host, 'BAD_REQUEST')
    const key = addressKey(entry, worker.visitor.candidates)
    const there = taken.get(key) ?? (entry.id !== undefined && worker.handles.has(entry.id) ? entry.id : undefined)
    if (there !== undefined) {
      existing.push(there)
      continue
    }
    const id = freeId(worker, fresh, firstId(worker.site, worker.name, entry, worker.visitor.candidates))
    taken.set(key, id)
    fresh.set(id, { entry, secret })
  }
  await Promise.all(
    [...fresh].map(async ([id, { entry, secret }]) => {
      if (secret) await worker.secrets.set(id, secret)
      const data = { change: 'added', address: entry.host, by }
      await worker.store.putEntry(id, entry, [inventoryEvent(id, `${id} was added`, data, worker.clock.now())])
    }),
  )
  for (const [id, { entry }] of fresh) if (!worker.handles.has(id)) takeIn(worker, id, entry)
  return { added: [...fresh.keys()], existing }
}

/** What a person sends from afar must not read the environment of this process. */
function refuseEnvironment(secret: Secret | undefined) {
  if (typeof secret?.password !== 'object') return
  throw new SdkError('BAD_REQUEST', 'a password from the environment can only be named in the configuration file')
}

/** The address of a device that moved away may get another device: then the id made of it is taken. */
function freeId(worker: Worker, fresh: ReadonlyMap<string, unknown>, id: string): string {
  let free = id
  for (let next = 2; worker.handles.has(free) || fresh.has(free); next++) free = `${id}~${next}`
  return free
}

/** Changes what the operator says of a device; at a new address or with a new account it is visited at once. CONFLICT if the address is taken. */
export async function updateDevice(
  worker: Worker,
  handle: Handle,
  { username, password, ...patch }: DevicePatch,
  by: string,
): Promise<DeviceRecord> {
  const entry = merge(handle.entry, patch)
  const { candidates, options } = worker.visitor
  if (patch.options !== undefined) checkOptions(candidates, options, entry.options, handle.id, 'BAD_REQUEST')
  const moved = addressKey(entry, candidates) !== addressKey(handle.entry, candidates)
  const holder = worker.places.get(addressKey(entry, candidates))
  if (moved && holder !== undefined) throw new SdkError('CONFLICT', `${holder} has this address already`)
  if (username !== undefined || password !== undefined) {
    await worker.secrets.set(handle.id, merge(worker.secrets.own(handle.id) ?? {}, { username, password }))
    handle.memory.clear()
  }
  if (Object.keys(patch).length > 0) {
    const data = { change: moved ? 'moved' : 'changed', keys: Object.keys(patch), address: entry.host, by }
    const event = inventoryEvent(
      handle.id,
      `${handle.id} was changed: ${data.keys.join(', ')}`,
      data,
      worker.clock.now(),
    )
    await worker.store.putEntry(handle.id, entry, [event])
    if (!isHere(worker, handle)) throw new SdkError('NOT_FOUND', `${handle.id} was removed meanwhile`)
    if (moved || patch.options !== undefined) forget(handle)
    reenter(worker, handle, entry)
  }
  const asksAnew = moved || patch.options !== undefined || username !== undefined || password !== undefined
  if (asksAnew) worker.poller.soon(handle)
  return handle.record
}

/** The object with the changes; null takes a key out. */
function merge<T extends object>(before: T, changes: object): T {
  const kept = Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(kept) as T
}

/** Forgets a device. Its history stays, and its id waits for its hardware. */
export async function removeDevice(worker: Worker, handle: Handle, by: string): Promise<void> {
  const { store, ticks, secrets, clock } = worker
  letGo(worker, handle)
  await ticks.flush()
  await retire(worker, [handle])
  await secrets.set(handle.id, undefined)
  const event = inventoryEvent(handle.id, `${handle.id} was removed`, { change: 'removed', by }, clock.now())
  await store.deleteEntry(handle.id, [event])
}
