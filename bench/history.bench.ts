/**
 * The history of a worker's feed: what a sample takes, what it costs, how fast it is seen and read elsewhere. Times are CPU times where they
 * can be; ratios are of one run. `node --expose-gc` shows memory more exactly.
 */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Corestore from 'corestore'
import Hypercore from 'hypercore'
import { type DeviceRecord, type Metric, silentLog } from '#model'
import {
  type FeedKeys,
  fleetView,
  followFeed,
  openStore,
  type Reader,
  type RemoteReader,
  type Store,
} from '#replication'
import { chunkOf, encodeChunk } from '../src/replication/chunk.js'
import { Crowd } from '../src/replication/crowd.js'
import type { Day } from '../src/replication/directory.js'
import { Feeds, logIn, thisBoot, whereIs } from '../src/replication/feeds.js'
import { keys, openMain, putAll } from '../src/replication/layout.js'
import { rowOf } from '../src/replication/shape.js'
import { Stream } from '../src/replication/stream.js'
import { atOnce } from '../src/replication/turns.js'
import { openTable } from '../src/replication/volumes.js'
import { floorBits } from './entropy.js'
import { idOf, intervalMs, Miner, start } from './miners.js'
import { median, report } from './report.js'

const folder = mkdtempSync(join(tmpdir(), 'history-bench-'))
const path = (name: string) => join(folder, name)
const day = 86_400_000
const perDay = day / intervalMs
const worker = { worker: 'wm', site: 'home', intervalMs }
const kbADay = (bytes: number) => (bytes * perDay) / 1000

const parts: Record<string, () => Promise<void>> = {
  size: () => sizes(100, 3),
  cost: () => cost(10_000, 60),
  latency: () => latency(16, 20),
  cold: () => cold(10),
  group: () => group(10_000, 30),
  'catch-up': () => catchUp(100),
  fleet: () => fleet(10_000),
}
/** Some of them alone: `npm run bench history size cold`. */
const asked = process.argv.slice(2).filter((name) => Object.hasOwn(parts, name))
for (const name of asked.length > 0 ? asked : Object.keys(parts)) await parts[name]!()
rmSync(folder, { recursive: true, force: true })

/** What is polled in each second when visits are spread evenly. */
function* seconds(devices: number, count: number): Generator<{ at: number; records: DeviceRecord[] }> {
  const miners = Array.from({ length: devices }, (_, index) => new Miner(index))
  for (let second = 0; second < count; second++) {
    const at = start + second * 1000
    const records: DeviceRecord[] = []
    for (let index = second % 10; index < devices; index += 10) records.push(miners[index]!.read(at))
    yield { at, records }
  }
}

/** Frames of some devices; then a day of a few, until it is put together. */
async function sizes(devices: number, hours: number) {
  const store = await openStore({ path: path('sizes'), ...worker })
  for (const tick of seconds(devices, hours * 3600)) await store.append(tick)
  const { samples = 0, frameBytes = 0 } = store.stats()
  await store.close()
  const few = 10
  const merged = await dayOf(path('sizes-day'), few)
  const { rawDayBytes = 0, minuteBytes = 0, fiveMinuteBytes = 0, hourBytes = 0, rawBytes = 0 } = merged.stats()
  await merged.close()
  const floor = floorBits(
    Array.from({ length: few }, (_, index) => new Miner(index)),
    2000,
  )
  const kb = (bytes: number) => bytes / few / 1000
  report(
    'history-size',
    {
      devices,
      columns: floor.columns,
      floorKbADay: kbADay(floor.bits / 8),
      framesFloorKbADay: kbADay(floor.framesBits / 8),
      bytesASampleInFrames: frameBytes / samples,
      hourlyChunksKbADay: (kb(rawBytes) * 24) / 25,
      kbADay1m: kb(minuteBytes),
      kbADay5m: kb(fiveMinuteBytes),
      kbADay1h: kb(hourBytes),
      chunksOverFloor: kb(rawDayBytes) / kbADay(floor.bits / 8),
    },
    {
      framesKbADay: { value: kbADay(frameBytes / samples), goal: 150 },
      chunksKbADay: { value: kb(rawDayBytes), goal: 60 },
    },
  )
}

let longestInMerge = 0

/** A store with a day of some devices at 10 s that is put together, and the beginning of the next one. */
async function dayOf(path: string, devices: number): Promise<Store> {
  const store = await openStore({ path, ...worker, limits: { mergeLeast: 1 } })
  const miners = Array.from({ length: devices }, (_, index) => new Miner(index))
  for (let at = start; at < start + day + 3_700_000 || !store.stats().mergedVolumes; at += intervalMs) {
    const records = miners.map((miner) => miner.read(at))
    // The work that goes on beside the appends: chunks of the last hour, and the day.
    if (at >= start + day) longestInMerge = Math.max(longestInMerge, await stallIn(() => store.append({ at, records })))
    else await store.append({ at, records })
  }
  return store
}

