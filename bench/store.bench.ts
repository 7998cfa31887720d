/**
 * A worker's history: what a stored sample costs in CPU and on disk, and how fast history and the fleet are read. Beside it, in the same
 * run: a bare hypercore that appends the same blocks.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Corestore from 'corestore'
import type { DeviceRecord, Metric } from '#model'
import { fleetView, openStore, type Store } from '#replication'
import { median, report } from './report.js'

const start = 1_800_000_000_000
const intervalMs = 10_000
const folder = mkdtempSync(join(tmpdir(), 'store-bench-'))
let seed = 7
/** Hashrate means of each device as its firmware would keep them: seconds to the mean. */
const windows = { hashrate1mThs: 60, hashrate5mThs: 300, hashrate15mThs: 900, hashrateAvgThs: 86_400 } as const
const means = new Map<number, Record<keyof typeof windows, number>>()

await appending(1000, 20)
await reading(20)
await fleet(10_000)
rmSync(folder, { recursive: true, force: true })

/** 1,000 devices, a tick a second; segments are shorter than usual, so that some are packed meanwhile. */
async function appending(devices: number, minutes: number) {
  const segmentMs = 480_000
  const ticks = minutes * 60
  const store = await openStore({
    path: join(folder, 'append'),
    worker: 'wm',
    site: 'home',
    intervalMs,
    limits: { segmentMs },
  })
  const cores = new Corestore(join(folder, 'bare'))
  const bare = cores.get({ name: 'bare' })
  await bare.ready()
  let cpuUs = 0
  let slowestMs = 0
  const ours: number[] = []
  const bares: number[] = []
  let bytes = 0
  for (let tick = 0; tick < ticks; tick++) {
    const at = start + tick * 1000
    const records = Array.from({ length: devices / 10 }, (_, index) =>
      whatsminer((tick % 10) * (devices / 10) + index, at),
    )
    const before = { cpu: process.cpuUsage(), at: performance.now() }
    await store.append({ at, records })
    ours.push(performance.now() - before.at)
    // The packing that follows an append belongs to its cost: the next call of the store waits for it.
    await store.append({ at, records: [] })
    slowestMs = Math.max(slowestMs, performance.now() - before.at)
    const used = process.cpuUsage(before.cpu)
    cpuUs += used.user + used.system
    const { frameBytes = 0 } = store.stats()
    const block = Buffer.alloc(frameBytes - bytes, tick)
    bytes = frameBytes
    const began = performance.now()
    await bare.append(block)
    bares.push(performance.now() - began)
  }
  const { samples = 0, frameBytes = 0, rawBytes = 0, rollupBytes = 0, packedSamples = 0, diskBytes = 0 } = store.stats()
  await store.close()
  await bare.close()
  await cores.close()
  const perDay = 86_400_000 / intervalMs
  report(
    'store-append',
    {
      samples,
      frameBytesPerSample: frameBytes / samples,
      chunkBytesPerSample: rawBytes / packedSamples,
      frameKbPerMinerDay: ((frameBytes / samples) * perDay) / 1000,
      chunkKbPerMinerDay: ((rawBytes / packedSamples) * perDay) / 1000,
      rollupBytesPerSample: rollupBytes / packedSamples,
      diskBytesPerSample: diskBytes / samples,
      appendMs: median(ours),
      bareAppendMs: median(bares),
      appendOverBare: median(ours) / median(bares),
      slowestMs,
      rssMb: process.memoryUsage.rss() / 1e6,
    },
    {
      cpuMsPerSample: { value: cpuUs / 1000 / samples, goal: 0.05 },
    },
  )
}

/** A day of some devices at 10 s; one of them is read, cold and warm. */
async function reading(devices: number) {
  const options = { path: join(folder, 'read'), worker: 'wm', site: 'home', intervalMs }
  const day = 86_400_000
  let store: Store = await openStore(options)
  for (let at = start; at < start + day; at += intervalMs) {
    const records = Array.from({ length: devices }, (_, index) => whatsminer(index, at + index))
    await store.append({ at, records })
  }
  await store.close()
  const began = performance.now()
  store = await openStore(options)
  const openMs = performance.now() - began
  const read = async (device: number, step: 'raw' | '5m' | '1h', metrics: readonly Metric[]) => {
    const from = performance.now()
    const { at } = await store.history({ deviceId: id(device), metrics, from: start, to: start + day, step })
    if (at.length < day / 3_600_000) throw new Error('the history is not there')
    return performance.now() - from
  }
  const three = ['hashrateThs', 'powerW', 'chipTempMaxC'] as const
  const firstMs = await read(0, 'raw', three)
  const cold: number[] = []
  for (let device = 1; device < devices; device++) cold.push(await read(device, 'raw', three))
  const warm: number[] = []
  for (let round = 0; round < 15; round++) warm.push(await read(3, 'raw', three))
  const steps = { fiveMinutesMs: await read(3, '5m', ['hashrateThs']), hoursMs: await read(3, '1h', ['hashrateThs']) }
  await store.close()
  report(
    'store-read',
    { openMs, firstMs, ...steps },
    { dayColdMs: { value: median(cold), goal: 50 }, dayWarmMs: { value: median(warm), goal: 20 } },
  )
}

