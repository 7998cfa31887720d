import type { Assertions } from 'brittle'
import { type Device, devices } from '#devices'
import { openVault } from '#keys'
import { type DeviceEntry, type Log, silentLog, systemClock } from '#model'
import { openStore, type Store } from '#replication'
import { type Client, client, deviceWorker, local, serve } from '#rpc'
import type { SimulatedDevice } from '#sim'
import { handlers } from '../../../src/workers/device/handlers.js'
import { openWorker } from '../../../src/workers/device/open.js'
import { openRequests } from '../../../src/workers/device/requests.js'
import type { Worker } from '../../../src/workers/device/worker.js'

export interface Bench {
  worker: Worker
  store: Store
  call: Client<(typeof deviceWorker)['methods']>
  close(): Promise<void>
}

export interface BenchOptions {
  path: string
  library?: string
  deviceType?: string
  devices?: DeviceEntry[]
  intervalMs?: number
  concurrency?: number
  log?: Log
}

export const vaultSeed = new Uint8Array(32).fill(5)

/** A worker on a real store, called as over the wire; closed after the test. */
export async function startWorker(t: Assertions, options: BenchOptions): Promise<Bench> {
  // Our timers do not keep a process alive; a test that waits for one does.
  const awake = setInterval(() => {}, 1000)
  const name = 'w'
  const store = await openStore({
    path: options.path,
    worker: name,
    site: 'home',
    intervalMs: options.intervalMs ?? 200,
  })
  const candidates: readonly Device[] = devices.filter(
    ({ library }) => library === (options.library ?? 'miner-antminer'),
  )
  const worker = await openWorker({
    site: 'home',
    name,
    folder: options.path,
    vault: await openVault(options.path, vaultSeed),
    store,
    candidates,
    deviceType: options.deviceType,
    devices: options.devices ?? [],
    intervalMs: options.intervalMs ?? 200,
    concurrency: options.concurrency ?? 32,
    simulated: false,
    clock: systemClock,
    log: options.log ?? silentLog,
  })
  const endpoint = serve(deviceWorker, handlers(worker, await openRequests(store, systemClock)))
  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    clearInterval(awake)
    await worker.close()
    await store.close()
  }
  t.teardown(close)
  return { worker, store, close, call: client(deviceWorker, local(endpoint, { id: 'tester', scope: 'admin' })) }
}

export function entryOf({ host, port, ports, username, password, simulated }: SimulatedDevice): DeviceEntry {
  return { host, port, ...(ports ? { ports: { ...ports } } : {}), username, password, simulated }
}