/**
 * A tick a second of a tenth of the devices, as in the middle of an hour: every device is known. What packing a finished hour costs is measured
 * by itself and added: it is spread over the next hour.
 */
async function cost(devices: number, count: number) {
  const store = await openStore({ path: path('cost'), ...worker })
  const cores = new Corestore(path('bare'))
  const bare = cores.get({ name: 'bare' })
  await bare.ready()
  const known = 20
  let stall = 0
  let cpuUs = 0
  let bytes = 0
  let index = 0
  const ours: number[] = []
  const writes: number[] = []
  let written = 0
  const bares: number[] = []
  for (const tick of seconds(devices, known + count)) {
    const before = process.cpuUsage()
    const began = performance.now()
    const blocked = await stallIn(() => store.append(tick))
    const took = performance.now() - began
    const used = process.cpuUsage(before)
    const { frameBytes = 0, writeMs = 0 } = store.stats()
    const block = Buffer.alloc(frameBytes - bytes, index)
    bytes = frameBytes
    if (index++ < known) {
      written = writeMs
      continue
    }
    cpuUs += used.user + used.system
    stall = Math.max(stall, blocked)
    ours.push(took)
    writes.push(writeMs - written)
    written = writeMs
    const from = performance.now()
    await bare.append(block)
    bares.push(performance.now() - from)
  }
  const { memoryBytes = 0 } = store.stats()
  await store.close()
  await bare.close()
  await cores.close()
  const appendUs = cpuUs / ((count * devices) / 10)
  const packUs = packing(20)
  report(
    'history-cost',
    {
      devices,
      appendCpuUsASample: appendUs,
      packCpuUsASample: packUs,
      appendMs: median(ours),
      bareAppendMs: median(bares),
      memoryBytesASample: memoryBytes / (((known + count) * devices) / 10),
    },
    {
      shareOfACore: { value: ((appendUs + packUs) * devices * 1000) / intervalMs / 1e6, goal: 0.1 },
      longestStallMs: { value: stall, goal: 50 },
      writeOverBare: { value: median(writes) / median(bares), goal: 1.5 },
    },
  )
}

/** CPU of making the chunks of an hour, us a sample. */
function packing(devices: number): number {
  let cpuUs = 0
  let samples = 0
  for (let device = 0; device < devices; device++) {
    const miner = new Miner(device)
    const stream = new Stream()
    for (let at = start; at < start + 3_600_000; at += intervalMs) {
      const record = miner.read(at)
      stream.push(record.at!, rowOf(record))
    }
    const before = process.cpuUsage()
    chunkOf(stream)
    const used = process.cpuUsage(before)
    if (device < 3) continue
    cpuUs += used.user + used.system
    samples += stream.count
  }
  return cpuUs / samples
}

/** Runs a job and answers for how long at most nothing else could: what others took of the processor meanwhile does not count. */
async function stallIn(job: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let running = true
  let last = performance.now()
  let used = process.cpuUsage()
  const look = () => {
    const now = performance.now()
    const { user, system } = process.cpuUsage(used)
    longest = Math.max(longest, Math.min(now - last, (user + system) / 1000))
    last = now
    used = process.cpuUsage()
    if (running) setImmediate(look)
  }
  setImmediate(look)
  await job()
  running = false
  return longest
}

function connect(store: Store, reader: RemoteReader): void {
  const ends = [Hypercore.createProtocolStream(true), Hypercore.createProtocolStream(false)] as const
  for (const end of ends) end.on('error', () => undefined)
  ends[0].pipe(ends[1]).pipe(ends[0])
  store.replicate(ends[0])
  reader.attach(ends[1])
}

function follow(name: string, store: Store, keep: 'live' | 'all'): Promise<RemoteReader> {
  return followFeed({ path: path(name), feed: store.feed, ...worker, keep, log: silentLog })
}

