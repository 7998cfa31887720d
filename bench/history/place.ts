/** What the parts of the history's benchmark share: a folder, feeds and their readers, data, and how CPU and stalls are measured. */
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Corestore from 'corestore'
import Hypercore from 'hypercore'
import { type DeviceRecord, silentLog } from '#model'
import { followFeed, openStore, type RemoteReader, type Store } from '#replication'
import { Feeds, logIn, thisBoot, whereIs } from '../../src/replication/feeds.js'
import { type Main, openMain } from '../../src/replication/layout.js'
import { intervalMs, Miner, start } from '../miners.js'

export const folder = mkdtempSync(join(tmpdir(), 'history-bench-'))
export const path = (name: string) => join(folder, name)
export const day = 86_400_000
export const perDay = day / intervalMs
export const worker = { worker: 'wm', site: 'home', intervalMs }
export const kbADay = (bytes: number) => (bytes * perDay) / 1000

/** What is polled in each second when visits are spread evenly. */
export function* seconds(devices: number, count: number): Generator<{ at: number; records: DeviceRecord[] }> {
  const miners = Array.from({ length: devices }, (_, index) => new Miner(index))
  for (let second = 0; second < count; second++) {
    const at = start + second * 1000
    const records: DeviceRecord[] = []
    for (let index = second % 10; index < devices; index += 10) records.push(miners[index]!.read(at))
    yield { at, records }
  }
}

export const pause = () => new Promise<void>((resolve) => setImmediate(resolve))

export async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** CPU that the process has used, us; all its threads. */
export function cpuUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** CPU of the main thread, ms: where the system tells. */
function mainCpuMs(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6
  } catch {
    return cpuUs() / 1000
  }
}

/** Runs a job and answers for how long at most nothing else could, ms: what others took of the processor meanwhile does not count. */
export async function stallIn(job: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let running = true
  let last = performance.now()
  let used = mainCpuMs()
  const look = () => {
    longest = Math.max(longest, Math.min(performance.now() - last, mainCpuMs() - used))
    last = performance.now()
    used = mainCpuMs()
    if (running) setImmediate(look)
  }
  setImmediate(look)
  await job()
  await pause()
  running = false
  return longest
}

export interface Day {
  readonly store: Store
  readonly devices: number
  /** CPU of putting the day together with its roll-ups, us a sample. */
  readonly mergeUs: number
  readonly longestStallMs: number
}

let made: Promise<Day> | undefined

/** A day of ten devices that is put together: made once. */
export function aDay(): Promise<Day> {
  made ??= makeDay('day', 10, false)
  return made
}

/** A day of some devices at 10 s that is put together, and the beginning of the next one. `looking`: stalls are looked for, which costs. */
export async function makeDay(name: string, devices: number, looking: boolean): Promise<Day> {
  const store = await openStore({ path: path(name), ...worker, limits: { mergeLeast: 1 } })
  const miners = Array.from({ length: devices }, (_, index) => new Miner(index))
  const idle: number[] = []
  const merging: number[] = []
  let longestStallMs = 0
  for (let at = start; at < start + day + 3_700_000 || !store.stats().mergedVolumes; at += intervalMs) {
    const records = miners.map((miner) => miner.read(at))
    const all = async () => {
      await store.append({ at, records })
      // The next call waits for what follows an append; a day is put together beside it.
      await store.append({ at: 0, records: [] })
      while (store.stats().merging) await pause()
    }
    const { foldedSegments = 0, mergedVolumes } = store.stats()
    const before = cpuUs()
    if (looking && foldedSegments >= 23) longestStallMs = Math.max(longestStallMs, await stallIn(all))
    else await all()
    ;(foldedSegments >= 24 && !mergedVolumes ? merging : idle).push(cpuUs() - before)
  }
  return { store, devices, longestStallMs, mergeUs: beyond(merging, idle) / (perDay * devices) }
}

/** What some ticks cost more than as many idle ones. */
export function beyond(ticks: readonly number[], idle: readonly number[]): number {
  const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0)
  return sum(ticks) - (ticks.length * sum(idle)) / idle.length
}

/** Over which a writer and a reader in this process meet. */
export function connect(store: Store, reader: RemoteReader): void {
  const [one, other] = pipes()
  store.replicate(one)
  reader.attach(other)
}

export function pipes() {
  const ends = [Hypercore.createProtocolStream(true), Hypercore.createProtocolStream(false)] as const
  for (const end of ends) end.on('error', () => undefined)
  ends[0].pipe(ends[1]).pipe(ends[0])
  return ends
}

export function follow(name: string, store: Store, keep: 'live' | 'all'): Promise<RemoteReader> {
  return followFeed({ path: path(name), feed: store.feed, ...worker, keep, log: silentLog })
}

/** Writes into a store's folder what a feed would hold after a long time, which would take as long to come about. */
export async function handmade(
  name: string,
  write: (main: Main, log: (name: string) => Hypercore) => Promise<void>,
): Promise<void> {
  const store = await openStore({ path: path(name), ...worker })
  await store.close()
  const cores = new Corestore(path(name))
  const feeds = await Feeds.open(cores, { boot: await thisBoot(), place: await whereIs(path(name)) })
  const log = (name: string) => logIn(cores, feeds.current, name)
  const main = openMain(log('main'))
  await write(main, log)
  await main.close()
  await feeds.close()
  await cores.close()
}
