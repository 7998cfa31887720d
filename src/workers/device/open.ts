import { type Device, openSessions } from '#devices'
import type { Clock, DeviceEntry, Log, Options } from '#model'
import type { Vault } from '#node'
import type { LocalStore } from '#replication'
import { freeSockets } from '../sockets.js'
import { call } from './book.js'
import { openSecrets, type Secret, split } from './credentials.js'
import type { Handle } from './handle.js'
import { identityOf } from './identity.js'
import { configuredEntries, firstId, reconcile } from './inventory.js'
import { checkOptions } from './options.js'
import { nextPlace } from './pace.js'
import { openPoller } from './poller.js'
import { loadRetired, retire } from './recognise.js'
import { openTicks } from './ticks.js'
import { endVisits, isHere, takeIn, type Worker } from './worker.js'

export interface WorkerOptions {
  readonly site: string
  readonly name: string
  /** Where an older version kept the devices' accounts in the open. */
  readonly folder: string
  /** For what must not stand in the feed: the devices' accounts. */
  readonly vault: Vault
  readonly store: LocalStore
  /** The definitions of one library. */
  readonly candidates: readonly Device[]
  readonly deviceType?: string | undefined
  readonly devices: readonly DeviceEntry[]
  /** Of the library, for all devices that do not say otherwise. */
  readonly options?: Options | undefined
  readonly intervalMs: number
  readonly concurrency: number
  readonly simulated: boolean
  readonly clock: Clock
  readonly log: Log
  /** Called when writing begins to fail or works again. */
  readonly onState?: () => void
}

/** Descriptors that are not for devices: the store, the gateway, files. */
const reservedDescriptors = 64
/** For each place that works, so many visits may wait beside for slow devices. */
const spareFactor = 7

/** Starts to work: the inventory of the store and of the configuration, everyone visited from now on. Close it before its store. */
export async function openWorker(options: WorkerOptions): Promise<Worker & { close(): Promise<void> }> {
  const { site, name, store, candidates, clock, log, intervalMs } = options
  options.devices.forEach((entry, index) => {
    checkOptions(candidates, options.options, entry.options, `devices[${index}] of ${name}`, 'CONFIG_INVALID')
  })
  const configured = configuredEntries(site, name, options.devices, candidates)
  const { present, removed } = await reconcile(store, configured, candidates, clock.now())
  const secrets = await openSecrets(options.vault, options.folder, configuredSecrets(options, present))
  const ticks = openTicks(store, {
    clock,
    ...(options.onState ? { onState: options.onState } : {}),
    onWritten: () => poller.hold(false),
  })
  const sockets = Math.floor(freeSockets(reservedDescriptors) / 2)
  const concurrency = Math.min(options.concurrency, Math.max(8, sockets))
  const poller = openPoller<Handle>({
    clock,
    concurrency,
    spare: Math.max(0, Math.min(concurrency * spareFactor, sockets - concurrency)),
    visit: (handle, done) => {
      if (!isHere(worker, handle)) return done(undefined)
      if (ticks.full) poller.hold(true)
      // A command or somebody's own visit is at work: this one is left out.
      if (handle.turns.busy) return done(nextPlace(handle.pace, clock.hr(), intervalMs))
      const leave = handle.turns.enter()
      call(worker, handle, (due) => {
        leave()
        done(due)
      })
    },
  })
  const main = candidates[0]!
  const sessions = openSessions()
  const worker: Worker = {
    site,
    name,
    library: main.library,
    clock,
    log,
    intervalMs,
    home: {
      site,
      worker: name,
      kind: main.kind,
      make: main.make,
      mainPort: main.mainPort.default,
      simulated: options.simulated,
    },
    visitor: {
      candidates,
      deviceType: options.deviceType,
      clock,
      secretOf: (id) => secrets.get(id),
      sessions,
      options: options.options,
      said: { library: main.library, deviceType: options.deviceType },
    },
    store,
    secrets,
    ticks,
    poller,
    handles: new Map(),
    places: new Map(),
    owners: new Map(),
    retired: await loadRetired(store),
    counts: { failures: 0, outOfSockets: 0, commands: 0, lastOutOfSocketsAt: Number.NEGATIVE_INFINITY },
    taken: 0,
  }
  await retire(
    worker,
    removed.map((record) => ({ id: record.id, identity: identityOf(record) })),
  )
  for (const [id, entry] of store.entries()) takeIn(worker, id, entry)
  return Object.assign(worker, {
    async close() {
      poller.close()
      for (const handle of [...worker.handles.values()]) endVisits(worker, handle)
      await sessions.close()
      await ticks.close()
    },
  })
}

function configuredSecrets(options: WorkerOptions, present: ReadonlyMap<string, string>): Map<string, Secret> {
  const secrets = new Map<string, Secret>()
  for (const device of options.devices) {
    const { entry, secret } = split(device)
    const id = firstId(options.site, options.name, entry, options.candidates)
    if (secret) secrets.set(present.get(id) ?? id, secret)
  }
  return secrets
}

/** Plain numbers about the worker. */
export function workerStats(worker: Worker): Record<string, number> {
  let offline = 0
  let neverMet = 0
  let latency = 0
  let measured = 0
  for (const { record, pace } of worker.handles.values()) {
    if (record.status === 'offline') offline++
    if (record.at === null) neverMet++
    if (pace.latency === undefined) continue
    latency += pace.latency
    measured++
  }
  return {
    devices: worker.handles.size,
    offline,
    neverMet,
    latencyMs: measured === 0 ? 0 : Math.round(latency / measured),
    failures: worker.counts.failures,
    outOfSockets: worker.counts.outOfSockets,
    commands: worker.counts.commands,
    sessions: worker.visitor.sessions.size,
    ...worker.poller.stats(),
    ...prefixed('tick', worker.ticks.stats()),
    ...prefixed('store', worker.store.stats()),
  }
}

function prefixed(prefix: string, stats: Record<string, number>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(stats).map(([name, value]) => [`${prefix}${name[0]!.toUpperCase()}${name.slice(1)}`, value]),
  )
}