/** From the append of each worker to its reader's listener, all in this process. */
async function latency(workers: number, ticks: number) {
  const pairs = await Promise.all(
    Array.from({ length: workers }, async (_, index) => {
      const store = await openStore({ path: path(`writer-${index}`), ...worker, worker: `wm-${index}` })
      const reader = await follow(`reader-${index}`, store, 'live')
      connect(store, reader)
      return { store, reader, miner: new Miner(index) }
    }),
  )
  const seen: number[] = []
  for (let tick = 0; tick < ticks; tick++) {
    await Promise.all(
      pairs.map(async ({ store, reader, miner }) => {
        const record = miner.read(start + tick * intervalMs)
        const began = performance.now()
        const heard = new Promise<void>((resolve) => {
          const stop = reader.watch(({ records }) => {
            if (!records.some(({ at }) => at === record.at)) return
            stop()
            resolve()
          })
        })
        await store.append({ at: record.at!, records: [record] })
        await heard
        if (tick > 0) seen.push(performance.now() - began)
      }),
    )
  }
  for (const { store, reader } of pairs) {
    await reader.close()
    await store.close()
  }
  const sorted = seen.sort((a, b) => a - b)
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
  report('history-latency', { workers, p50Ms: median(sorted) }, { p99Ms: { value: p99, goal: 500 } })
}

/** A day of some devices at 10 s: each is read by its store, and by a reader that has nothing of it yet. */
async function cold(devices: number) {
  const store = await dayOf(path('cold'), devices)
  const read = async (reader: Reader, device: number) => {
    const began = performance.now()
    const { at } = await reader.history({
      deviceId: idOf(device),
      metrics: ['hashrateThs', 'powerW', 'chipTempMaxC'],
      from: start,
      to: start + day,
      step: 'raw',
    })
    if (at.length < day / intervalMs) throw new Error(`only ${at.length} samples are there`)
    return performance.now() - began
  }
  const local: number[] = []
  for (let device = 0; device < devices; device++) local.push(await read(store, device))
  const reader = await follow('cold-reader', store, 'live')
  connect(store, reader)
  while (reader.records().length < devices || reader.lag().behind > 0)
    await new Promise((resolve) => setTimeout(resolve, 20))
  const firstMs = await read(reader, 0)
  const { get } = Hypercore.prototype
  let blocks = 0
  Hypercore.prototype.get = function (...args: Parameters<typeof get>) {
    blocks++
    return get.apply(this, args)
  }
  await read(reader, 1)
  Hypercore.prototype.get = get
  const remote: number[] = []
  for (let device = 2; device < devices; device++) remote.push(await read(reader, device))
  await reader.close()
  await store.close()
  report(
    'history-cold',
    { firstRemoteMs: firstMs },
    {
      remoteDayMs: { value: median(remote), goal: 50 },
      localDayMs: { value: median(local), goal: 20 },
      blocks: { value: blocks, goal: 10 },
      longestStallInMergeMs: { value: longestInMerge, goal: 50 },
    },
  )
}

/**
 * Thirty days of what so many devices make together, read at 1 h. What a day of them leaves is made once and stands there for each day: the
 * days themselves would take as long as they are.
 */
async function group(devices: number, days: number) {
  const first = start - (start % day)
  const miner = new Miner(0)
  const crowd = new Crowd((id) => ({ kind: 'miner', model: 'M50', container: `c${id.length}` }))
  for (let at = first; at < first + day; at += 300_000) {
    const { metrics } = miner.read(at)
    const said = Object.entries(metrics).map(([metric, value]) => ({
      metric: metric as Metric,
      value: value!,
      count: 30,
    }))
    for (let device = 0; device < devices; device++) crowd.addInterval(idOf(device), at, 30, said)
  }
  const tables = atOnce(crowd.tables())
  const folder = path('group')
  const store = await openStore({ path: folder, ...worker })
  await store.close()
  const cores = new Corestore(folder)
  const feeds = await Feeds.open(cores, { boot: await thisBoot(), place: await whereIs(folder) })
  const main = openMain(logIn(cores, feeds.current, 'main'))
  const hours = openTable(logIn(cores, feeds.current, 'hours-0'))
  await hours.ready()
  for (let volume = 0; volume < days; volume++) {
    const puts = tables.map(({ name: { by, kind, key }, samples: { at, columns } }): [string, Uint8Array] => [
      keys.crowd(by, kind, key, volume),
      encodeChunk({ at: at.map((time) => time + volume * day), columns }),
    ])
    await putAll(hours, puts)
    const bytes = { raw: 0, '1m': 0, '5m': 0, '1h': 0 }
    const from = first + volume * day
    const entry: Day = { volume, from, to: from + day - 1, devices, bytes, hours: hours.core.length }
    await putAll(main, [[keys.day(volume), entry]])
  }
  const key = Buffer.from(hours.core.key).toString('hex')
  await putAll(main, [[keys.log('hours-0'), { key }]])
  await hours.close()
  await main.close()
  await feeds.close()
  await cores.close()
  const again = await openStore({ path: folder, ...worker })
  const view = fleetView({ readers: () => [again] })
  const times: number[] = []
  for (let round = 0; round < 5; round++) {
    const began = performance.now()
    const query = { metrics: ['hashrateThs'] as const, from: first, to: first + days * day, step: '1h' as const }
    const [all] = await view.groupHistory(query)
    times.push(performance.now() - began)
    const known = all?.series.series.hashrateThs?.filter((value) => value !== null).length
    if (known !== days * 24) throw new Error(`only ${known} hours are there`)
  }
  view.close()
  await again.close()
  report('history-group', { devices, days, firstMs: times[0]! }, { hoursMs: { value: median(times), goal: 150 } })
}

