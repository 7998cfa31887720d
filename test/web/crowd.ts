import { createReadStream, existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { type DeviceRecord, isLive, type Status } from '#model'
import type { Totals } from '#replication'
import type { CommandJob, CommandRequest } from '#rpc'

/** The strict policy of the gateway: what it forbids, the page must not need. */
const policy = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}
const pageFolder = join(import.meta.dirname, '../../dist/web')

export interface Crowd {
  url: string
  devices: Map<string, DeviceRecord>
  /** How many change each second. */
  pace: number
  /** Ends all streams and refuses everything, until it is false again. */
  down: boolean
  close(): Promise<void>
}

const models = [
  { make: 'MicroBT', model: 'M56S', worker: 'wm-m56s', ths: 212, w: 5550 },
  { make: 'MicroBT', model: 'M60', worker: 'wm-m60', ths: 172, w: 3422 },
  { make: 'Bitmain', model: 'S19XP', worker: 'am-s19xp', ths: 140, w: 3010 },
  { make: 'Bitmain', model: 'S21', worker: 'am-s21', ths: 200, w: 3500 },
] as const

/** The same sequence each time. */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296
    return state / 4294967296
  }
}

/** A made-up device; no hardware and no simulator behind it, for pages with more rows than simulators are worth here. */
export function madeUp(index: number, at: number, random: () => number): DeviceRecord {
  const facts = models[index % models.length]!
  const dice = random()
  const status: Status =
    dice < 0.9
      ? 'mining'
      : dice < 0.93
        ? 'offline'
        : dice < 0.95
          ? 'sleeping'
          : dice < 0.97
            ? 'tuning'
            : dice < 0.985
              ? 'not-mining'
              : 'error'
  const hashing = status === 'mining' || status === 'tuning' || status === 'offline'
  const ths = hashing ? facts.ths * (0.88 + random() * 0.14) : 0
  const fanFailed = status === 'mining' && random() < 0.03
  const bad = status === 'error' || fanFailed
  const address = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`
  return {
    id: `site.${facts.worker}.${address}`,
    kind: 'miner',
    make: facts.make,
    model: facts.model,
    firmware: { family: 'stock', version: '20240911.12.Rel' },
    site: 'north',
    worker: facts.worker,
    address: `${address}:4028`,
    serial: `SN${String(index).padStart(8, '0')}`,
    mac: null,
    name: null,
    tags: [`row-${'abcdef'[index % 6]}`],
    location: { container: `c${(index % 12) + 1}`, rack: (index % 8) + 1, slot: index % 20 },
    simulated: true,
    status,
    statusReason: status === 'offline' ? 'does not answer: connection timed out' : null,
    health:
      status === 'offline'
        ? 'unknown'
        : status === 'error'
          ? 'critical'
          : fanFailed || status === 'not-mining'
            ? 'degraded'
            : 'ok',
    at: status === 'offline' ? at - 3_600_000 : at,
    askedAt: at,
    metrics: {
      hashrateThs: ths,
      expectedHashrateThs: facts.ths,
      powerW: hashing ? facts.w * (0.96 + random() * 0.08) : 60,
      efficiencyJTh: hashing ? facts.w / facts.ths : null,
      boardTempMaxC: hashing ? 66 + random() * 12 : 31,
      chipTempMaxC: hashing ? 76 + random() * 20 : 33,
      fanMaxRpm: 4200 + Math.round(random() * 1800),
      uptimeS: Math.round(random() * 4e6),
      poolRejectPct: random(),
    },
    boards: [0, 1, 2].map((slot) => ({
      slot,
      status: 'ok' as const,
      hashrateThs: ths / 3,
      chips: 110,
      expectedChips: 110,
      boardTempC: 70 + slot,
      chipTempMinC: 61,
      chipTempMaxC: 84,
    })),
    fans: [0, 1].map((fan) => ({
      index: fan,
      location: fan ? ('out' as const) : ('in' as const),
      rpm: fan && fanFailed ? 0 : 5100 + fan * 120,
      status: fan && fanFailed ? ('failed' as const) : ('ok' as const),
    })),
    pools: [
      {
        index: 0,
        url: 'stratum+tcp://pool.example:3333',
        user: `north.${index}`,
        active: true,
        alive: true,
        accepted: 1201,
        rejected: 3,
      },
    ],
    errors: bad
      ? [
          fanFailed
            ? {
                code: 'fan-speed',
                severity: 'medium',
                component: 'fan',
                index: 1,
                message: 'Exhaust fan stands still',
                cause: 'The fan or its cable is broken',
                action: 'Check the cable, then replace the fan',
              }
            : {
                code: 'board-missing',
                severity: 'critical',
                component: 'board',
                index: 1,
                message: 'Board 1 is not found',
                action: 'Reseat the cables of the board',
              },
        ]
      : [],
    missing: {},
    capabilities: ['reboot', 'suspend', 'resume', 'setPowerMode', 'setPools', 'setLed'],
  }
}

function totalsOf(records: Iterable<DeviceRecord>): Totals {
  const totals: Totals = {
    devices: 0,
    live: 0,
    byKind: {},
    byStatus: {},
    byHealth: {},
    hashrateThs: null,
    expectedHashrateThs: null,
    nominalHashrateThs: null,
    powerW: null,
    containerPowerW: null,
    sitePowerW: null,
    efficiencyJTh: null,
    reporting: { hashrateThs: 0, powerW: 0 },
    boardTempMaxC: null,
    chipTempMaxC: null,
    errors: {},
    oldestAt: null,
    newestAt: null,
    simulated: 0,
  }
  const count = (counts: Record<string, number>, key: string) => {
    counts[key] = (counts[key] ?? 0) + 1
  }
  for (const { status, health, kind, metrics, errors, at, simulated } of records) {
    totals.devices++
    if (simulated) totals.simulated++
    count(totals.byStatus, status)
    count(totals.byHealth, health)
    count(totals.byKind, kind)
    if (!isLive(status)) continue
    totals.live++
    totals.reporting.hashrateThs++
    totals.reporting.powerW++
    totals.hashrateThs = (totals.hashrateThs ?? 0) + (metrics.hashrateThs ?? 0)
    totals.expectedHashrateThs = (totals.expectedHashrateThs ?? 0) + (metrics.expectedHashrateThs ?? 0)
    totals.powerW = (totals.powerW ?? 0) + (metrics.powerW ?? 0)
    totals.chipTempMaxC = Math.max(totals.chipTempMaxC ?? 0, metrics.chipTempMaxC ?? 0)
    totals.boardTempMaxC = Math.max(totals.boardTempMaxC ?? 0, metrics.boardTempMaxC ?? 0)
    for (const { severity } of errors) count(totals.errors, severity)
    totals.newestAt = Math.max(totals.newestAt ?? 0, at ?? 0)
    totals.oldestAt = Math.min(totals.oldestAt ?? Number.POSITIVE_INFINITY, at ?? 0)
  }
  totals.efficiencyJTh = (totals.powerW ?? 0) / (totals.hashrateThs ?? 1)
  return totals
}

/** A site of `count` made-up devices that answers what the page asks, in the shapes of the API; all change as fast as `pace` says. */
export async function crowd(count: number): Promise<Crowd> {
  const random = sequence(7)
  const devices = new Map<string, DeviceRecord>()
  for (let index = 0; index < count; index++) {
    const record = madeUp(index, Date.now(), random)
    devices.set(record.id, record)
  }
  const ids = [...devices.keys()]
  const jobs = new Map<string, CommandJob>()
  const streams = new Set<ServerResponse>()
  const self: Crowd = { url: '', devices, pace: Math.ceil(count / 10), down: false, close }
  const startedAt = Date.now()
  const fleet = () => ({ site: 'north', at: Date.now(), totals: totalsOf(devices.values()), simulated: true })
  const tell = (event: string, data: unknown) => {
    const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
    for (const stream of streams) stream.write(text)
  }

  let next = 0
  const beatsASecond = 4
  const beat = setInterval(() => {
    if (self.down || streams.size === 0) return
    const records: DeviceRecord[] = []
    for (let left = self.pace / beatsASecond; left > 0; left--) {
      const record = devices.get(ids[next++ % ids.length]!)!
      const { hashrateThs, powerW } = record.metrics
      const drift = isLive(record.status) ? 0.99 + random() * 0.02 : 1
      const changed = {
        ...record,
        askedAt: Date.now(),
        at: isLive(record.status) ? Date.now() : record.at,
        metrics: { ...record.metrics, hashrateThs: (hashrateThs ?? 0) * drift, powerW: (powerW ?? 0) * drift },
      }
      devices.set(record.id, changed)
      records.push(changed)
    }
    for (let from = 0; from < records.length; from += 250)
      tell('devices', { records: records.slice(from, from + 250).map(slim), removed: [] })
    if (next % 4 === 0) tell('fleet', fleet())
  }, 1000 / beatsASecond)

  const advance = setInterval(() => {
    for (const job of jobs.values()) {
      if (job.state !== 'running') continue
      const waiting = job.results.filter(({ state }) => state === 'queued').slice(0, 40)
      for (const result of waiting) {
        result.state = random() < 0.05 ? 'failed' : 'confirmed'
        if (result.state === 'failed') result.reason = 'the device refused: permission denied'
      }
      job.counts = {}
      for (const { state } of job.results) job.counts[state] = (job.counts[state] ?? 0) + 1
      if (!job.counts.queued) job.state = 'done'
      tell('commands', { jobs: [{ ...job, results: [] }] })
    }
  }, 300)

  const history = (metrics: string[], from: string, step: string) => {
    const spanMs = Number.parseInt(from.slice(1), 10) * (from.endsWith('h') ? 3_600_000 : 86_400_000)
    const stepMs = step === '1m' ? 60_000 : step === '5m' ? 300_000 : 3_600_000
    const to = Date.now()
    const at = Array.from({ length: Math.floor(spanMs / stepMs) }, (_, index) => to - spanMs + index * stepMs)
    const { hashrateThs, expectedHashrateThs, powerW } = totalsOf(devices.values())
    const level: Record<string, number | null> = {
      hashrateThs,
      expectedHashrateThs,
      powerW,
      chipTempMaxC: 84,
      boardTempMaxC: 72,
    }
    const wave = (metric: string, index: number) =>
      metric.startsWith('expected')
        ? 1
        : 1 - 0.04 * Math.sin(index / 23) ** 2 - 0.01 * random() - (index % 97 < 5 && index > 97 ? 0.2 : 0)
    const column = (metric: string) =>
      at.map((_, index) => (level[metric] == null ? null : level[metric]! * wave(metric, index)))
    return {
      from: to - spanMs,
      to,
      step,
      at,
      series: Object.fromEntries(metrics.map((metric) => [metric, column(metric)])),
    }
  }

  const submit = (request: CommandRequest): CommandJob => {
    const targets = 'ids' in request.targets ? request.targets.ids : []
    const job: CommandJob = {
      id: `job-${jobs.size + 1}`,
      command: request.command,
      params: request.params ?? {},
      state: 'running',
      dryRun: false,
      by: 'admin',
      createdAt: Date.now(),
      batch: { size: request.batch?.size ?? 10, pauseMs: request.batch?.pauseMs ?? 0 },
      counts: { queued: targets.length },
      powerW: 3400 * targets.length,
      results: targets.map((deviceId) => ({ deviceId, state: 'queued' as const })),
    }
    jobs.set(job.id, job)
    return job
  }

  const session = { id: 'admin', scope: 'admin', sites: null, expiresAt: null }
  const service = (name: string, kind: string, stats: Record<string, number>) => ({
    name,
    kind,
    site: 'north',
    state: 'running',
    ready: true,
    reason: null,
    since: startedAt,
    restarts: 0,
    lastError: null,
    retryAt: null,
    heartbeatAt: Date.now(),
    pid: process.pid,
    version: '0.1.0',
    stats,
  })

  async function api(
    method: string,
    url: URL,
    body: () => Promise<unknown>,
  ): Promise<[status: number, reply: unknown]> {
    const path = url.pathname.replace('/api/v1', '')
    const [, room = '', id = '', part = ''] = path.split('/').map(decodeURIComponent)
    if (room === 'session') {
      const given = method === 'POST' ? ((await body()) as { token?: string }) : {}
      return given.token === 'wrong'
        ? [401, { code: 'UNAUTHENTICATED', detail: 'No valid token or session' }]
        : [method === 'DELETE' ? 204 : 200, session]
    }
    if (room === 'node') return [200, { site: 'north', version: '0.1.0', demo: false, mode: 'single', startedAt }]
    if (room === 'fleet') return [200, fleet()]
    if (room === 'services')
      return [
        200,
        {
          data: [
            service('gateway', 'gateway', { requests: 4211, clients: 1 }),
            ...models.map(({ worker }) => service(worker, 'device-worker', { polls: 81_233, devices: count / 4 })),
          ],
        },
      ]
    if (room === 'history') {
      const { at, series, ...axis } = history(
        url.searchParams.get('metrics')!.split(','),
        url.searchParams.get('from')!,
        url.searchParams.get('step')!,
      )
      return [200, { ...axis, data: [{ key: '', at, series }] }]
    }
    if (room === 'commands') {
      if (method === 'POST' && !id) return [202, submit((await body()) as CommandRequest)]
      const job = jobs.get(id)
      if (id) return job ? [200, job] : [404, { code: 'NOT_FOUND', detail: `there is no command ${id}` }]
      return [200, { data: [...jobs.values()].map((each) => ({ ...each, results: [] })) }]
    }
    if (room === 'devices' && !id) {
      const from = Number(url.searchParams.get('cursor') ?? 0)
      const limit = Number(url.searchParams.get('limit') ?? 100)
      const data = ids.slice(from, from + limit).map((each) => slim(devices.get(each)!))
      return [200, { data, nextCursor: from + limit < ids.length ? String(from + limit) : null, total: ids.length }]
    }
    const record = devices.get(id)
    if (!record) return [404, { code: 'NOT_FOUND', detail: `there is no device ${id}` }]
    if (part === 'history')
      return [
        200,
        history(
          url.searchParams.get('metrics')!.split(','),
          url.searchParams.get('from')!,
          url.searchParams.get('step')!,
        ),
      ]
    if (part === 'events')
      return [
        200,
        { data: [{ at: Date.now() - 60_000, type: 'status', deviceId: id, message: 'starting, then mining' }] },
      ]
    if (part === 'raw')
      return [
        200,
        { id, at: Date.now(), replies: { summary: { STATUS: [{ STATUS: 'S' }], SUMMARY: [{ Elapsed: 4000 }] } } },
      ]
    return [200, record]
  }

  const server = createServer((request, response) => {
    void handle(request, response)
  })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (self.down) {
      response.destroy()
      return
    }
    response.setHeader('content-security-policy', policy)
    if (url.pathname === '/api/v1/stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n')
      streams.add(response)
      response.on('close', () => streams.delete(response))
      return
    }
    if (url.pathname.startsWith('/api/')) {
      const [status, reply] = await api(request.method ?? 'GET', url, async () => {
        let text = ''
        for await (const chunk of request) text += chunk
        return text ? JSON.parse(text) : {}
      })
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(status === 204 ? undefined : JSON.stringify(reply))
      return
    }
    const file = join(pageFolder, url.pathname === '/' ? 'index.html' : url.pathname)
    if (!file.startsWith(pageFolder) || !existsSync(file)) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' })
    createReadStream(file).pipe(response)
  }

  async function close(): Promise<void> {
    clearInterval(beat)
    clearInterval(advance)
    await new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
  }

  let down = false
  Object.defineProperty(self, 'down', {
    get: () => down,
    set(value: boolean) {
      down = value
      if (value) server.closeAllConnections()
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  self.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return self
}

/** As the stream and the list give it when they are asked for the fields of rows. */
function slim({ boards: _boards, fans: _fans, pools: _pools, ...row }: DeviceRecord): object {
  return row
}
