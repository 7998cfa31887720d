import { silentLog } from '#model'
import { openStore } from '#replication'
import { openCores } from '../../src/replication/cores.js'
import { intervalMs, Miner, start } from '../miners.js'
import { median, report } from '../report.js'
import { aDay, beyond, cpuUs, makeDay, path, seconds, stallIn, worker } from './place.js'

/**
 * A tick a second of a tenth of the devices, as in the middle of an hour: every device is known. Chunks, roll-ups and putting a day together
 * come on top: what they cost a sample is measured over a whole day of a few devices.
 *
 * Beside it a bare hypercore in a store that is opened alike: in each tick one append of one block of as many bytes, which like ours resolves
 * when the write is in RocksDB's log, without an fsync. They take turns in being first.
 */
export async function cost(devices: number, count: number) {
  const store = await openStore({ path: path('cost'), ...worker })
  const cores = await openCores(path('bare'), silentLog)
  const bare = cores.get({ name: 'bare' })
  await bare.ready()
  const known = 20
  const [cpu, writes, bares]: number[][] = [[], [], []]
  let [index, bytes, written, last] = [0, 0, 0, 0]
  for (const tick of seconds(devices, known + count)) {
    const bareFirst = index % 2 === 0 ? await timed(() => bare.append(Buffer.alloc(bytes, index))) : undefined
    const before = cpuUs()
    await store.append(tick)
    // What follows an append is over when the next one begins.
    await store.append({ at: 0, records: [] })
    const used = cpuUs() - before
    const { frameBytes = 0, writeMs = 0 } = store.stats()
    const size = frameBytes - last
    const bareMs = bareFirst ?? (await timed(() => bare.append(Buffer.alloc(size, index))))
    if (index++ >= known) {
      cpu!.push(used)
      writes!.push(writeMs - written)
      bares!.push(bareMs)
    }
    ;[bytes, written, last] = [size, writeMs, frameBytes]
  }
  const { memoryBytes = 0 } = store.stats()
  await store.close()
  await bare.close()
  await cores.close()
  const samples = devices / 10
  const appendUs = cpu!.reduce((sum, each) => sum + each, 0) / (count * samples)
  const packUs = await packing(100)
  const { mergeUs } = await aDay()
  report(
    'history-cost',
    {
      devices,
      appendCpuUsASample: appendUs,
      packCpuUsASample: packUs,
      mergeCpuUsASample: mergeUs,
      writeMs: median(writes!),
      bareAppendMs: median(bares!),
      memoryBytesASample: memoryBytes / ((known + count) * samples),
    },
    {
      shareOfACore: { value: ((appendUs + packUs + mergeUs) * devices * 1000) / intervalMs / 1e6, goal: 0.1 },
      writeOverBare: { value: median(writes!) / median(bares!), goal: 1.5 },
    },
  )
}

/** CPU of making the chunks of an hour, us a sample: of the second hour, for the program has to become quick first. */
async function packing(devices: number): Promise<number> {
  const store = await openStore({ path: path('packing'), ...worker })
  const miners = Array.from({ length: devices }, (_, index) => new Miner(index))
  const hour = 3_600_000 / intervalMs
  const [idle, packed]: [number[], number[]] = [[], []]
  for (let tick = 0; tick < 2 * hour + 20; tick++) {
    const at = start + tick * intervalMs
    const records = miners.map((miner) => miner.read(at))
    const before = cpuUs()
    await store.append({ at, records })
    await store.append({ at, records: [] })
    if (tick > hour + 20) (tick < 2 * hour ? idle : packed).push(cpuUs() - before)
  }
  const { foldedSegments } = store.stats()
  await store.close()
  if (foldedSegments !== 2) throw new Error(`${foldedSegments} hours were packed`)
  return beyond(packed, idle) / (hour * devices)
}

async function timed(job: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await job()
  return performance.now() - began
}

/**
 * The longest stalls: in ticks of a thousand devices, while a segment of ten times as many becomes chunks; and while the last hour and the day
 * of a few are put together, whose chunks are as long as they come.
 */
export async function stalls(devices: number) {
  const store = await openStore({ path: path('stalls'), ...worker, limits: { segmentMs: 600_000 } })
  const miners = Array.from({ length: devices }, (_, index) => new Miner(index))
  let [inAppend, inFold] = [0, 0]
  for (let tick = 0; tick < 125; tick++) {
    const at = start + tick * 10_000
    const records = miners.filter((_, index) => index % 10 === tick % 10).map((miner) => miner.read(at))
    if (tick < 60) {
      inAppend = Math.max(inAppend, await stallIn(() => store.append({ at, records })))
      continue
    }
    const all = async () => {
      await store.append({ at, records })
      await store.append({ at, records: [] })
    }
    inFold = Math.max(inFold, await stallIn(all))
  }
  const { foldedSegments = 0 } = store.stats()
  await store.close()
  if (foldedSegments === 0) throw new Error('no segment was packed')
  const { store: other, longestStallMs } = await makeDay('stalls-day', 3, true)
  await other.close()
  report(
    'history-stalls',
    { devices },
    {
      inAppendOf1000Ms: { value: inAppend, goal: 50 },
      whilePackingMs: { value: inFold, goal: 50 },
      whileMergingMs: { value: longestStallMs, goal: 50 },
    },
  )
}