/** All of a feed to a reader that is new, against a bare log of as many bytes. */
async function catchUp(devices: number) {
  const store = await openStore({ path: path('catch-up'), ...worker })
  for (const tick of seconds(devices, 7200)) await store.append(tick)
  const { frameBytes = 0, rawBytes = 0, journalBlocks = 1 } = store.stats()
  const reader = await follow('catch-up-reader', store, 'all')
  const began = performance.now()
  connect(store, reader)
  while (reader.records().length < devices || reader.lag().behind > 0)
    await new Promise((resolve) => setTimeout(resolve, 5))
  const took = performance.now() - began
  await reader.close()
  await store.close()
  const mb = (frameBytes + rawBytes) / 1e6
  const bareS = await bareCatchUp(frameBytes + rawBytes, Math.ceil(frameBytes / journalBlocks))
  report('history-catch-up', {
    devices,
    hours: 2,
    mb,
    seconds: took / 1000,
    mbPerS: (1000 * mb) / took,
    bareMbPerS: mb / bareS,
    overBare: took / 1000 / bareS,
  })
}

/** A bare log of as many bytes in blocks of this size, from one store to another, s. */
async function bareCatchUp(bytes: number, block: number): Promise<number> {
  const [from, to] = [new Corestore(path('bare-from')), new Corestore(path('bare-to'))]
  const log = from.get({ name: 'log' })
  await log.ready()
  const blocks = Array.from({ length: Math.ceil(bytes / block) }, (_, index) => Buffer.alloc(block, index))
  await log.append(blocks)
  const copy = to.get({ key: log.key })
  await copy.ready()
  const ends = [Hypercore.createProtocolStream(true), Hypercore.createProtocolStream(false)] as const
  for (const end of ends) end.on('error', () => undefined)
  const began = performance.now()
  ends[0].pipe(ends[1]).pipe(ends[0])
  log.replicate(ends[0])
  copy.replicate(ends[1])
  copy.download({ start: 0, end: -1 })
  while (copy.contiguousLength < blocks.length) await new Promise((resolve) => setTimeout(resolve, 5))
  const took = (performance.now() - began) / 1000
  await from.close()
  await to.close()
  return took
}

/** Totals and the first page over a feed that another process writes, as a gateway serves them; its memory after some minutes of ticks. */
async function fleet(devices: number) {
  const seconds = 300
  const feeder = fork(new URL('feeder.ts', import.meta.url), [path('fleet'), String(devices), String(seconds)])
  const said = () => new Promise<Record<string, unknown>>((resolve) => feeder.once('message', resolve))
  const { feed, port } = (await said()) as { feed: FeedKeys; port: number }
  const reader = await followFeed({ path: path('fleet-reader'), feed, ...worker, log: silentLog })
  const socket = createConnection(port, '127.0.0.1')
  const stream = Hypercore.createProtocolStream(true)
  for (const each of [stream, socket]) each.on('error', () => undefined)
  socket.pipe(stream).pipe(socket)
  reader.attach(stream)
  const clock = { now: () => start + seconds * 1000, hr: () => performance.now(), after: () => () => {} }
  const view = fleetView({ readers: () => [reader] }, { clock })
  const done = said()
  feeder.send('go')
  await done
  while (reader.records().length < devices || (reader.lag().at ?? 0) < start + (seconds - 1) * 1000)
    await new Promise((resolve) => setTimeout(resolve, 20))
  const ask = () => {
    const began = performance.now()
    view.totals()
    view.devices({ sort: '-hashrateThs', limit: 100 })
    return performance.now() - began
  }
  const firstMs = ask()
  const warm = Array.from({ length: 30 }, ask)
  globalThis.gc?.()
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage()
  view.close()
  await reader.close()
  feeder.disconnect()
  report(
    'history-fleet',
    { devices, seconds, firstMs, heapMb: heapUsed / 1e6, buffersMb: arrayBuffers / 1e6 },
    { warmMs: { value: median(warm), goal: 20 }, gatewayMb: { value: rss / 1e6, goal: 300 } },
  )
}
