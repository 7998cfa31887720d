import type { Duplex } from 'node:stream'
import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import {
  type Clock,
  type DeviceEntry,
  type DeviceRecord,
  type Log,
  SdkError,
  silentLog,
  sleep,
  systemClock,
} from '#model'
import { openCores } from './cores.js'
import { Directory } from './directory.js'
import { heritageOf } from './earlier.js'
import { begunFrom, feedsIn, goOnFrom, isBegun, whereIs } from './feeds.js'
import { followFeed, maxEarlier } from './follow.js'
import { keys, openMain, storeError } from './layout.js'
import type { FeedKeys, RemoteReader } from './types.js'

export interface RefetchOptions {
  /** A new folder, or one in which this was begun. */
  readonly path: string
  /** What was lost. */
  readonly feed: FeedKeys
  readonly worker: string
  readonly site: string
  readonly intervalMs: number
  readonly clock?: Clock
  readonly log?: Log
  /** Peers have shown what they have when nothing more has come for so long, ms; default 5 s. */
  readonly quietMs?: number
}

/** How far it is. */
export interface Refetching {
  readonly peers: number
  readonly devices: number
  /** Blocks that are here, and those that a connected peer has and that are not here. */
  readonly here: number
  readonly coming: number
}

export interface Refetched {
  readonly devices: number
  /** Of the inventory: as it was; or, if nobody has it, made of the last records of the devices (address, name, place). */
  readonly entries: number
  readonly rebuilt: number
  /** The newest word, ms; null: there is none, or it is not known. */
  readonly newestAt: number | null
}

export interface Refetch {
  attach(stream: Duplex): void
  /** Resolves when all is here that connected peers have; then a store that is opened here goes on from it in a feed of its own. */
  finish(signal: AbortSignal, tell?: (progress: Refetching) => void): Promise<Refetched>
  close(): Promise<void>
}

const lookMs = 250
const defaultQuietMs = 5000

/** Fetches a feed whose folder was lost or damaged back from peers that hold it. Throws CONFLICT for a folder in which a store was opened. */
export async function refetchFeed(options: RefetchOptions): Promise<Refetch> {
  const { path, feed, worker, site, intervalMs, log = silentLog, clock = systemClock } = options
  const cores = await openCores(path, log)
  try {
    if (await isBegun(cores)) throw new SdkError('CONFLICT', `${path} holds a store already`)
    const reader = await followFeed({ cores, feed, worker, site, intervalMs, keep: 'all', clock, log })
    return new Fetching(options, cores, reader, clock)
  } catch (error) {
    await cores.close()
    throw storeError(error, 'the feed cannot be fetched')
  }
}

/** Whether the folder's store has the feed, as its newest or one before: reads, and changes nothing. Throws what opening a store throws. */
export async function holdsFeed(path: string, { main }: FeedKeys, log: Log = silentLog): Promise<boolean> {
  const cores = await openCores(path, log)
  try {
    return (await feedsIn(cores)).includes(main)
  } catch (error) {
    throw storeError(error, 'the store cannot be read')
  } finally {
    await cores.close()
  }
}

/** What was fetched back for this feed into a folder that was not put in place since; undefined: not all of it is there yet, or nothing. */
export async function settledFeed(
  path: string,
  { main }: FeedKeys,
  log: Log = silentLog,
): Promise<Refetched | undefined> {
  const cores = await openCores(path, log)
  try {
    const { lost, heritage } = (await begunFrom(cores)) ?? { lost: [], heritage: [] }
    if (!lost.includes(main)) return undefined
    const entries = heritage.filter(([key]) => key.startsWith(keys.entries)).length
    return { devices: entries, entries, rebuilt: 0, newestAt: null }
  } finally {
    await cores.close()
  }
}

class Fetching implements Refetch {
  readonly #options: RefetchOptions
  readonly #cores: Corestore
  readonly #reader: RemoteReader
  readonly #clock: Clock

  constructor(options: RefetchOptions, cores: Corestore, reader: RemoteReader, clock: Clock) {
    this.#options = options
    this.#cores = cores
    this.#reader = reader
    this.#clock = clock
  }

  attach(stream: Duplex): void {
    this.#reader.attach(stream)
  }