/** Totals and the first page of 10,000 devices: when nothing changed, and after a tick of 1,000 of them. */
async function fleet(devices: number) {
  const store = await openStore({ path: join(folder, 'fleet'), worker: 'wm', site: 'home', intervalMs })
  const clock = { now: () => start, hr: () => performance.now(), after: () => () => {} }
  const view = fleetView({ readers: () => [store] }, { clock })
  for (let from = 0; from < devices; from += 1000) await store.append({ at: start, records: some(from, 1000, start) })
  const ask = (sort: string) => {
    const began = performance.now()
    view.totals()
    view.devices({ sort, limit: 100 })
    return performance.now() - began
  }
  const firstMs = ask('-hashrateThs')
  const warm: number[] = []
  const changed: number[] = []
  for (let round = 1; round <= 30; round++) {
    await store.append({ at: start + round, records: some((round % 10) * 1000, 1000, start + round) })
    changed.push(ask('-hashrateThs'))
    warm.push(ask('-hashrateThs'))
  }
  view.close()
  await store.close()
  report(
    'store-fleet',
    { firstMs, afterTickMs: median(changed) },
    { warmMs: { value: median(warm), goal: 20 }, afterTickMs: { value: median(changed), goal: 20 } },
  )
}

function some(from: number, count: number, at: number): DeviceRecord[] {
  return Array.from({ length: count }, (_, index) => whatsminer(from + index, at))
}

function id(index: number): string {
  return `home.wm-m56s.10.0.${index >> 8}.${index & 255}`
}

/** A Whatsminer with three boards: noise around its set point, every field at the resolution its protocol gives. */
function whatsminer(index: number, at: number): DeviceRecord {
  const seconds = Math.floor((at - start) / 1000)
  const hashrate5sThs = fixed(205 + (index % 7) + noise(5), 2)
  const hashrateThs = fixed(205 + (index % 7) + noise(2.5), 2)
  const powerW = Math.round(5500 + noise(30))
  return {
    id: id(index),
    kind: 'miner',
    make: 'MicroBT',
    model: 'M56S',
    variant: 'VH30',
    firmware: { family: 'stock', version: '20230911.12.Rel' },
    site: 'home',
    worker: 'wm-m56s',
    address: `10.0.${index >> 8}.${index & 255}:4028`,
    mac: `C4:11:04:00:${index >> 8}:${index & 255}`,
    tags: ['row-a'],
    location: { container: 'c1', rack: index >> 4, slot: index & 15 },
    simulated: true,
    status: 'mining',
    health: 'ok',
    at,
    askedAt: at,
    latencyMs: Math.round(14 + noise(6)),
    metrics: {
      hashrateThs,
      hashrate5sThs,
      ...meansOf(index, hashrate5sThs),
      expectedHashrateThs: 212,
      nominalHashrateThs: 212,
      powerW,
      powerLimitW: 5600,
      efficiencyJTh: fixed(powerW / hashrateThs, 2),
      psuInputVoltageV: fixed(230 + noise(1), 1),
      ambientTempC: fixed(25 + noise(0.3), 1),
      boardTempMaxC: fixed(71 + noise(0.5), 1),
      chipTempMaxC: fixed(84 + noise(0.7), 1),
      chipTempAvgC: fixed(78 + noise(0.3), 1),
      chipTempMinC: fixed(70 + noise(0.5), 1),
      fanMaxRpm: 30 * Math.round((5900 + noise(60)) / 30),
      frequencyMhz: Math.round(610 + noise(2)),
      uptimeS: seconds + index,
      acceptedShares: Math.floor(seconds / 9) + index,
      rejectedShares: Math.floor(seconds / 4000),
      poolRejectPct: 0.02,
    },
    boards: [0, 1, 2].map((slot) => ({
      slot,
      status: 'ok',
      hashrateThs: fixed(hashrateThs / 3 + noise(1), 2),
      chips: 222,
      frequencyMhz: 610,
      boardTempC: fixed(71 + noise(0.5), 1),
      chipTempMaxC: fixed(84 + noise(0.7), 1),
    })),
    fans: [0, 1].map((each) => ({ index: each, rpm: 30 * Math.round((5900 + noise(60)) / 30), status: 'ok' })),
    pools: [
      {
        index: 0,
        url: 'stratum+tcp://pool.example:3333',
        user: 'site.worker',
        active: true,
        alive: true,
        accepted: seconds,
      },
    ],
    errors: [],
    missing: {},
    capabilities: ['reboot', 'setPools', 'setPowerMode', 'setLed'],
  }
}

function meansOf(index: number, rate: number): Record<keyof typeof windows, number> {
  const known = means.get(index) ?? {
    hashrate1mThs: rate,
    hashrate5mThs: rate,
    hashrate15mThs: rate,
    hashrateAvgThs: rate,
  }
  means.set(index, known)
  const shown = { ...known }
  for (const name of Object.keys(windows) as (keyof typeof windows)[]) {
    known[name] += (rate - known[name]) * (intervalMs / 1000 / windows[name])
    shown[name] = fixed(known[name], 2)
  }
  return shown
}

function fixed(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

/** About normal, the same in every run. */
function noise(spread: number): number {
  let sum = 0
  for (let index = 0; index < 4; index++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    sum += seed / 2 ** 32 - 0.5
  }
  return sum * spread
}
