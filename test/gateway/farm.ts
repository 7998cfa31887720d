import { type Clock, type DeviceRecord, type Event, SdkError, Type } from '#model'
import { defineService, type Placement } from '#node'
import type { Change, Missing, Reader } from '#replication'
import {
  type CommandJob,
  type CommandRequest,
  commander,
  deviceWorker,
  librarian,
  type Scan,
  scanner,
  serve,
} from '#rpc'

/** A worker's feed in memory: what the gateway reads, moved by the test. */
export class Feed implements Reader {
  readonly worker: string
  readonly site: string
  readonly intervalMs = 10_000
  readonly #records = new Map<string, DeviceRecord>()
  readonly #listeners = new Set<(change: Change) => void>()
  readonly eventsKept: Event[] = []
  /** What it has to tell of its history that cannot be read. */
  missing: readonly Missing[] = []

  constructor(worker: string, site: string, records: readonly DeviceRecord[]) {
    this.worker = worker
    this.site = site
    for (const record of records) this.#records.set(record.id, record)
  }

  records = () => [...this.#records.values()]
  record = (id: string) => this.#records.get(id)

  change({ records = [], removed = [], events = [] }: Partial<Change>): void {
    for (const record of records) this.#records.set(record.id, record)
    for (const id of removed) this.#records.delete(id)
    this.eventsKept.unshift(...events)
    for (const listener of this.#listeners) listener({ records, removed, events })
  }

  history: Reader['history'] = async ({ metrics, from, to, step, digests }) => {
    const at = [from, from + (to - from) / 2]
    const series = Object.fromEntries(metrics.map((metric) => [metric, [1, null]]))
    const of = { mean: 1, min: 0, max: 4, last: 2, count: 3 }
    const known = digests && { digests: Object.fromEntries(metrics.map((metric) => [metric, [of, null]])) }
    return { from, to, step, at, series, ...known, ...(this.missing.length > 0 && { missing: this.missing }) }
  }
  events: Reader['events'] = async ({ deviceId, from = 0, to = Number.POSITIVE_INFINITY, limit = 100 }) =>
    this.eventsKept
      .filter((event) => (deviceId === undefined || event.deviceId === deviceId) && event.at >= from && event.at < to)
      .slice(0, limit)
  settings: Reader['settings'] = async (_, limit = 100) => [{ at: 1, settings: { pools: [] } }].slice(0, limit)

  watch = (listener: (change: Change) => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

export function miner(
  id: string,
  site: string,
  worker: string,
  at: number,
  more: Partial<DeviceRecord> = {},
): DeviceRecord {
  return {
    id,
    kind: 'miner',
    make: 'MicroBT',
    model: 'M56S',
    firmware: { family: 'stock' },
    site,
    worker,
    address: '127.0.0.1:4028',
    name: null,
    tags: [],
    location: {},
    simulated: false,
    status: 'mining',
    health: 'ok',
    at,
    askedAt: at,
    metrics: { hashrateThs: 200, powerW: 5000, chipTempMaxC: 80 },
    boards: [],
    fans: [],
    pools: [],
    errors: [],
    missing: {},
    capabilities: ['reboot'],
    ...more,
  }
}

export interface Farm {
  readonly home: Feed
  readonly north: Feed
  /** Known to the worker, but not in its feed yet. */
  readonly fresh: Map<string, DeviceRecord>
  readonly jobs: Map<string, CommandJob>
  readonly scans: Map<string, Scan>
  /** What reached the services, with who asked. */
  readonly calls: { method: string; caller: string; input: unknown }[]
}

export function createFarm(at: number): Farm {
  const three = ['a', 'b', 'c'].map((name) => miner(`home.wm.${name}`, 'home', 'wm', at))
  const off = miner('home.wm.off', 'home', 'wm', at, { status: 'offline', health: 'unknown' })
  return {
    home: new Feed('wm', 'home', [...three, off]),
    north: new Feed('am', 'north', [miner('north.am.x', 'north', 'am', at)]),
    fresh: new Map(),
    jobs: new Map(),
    scans: new Map(),
    calls: [],
  }
}

export const NothingSchema = Type.Object({})

/** The services of a small farm: two feeds, one worker that answers, a commander and a scanner that remember what they were told. */
export function farmServices(clock: Clock, farm = createFarm(clock.now())): { farm: Farm; services: Placement[] } {
  const place = (kind: string, name: string, start: Placement['service']['start']): Placement => ({
    name,
    service: defineService({ kind, config: NothingSchema, start }),
    config: {},
  })
  return {
    farm,
    services: [
      place('device-worker', 'wm', (ctx) => {
        ctx.share(farm.home)
        ctx.provide(deviceWorker, workerEndpoint(farm, clock))
        ctx.stats(() => ({ polls: 7 }))
      }),
      place('device-worker', 'am', (ctx) => ctx.share(farm.north)),
      place('commander', 'commander', (ctx) => ctx.provide(commander, commanderEndpoint(farm, clock))),
      place('librarian', 'librarian', (ctx) => ctx.provide(librarian, librarianEndpoint())),
      place('scanner', 'scanner', (ctx) => ctx.provide(scanner, scannerEndpoint(farm, clock))),
    ],
  }
}

function workerEndpoint({ home, fresh, calls }: Farm, clock: Clock) {
  const known = (id: string) => {
    const record = home.record(id) ?? fresh.get(id)
    if (record) return record
    throw new SdkError('NOT_FOUND', `no device ${id}`)
  }
  return serve(deviceWorker, {
    describe: () => ({
      service: 'wm',
      site: 'home',
      library: {
        library: 'miner-whatsminer',
        kind: 'miner',
        make: 'MicroBT',
        families: ['stock'],
        models: ['M56S'],
        commands: ['reboot'],
      },
      deviceType: null,
      devices: home.records().length,
      intervalMs: 10_000,
    }),
    device: ({ id }) => known(id),
    poll: ({ id }) => known(id),
    raw: ({ id }) => {
      if (id === 'home.wm.off') throw new SdkError('DEVICE_UNREACHABLE', 'nobody there')
      return { id: known(id).id, at: clock.now(), replies: { summary: { STATUS: 'S' } } }
    },
    addDevices: ({ entries }, { caller }) => {
      calls.push({ method: 'addDevices', caller: caller.id, input: entries })
      const ids = entries.map(({ host }) => `home.wm.${host}`)
      const existing = ids.filter((id) => fresh.has(id))
      const added = ids.filter((id) => !fresh.has(id))
      for (const id of added) fresh.set(id, miner(id, 'home', 'wm', clock.now()))
      return { added, existing }
    },
    updateDevice: ({ id, patch }, { caller }) => {
      calls.push({ method: 'updateDevice', caller: caller.id, input: patch })
      const record = { ...known(id), ...(patch.name === undefined ? {} : { name: patch.name }) }
      home.change({ records: [record] })
      return record
    },
    removeDevice: ({ id }) => {
      home.change({ removed: [known(id).id] })
      return { id }
    },
    command: () => ({ state: 'accepted' as const }),
  })
}

function librarianEndpoint() {
  const row = {
    library: 'miner-acme',
    kind: 'miner',
    make: 'Acme',
    families: ['stock'],
    models: ['AX-1'],
    commands: ['setLed'],
    builtIn: false,
    package: 'miningsdk-miner-acme',
    version: '1.0.0',
    path: '/acme',
    workers: ['miner-acme'],
    devices: 0,
    problem: null,
  }
  return serve(librarian, { list: () => [row], add: () => row, remove: ({ name }) => ({ library: name }) })
}

function commanderEndpoint({ home, jobs, calls }: Farm, clock: Clock) {
  const known = (id: string) => {
    const job = jobs.get(id)
    if (job) return job
    throw new SdkError('NOT_FOUND', `no job ${id}`)
  }
  const resolve = ({ targets }: CommandRequest) => ('ids' in targets ? targets.ids : home.records().map(({ id }) => id))
  return serve(commander, {
    submit: ({ request, idempotencyKey }, { caller }) => {
      calls.push({ method: 'submit', caller: caller.id, input: { request, idempotencyKey } })
      const results = resolve(request).map((deviceId) => ({ deviceId, state: 'queued' as const }))
      const job: CommandJob = {
        id: idempotencyKey ?? `job-${jobs.size + 1}`,
        command: request.command,
        params: request.params ?? {},
        state: 'running',
        dryRun: request.dryRun ?? false,
        by: caller.id,
        createdAt: clock.now(),
        batch: { size: 10, pauseMs: 0 },
        counts: { queued: results.length },
        powerW: null,
        results,
      }
      jobs.set(job.id, job)
      return job
    },
    get: ({ id }) => known(id),
    list: ({ limit = 100 }) => [...jobs.values()].map((job) => ({ ...job, results: [] })).slice(0, limit),
    cancel: ({ id }) => {
      jobs.set(id, { ...known(id), state: 'cancelled' })
      return known(id)
    },
  })
}

function scannerEndpoint({ scans, calls }: Farm, clock: Clock) {
  const known = (id: string) => {
    const scan = scans.get(id)
    if (scan) return scan
    throw new SdkError('NOT_FOUND', `no scan ${id}`)
  }
  const put = (scan: Scan) => {
    scans.set(scan.id, scan)
    return scan
  }
  return serve(scanner, {
    start: (request, { caller }) => {
      calls.push({ method: 'start', caller: caller.id, input: request })
      const { ranges } = request
      return put({
        id: `scan-${scans.size + 1}`,
        state: 'running',
        ranges,
        addresses: 1,
        tried: 0,
        startedAt: clock.now(),
        found: [],
        untried: [],
        adopted: [],
        refused: [],
      })
    },
    get: ({ id }) => known(id),
    list: () => [...scans.values()],
    cancel: ({ id }) => put({ ...known(id), state: 'cancelled' }),
    adopt: ({ id, hosts }) => put({ ...known(id), adopted: (hosts ?? ['all']).map((host) => `home.wm.${host}`) }),
  })
}