  async finish(signal: AbortSignal, tell: (progress: Refetching) => void = () => {}): Promise<Refetched> {
    const { quietMs = defaultQuietMs } = this.#options
    let before = -1
    let quietFrom = this.#clock.hr()
    for (;;) {
      const progress = await this.#progress()
      tell(progress)
      const moving = progress.here !== before || progress.coming > 0 || progress.peers === 0
      if (moving) quietFrom = this.#clock.hr()
      before = progress.here
      if (!moving && progress.here > 0 && this.#clock.hr() - quietFrom >= quietMs) break
      await sleep(this.#clock, lookMs, signal)
    }
    return this.#settle()
  }

  async #progress(): Promise<Refetching> {
    let [here, coming] = [0, 0]
    for (const { logs } of await this.#chain()) {
      for (const log of logs) {
        const counted = await count(log)
        here += counted.here
        coming += counted.coming
        await log.close()
      }
    }
    const { connections } = this.#reader.lag()
    return { peers: connections, devices: this.#reader.records().length, here, coming }
  }

  /** The feed and those before it, as far as they are known, newest first; the logs of each are to be closed. */
  async #chain(): Promise<{ key: string; logs: Hypercore[] }[]> {
    const chain: { key: string; logs: Hypercore[] }[] = []
    for (let key: string | undefined = this.#options.feed.main; key && chain.length < maxEarlier; ) {
      const log = this.#log(key)
      await log.ready()
      const directory = await directoryOf(log)
      const others = [...(directory?.logs.values() ?? [])].map((entry) => this.#log(entry.key))
      await Promise.all(others.map((each) => each.ready()))
      chain.push({ key, logs: [log, ...others] })
      key = directory?.progress?.before?.main
    }
    return chain
  }

  #log(key: string): Hypercore {
    return this.#cores.get({ key: Buffer.from(key, 'hex') })
  }

  async #settle(): Promise<Refetched> {
    const records = this.#reader.records()
    const whole = await heritageOf(this.#log(this.#options.feed.main)).catch(() => undefined)
    const known = whole ?? []
    // Peers that keep the newest alone do not hold the inventory.
    const rebuilt = whole ? [] : records.map(entryOf)
    const chain = await this.#chain()
    for (const { logs } of chain) await Promise.all(logs.map((log) => log.close()))
    await goOnFrom(this.#cores, {
      place: await whereIs(this.#options.path),
      lost: chain.map(({ key }) => key),
      heritage: [...known, ...rebuilt],
    })
    const entries = known.filter(([key]) => key.startsWith(keys.entries)).length
    return { devices: records.length, entries, rebuilt: rebuilt.length, newestAt: this.#reader.lag().at }
  }

  async close(): Promise<void> {
    await this.#reader.close()
    await this.#cores.close()
  }
}

/** Undefined: not all of it is here. */
async function directoryOf(log: Hypercore): Promise<Directory | undefined> {
  if (log.length <= 1) return undefined
  const main = openMain(log.session())
  const directory = new Directory()
  try {
    await directory.load(main, { wait: false })
    return directory
  } catch {
    return undefined
  } finally {
    await main.close()
  }
}

async function count(log: Hypercore): Promise<{ here: number; coming: number }> {
  if (log.length === log.contiguousLength) return { here: log.length, coming: 0 }
  const peers = log.peers.map((peer) => ({ upTo: peer.remoteContiguousLength, has: peer.remoteBitfield }))
  let [here, coming] = [log.contiguousLength, 0]
  for (let index = log.contiguousLength; index < log.length; index++) {
    if (await log.has(index)) here++
    else if (peers.some(({ upTo, has }) => index < upTo || has.get(index))) coming++
  }
  return { here, coming }
}

/** What a record tells of how its device is reached and called; its credentials are in the vault. */
function entryOf({ id, address, name, tags, location, simulated }: DeviceRecord): [string, DeviceEntry] {
  const [, host = address, port] = /^(.*?)(?::(\d+))?$/.exec(address) ?? []
  return [
    keys.entry(id),
    {
      id,
      host,
      ...(port ? { port: Number(port) } : {}),
      ...(name ? { name } : {}),
      ...(tags.length > 0 ? { tags: [...tags] } : {}),
      ...(Object.keys(location).length > 0 ? { location } : {}),
      ...(simulated ? { simulated } : {}),
    },
  ]
}
