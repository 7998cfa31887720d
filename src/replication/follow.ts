import type { Duplex } from 'node:stream'
import type Corestore from 'corestore'
import { type Clock, type DeviceRecord, type Event, type Log, SdkError, silentLog, systemClock } from '#model'
import { crowdsOf, eventsOf, historyOf, settingsOf } from './chain.js'
import { openCores } from './cores.js'
import { storeError } from './layout.js'
import { Listeners } from './listeners.js'
import { Replica, type ReplicaParts } from './replica.js'
import type {
  Change,
  CrowdQuery,
  Crowds,
  EarlierFeed,
  EventQuery,
  FeedEnd,
  FeedKeys,
  FollowLimits,
  FollowOptions,
  HistoryQuery,
  Lag,
  RemoteReader,
  Series,
} from './types.js'

export const defaultFollowLimits: FollowLimits = { blockMs: 3000, retryMs: 1000 }
/** So far back a chain of feeds is followed. */
export const maxEarlier = 16

/**
 * Follows the feed of a worker elsewhere: a reader of the same shape as its own store. What is here is served also while nobody is
 * connected, with its age. Throws what opening a store throws.
 */
export async function followFeed(options: FollowOptions): Promise<RemoteReader> {
  const log = options.log ?? silentLog
  const own = options.cores ? undefined : await openCores(options.path, log)
  const reader = new Followed(options, (options.cores ?? own)!, own, log)
  try {
    await reader.open()
    return reader
  } catch (error) {
    await reader.close()
    throw storeError(error, 'the copy of a feed cannot be read')
  }
}

/** A worker's feed and, if it had to begin a new one, those before it: one reader. */
class Followed implements RemoteReader {
  readonly worker: string
  readonly site: string
  readonly intervalMs: number
  readonly feed: FeedKeys
  readonly #clock: Clock
  readonly #log: Log
  readonly #own: Corestore | undefined
  readonly #parts: Omit<ReplicaParts, 'feed'>
  readonly #streams = new Set<Duplex>()
  readonly #listeners: Listeners
  /** Newest first. */
  readonly #replicas: Replica[] = []
  #closing: Promise<void> | undefined

  constructor(options: FollowOptions, cores: Corestore, own: Corestore | undefined, log: Log) {
    const { worker, site, intervalMs, feed, keep = 'live', clock = systemClock } = options
    this.worker = worker
    this.site = site
    this.intervalMs = intervalMs
    this.feed = feed
    this.#clock = clock
    this.#log = log
    this.#listeners = new Listeners(log, 'a feed')
    this.#own = own
    const limits = { ...defaultFollowLimits, ...options.limits }
    this.#parts = { cores, worker, keep, clock, log, limits, changed: (change) => this.#listeners.tell(change) }
    for (const each of [feed, ...(options.earlier ?? [])]) this.#add(each)
  }

  #add(feed: EarlierFeed): Replica | undefined {
    if (this.#replicas.length >= maxEarlier || this.#replicas.some((each) => each.feed.main === feed.main))
      return undefined
    const newest = this.#replicas.length === 0
    const replica: Replica = new Replica({
      ...this.#parts,
      feed,
      changed: (change) => {
        if (newest) return this.#parts.changed(change)
        // What an earlier feed still says is old news, but for the records that are shown until the newest speaks.
        const speaking = this.#speaking
        if (this.#replicas[speaking] !== replica) return
        const records = change.records.filter(({ id }) => !this.#isRemoved(id, speaking))
        this.#parts.changed({ ...change, records, events: [] })
      },
      learned: () => this.#linked(),
    })
    this.#replicas.push(replica)
    for (const stream of this.#streams) replica.attach(stream)
    return replica
  }

  /** Feeds that the known ones name as the ones before them. */
  #linked(): void {
    for (const { before } of [...this.#replicas]) {
      if (!before || this.#closing) continue
      this.#add(before)
        ?.open()
        .catch((error: unknown) =>
          this.#log.warn({ worker: this.worker, err: error }, 'an earlier feed cannot be read'),
        )
    }
  }

  async open(): Promise<void> {
    await Promise.all(this.#replicas.map((each) => each.open()))
    this.#linked()
  }

  attach(stream: Duplex): void {
    if (this.#closing || this.#streams.has(stream)) return
    this.#streams.add(stream)
    stream.once('close', () => this.#streams.delete(stream))
    for (const replica of this.#replicas) replica.attach(stream)
  }

  /** The newest feed that said anything, by its place: a worker that has just begun a new one may not have asked any device yet. */
  get #speaking(): number {
    const first = this.#replicas.findIndex((each) => each.hasSpoken)
    return Math.max(0, first)
  }

  /** Before the newest feed has said anything, it may have been told of a device that is removed. */
  #isRemoved(id: string, speaking: number): boolean {
    return this.#replicas.slice(0, speaking).some((newer) => newer.hasRemoved(id))
  }

  records(): readonly DeviceRecord[] {
    const speaking = this.#speaking
    const records = this.#replicas[speaking]!.records()
    return speaking === 0 ? records : records.filter(({ id }) => !this.#isRemoved(id, speaking))
  }

  record(id: string): DeviceRecord | undefined {
    const speaking = this.#speaking
    return this.#isRemoved(id, speaking) ? undefined : this.#replicas[speaking]!.record(id)
  }

  lag(): Lag {
    const at = this.#replicas[this.#speaking]!.newestAt
    const [{ connections, behind, problem }] = this.#replicas as [Replica]
    return {
      at,
      ageMs: at === null ? null : Math.max(0, this.#clock.now() - at),
      connections,
      behind,
      ...(problem && { problem: problem.message }),
    }
  }

  ends(): ReadonlyMap<string, FeedEnd> {
    return new Map(this.#replicas.flatMap(({ feed, end }) => (end ? [[feed.main, end]] : [])))
  }

  history(query: HistoryQuery): Promise<Series> {
    return this.#read(() => historyOf(this.#replicas, query, this))
  }

  crowds(query: CrowdQuery): Promise<Crowds | undefined> {
    return this.#read(() => crowdsOf(this.#replicas, query, this))
  }

  events(query: EventQuery): Promise<Event[]> {
    return this.#read(() => eventsOf(this.#replicas, query, { worker: this.worker, now: this.#clock.now() }))
  }

  settings(deviceId: string, limit?: number): Promise<{ at: number; settings: unknown }[]> {
    return this.#read(() => settingsOf(this.#replicas, deviceId, limit, this.worker))
  }

  watch(listener: (change: Change) => void): () => void {
    return this.#listeners.add(listener)
  }

  async #read<T>(job: () => Promise<T>): Promise<T> {
    if (this.#closing) throw new SdkError('STORE_FAILED', 'the copy of the feed is closed')
    try {
      return await job()
    } catch (error) {
      throw storeError(error, 'the copy of a feed cannot be read')
    }
  }

  stats(): Record<string, number> {
    return { ...this.#replicas[0]!.stats(), feeds: this.#replicas.length, devices: this.records().length }
  }

  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#replicas.map((each) => each.close())).then(async () => {
      this.#listeners.clear()
      await this.#own?.close()
    })
    return this.#closing
  }
}
