import type { Duplex } from 'node:stream'
import type Corestore from 'corestore'
import { type Clock, type DeviceRecord, type Event, type Log, SdkError, silentLog, systemClock } from '#model'
import { openCores } from './cores.js'
import { readHistory } from './history.js'
import { storeError } from './layout.js'
import { Replica, type ReplicaParts } from './replica.js'
import type {
  Change,
  EventQuery,
  FeedKeys,
  FollowLimits,
  FollowOptions,
  HistoryQuery,
  Lag,
  RemoteReader,
  Series,
  Span,
} from './types.js'

const defaultLimits: FollowLimits = { blockMs: 3000, retryMs: 1000 }
const maxEvents = 1000
/** So far back a chain of feeds is followed. */
const maxEarlier = 16

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
  readonly #listeners = new Set<(change: Change) => void>()
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
    this.#own = own
    const limits = { ...defaultLimits, ...options.limits }
    this.#parts = { cores, worker, keep, clock, log, limits, changed: (change) => this.#tell(change) }
    for (const each of [feed, ...(options.earlier ?? [])]) this.#add(each)
  }

  #add(feed: FeedKeys): Replica | undefined {
    if (this.#replicas.length >= maxEarlier || this.#replicas.some((each) => each.feed.main === feed.main))
      return undefined
    const newest = this.#replicas.length === 0
    const replica = new Replica({
      ...this.#parts,
      feed,
      changed: (change) => {
        // What an earlier feed still says is old news.
        if (newest) this.#parts.changed(change)
        this.#linked()
      },
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

  /** The newest feed that says anything: a worker that has just begun a new one may not have asked any device yet. */
  get #speaking(): Replica {
    return this.#replicas.find((each) => each.records().length > 0) ?? this.#replicas[0]!
  }

  records(): readonly DeviceRecord[] {
    return this.#speaking.records()
  }

  record(id: string): DeviceRecord | undefined {
    return this.#speaking.record(id)
  }

  lag(): Lag {
    const at = this.#speaking.newestAt
    const [{ connections, behind, problem }] = this.#replicas as [Replica]
    return {
      at,
      ageMs: at === null ? null : Math.max(0, this.#clock.now() - at),
      connections,
      behind,
      ...(problem && { problem: problem.message }),
    }
  }

  async history(query: HistoryQuery): Promise<Series> {
    const missing: Span[] = []
    const sources = this.#replicas.map((each) => each.sources((spans) => missing.push(...spans)))
    const series = await this.#read(() => readHistory(sources, query, this.intervalMs))
    return missing.length === 0 ? series : { ...series, missing: joined(missing, query) }
  }

  async events(query: EventQuery): Promise<Event[]> {
    let missed = false
    const lists = await this.#read(() =>
      Promise.all(
        this.#replicas.map((each) =>
          each.events(query, () => {
            missed = true
          }),
        ),
      ),
    )
    const limit = Math.min(Math.max(0, query.limit ?? 100), maxEvents)
    const found = lists
      .flat()
      .sort((a, b) => b.at - a.at)
      .slice(0, limit)
    if (missed && found.length < limit)
      found.push(this.#gap(found.at(-1)?.at ?? Math.min(query.to ?? Number.POSITIVE_INFINITY, this.#clock.now())))
    return found
  }

  /** In the place of events that are with nobody who can be reached. */
  #gap(at: number): Event {
    const message = `Older events of ${this.worker} are not here, and nobody who has them can be reached.`
    return { at, type: 'service', message, data: { missing: true, worker: this.worker } }
  }

  async settings(deviceId: string, limit?: number): Promise<{ at: number; settings: unknown }[]> {
    let missed = false
    const lists = await this.#read(() =>
      Promise.all(
        this.#replicas.map((each) =>
          each.settings(deviceId, limit, () => {
            missed = true
          }),
        ),
      ),
    )
    const found = lists.flat().sort((a, b) => b.at - a.at)
    if (missed && found.length === 0) {
      throw new SdkError(
        'UNAVAILABLE',
        `the settings are not here, and nobody who has the feed of ${this.worker} can be reached`,
      )
    }
    return limit === undefined ? found : found.slice(0, limit)
  }

  watch(listener: (change: Change) => void): () => void {
    const own = (change: Change) => listener(change)
    this.#listeners.add(own)
    return () => {
      this.#listeners.delete(own)
    }
  }

  #tell(change: Change): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(change)
      } catch (error) {
        this.#log.error({ err: error }, 'a listener of a feed failed')
      }
    }
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

/** Within what was asked, in order, without overlaps. */
function joined(spans: readonly Span[], { from, to }: { from: number; to: number }): Span[] {
  const all: { from: number; to: number }[] = []
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = all.at(-1)
    if (last && span.from <= last.to) last.to = Math.max(last.to, span.to)
    else all.push({ ...span })
  }
  return all
    .map((span) => ({ from: Math.max(span.from, from), to: Math.min(span.to, to) }))
    .filter((span) => span.from <= span.to)
}
