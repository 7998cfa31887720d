import type { Duplex } from 'node:stream'
import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import { type Clock, type DeviceRecord, type Event, type Log, SdkError } from '#model'
import type { Part } from './chain.js'
import { Directory, type Progress } from './directory.js'
import { Exchange } from './exchange.js'
import { readEvents, readSettings } from './feed.js'
import { Keeping } from './keeping.js'
import { format, journalName, journalNumber, type Main, mainName, openMain, type Patience } from './layout.js'
import { type Stored, storedIn } from './retention.js'
import type { Sources } from './shelves.js'
import { SortedLogs } from './sorted.js'
import { Tail } from './tail.js'
import type { Change, EarlierFeed, EventQuery, FeedEnd, FollowLimits, Keep, Span } from './types.js'
import { Volumes } from './volumes.js'

/** With more changes of `main` than this since the last look, all of it is read anew. */
const maxChangesAtOnce = 256

export interface ReplicaParts {
  readonly cores: Corestore
  readonly feed: EarlierFeed
  readonly worker: string
  readonly keep: Keep
  readonly clock: Clock
  readonly log: Log
  readonly limits: FollowLimits
  readonly changed: (change: Change) => void
  /** More is known of the feed: it may name the one before it. */
  readonly learned?: () => void
  /** Of a feed that this store wrote: how far its own retention would be in it. */
  readonly retained?: (directory: Directory) => Progress | undefined
}

/** One feed as far as it is here: its logs by their keys, what is new in them as it arrives, and the rest when it is asked for. */
export class Replica implements Part {
  readonly feed: EarlierFeed
  readonly #parts: ReplicaParts
  readonly #exchange = new Exchange()
  readonly #directory = new Directory()
  readonly #mainLog: Hypercore
  readonly #main: Main
  readonly #volumes: Volumes
  readonly #sorted: SortedLogs
  readonly #keeping: Keeping
  readonly #tail: Tail
  /** The length of `main` that the directory stands for. */
  #version = 0
  #again = false
  #running: Promise<void> | undefined
  #stopRetry: (() => void) | undefined
  #closing: Promise<void> | undefined
  /** Nothing after this is read. */
  end: FeedEnd | undefined
  /** Why this program cannot go on reading, if so. */
  problem: SdkError | undefined

  constructor(parts: ReplicaParts) {
    this.#parts = parts
    this.feed = parts.feed
    this.#mainLog = parts.cores.get({ key: Buffer.from(parts.feed.main, 'hex') })
    this.#main = openMain(this.#mainLog.session())
    this.#exchange.add(mainName, this.#mainLog)
    this.#mainLog.on('append', this.#wake)
    const open = (name: string) => this.#session(name)
    this.#volumes = new Volumes((name) => this.#keeping.opened(name))
    this.#sorted = new SortedLogs((name) => this.#keeping.opened(name))
    this.#keeping = new Keeping({ ...parts, open, exchange: this.#exchange })
    const { end } = parts.feed
    if (end !== 'here') this.end = end
    this.#tail = new Tail({
      ...parts,
      open,
      exchange: this.#exchange,
      directory: this.#directory,
      wake: this.#wake,
      end: () => this.end,
    })
  }

  /** Reads what is here already; resolves when that is done, whether anybody is connected or not. */
  async open(): Promise<void> {
    await this.#main.ready()
    if (this.#parts.keep !== 'live') this.#mainLog.download({ start: 0, end: -1 })
    this.#wake()
    await this.#running
    if (this.feed.end === 'here') this.end = await this.#endHere()
  }

  async #endHere(): Promise<FeedEnd> {
    const main = this.#version
    const journal = Math.max(-1, ...[...this.#directory.logs.keys()].map(journalNumber))
    if (journal < 0) return { main, journal, blocks: 0 }
    const log = this.#session(journalName(journal))
    await log.ready()
    const { length: blocks } = log
    await log.close()
    return { main, journal, blocks }
  }

  #session(name: string): Hypercore {
    const entry = this.#directory.logs.get(name)
    if (!entry) throw new SdkError('UNAVAILABLE', `nothing is known of ${name} of ${this.#parts.worker} yet`)
    return this.#parts.cores.get({ key: Buffer.from(entry.key, 'hex') })
  }

  attach(stream: Duplex): void {
    if (this.#closing) return
    this.#exchange.attach(stream)
    this.#wake()
  }

  get connections(): number {
    return this.#exchange.connections
  }

  get #patience(): Patience {
    return { wait: this.connections > 0, timeout: this.#parts.limits.blockMs }
  }

  #wake = (): void => {
    this.#again = true
    if (!this.#running && !this.#closing) {
      this.#running = this.#run().finally(() => {
        this.#running = undefined
        if (this.#again) this.#wake()
      })
    }
  }

  async #run(): Promise<void> {
    this.#stopRetry?.()
    this.#again = false
    try {
      await this.#readMain()
      const { progress } = this.#directory
      if (!progress) return
      if (progress.format > format) {
        throw new SdkError('STORE_NEWER', `the feed has format ${progress.format}, this program knows up to ${format}`)
      }
      await this.#keeping.follow(this.#directory)
      await this.#tail.read(progress, this.#patience, (segment) => this.#keeping.has(segment, this.#directory))
      this.problem = undefined
    } catch (error) {
      if (this.#closing) return
      if (error instanceof SdkError && error.code === 'STORE_NEWER') {
        if (!this.problem) this.#parts.log.error({ worker: this.#parts.worker, err: error }, 'a feed cannot be read on')
        this.problem = error
        return
      }
      // Blocks that are not here yet: they are asked for again, or wait for a connection.
      if (this.connections > 0) this.#stopRetry = this.#parts.clock.after(this.#parts.limits.retryMs, this.#wake)
      this.#parts.log.debug({ worker: this.#parts.worker, err: error }, 'a feed is not followed to its end yet')
    }
  }

  async #readMain(): Promise<void> {
    const length = await this.#readable()
    if (length <= 1 || length === this.#version) return
    const main = this.#main.checkout(length)
    try {
      if (this.#version === 0 || length < this.#version || length - this.#version > maxChangesAtOnce) {
        await this.#directory.load(main, this.#patience)
        for (const id of this.#directory.gone.keys()) this.#tail.removed(id)
      } else {
        for await (const { type, key, value } of main.createHistoryStream({ gte: this.#version, ...this.#patience })) {
          if (type === 'del') this.#directory.delete(key)
          else if (this.#directory.put(key, value)) this.#tail.noted(key)
          else this.#tail.event(key, value)
        }
      }
      this.#version = length
    } finally {
      await main.close()
    }
    this.#parts.learned?.()
  }

  get #length(): number {
    return Math.min(this.#mainLog.length, this.end?.main ?? Number.POSITIVE_INFINITY)
  }

  /** As long as `main` is known to be; without a connection, as long as it is here. */
  async #readable(): Promise<number> {
    let length = this.#length
    if (this.connections > 0) return length
    while (length > 1 && !(await this.#mainLog.has(length - 1))) length--
    return length
  }

  get version(): number {
    return this.#version
  }

  records(): readonly DeviceRecord[] {
    return this.#tail.state.records
  }

  record(id: string): DeviceRecord | undefined {
    return this.#tail.state.get(id)
  }

  /** Whether it ever said anything of a device; it may be that all of them were removed since. */
  get hasSpoken(): boolean {
    return this.#tail.hasSpoken || (this.#directory.progress?.chunked ?? 0) > 0
  }

  /** Whether the device was removed, as far as the feed still tells: it forgets it with its first frames. */
  hasRemoved(id: string): boolean {
    return this.#directory.gone.has(id)
  }

  /** When the newest frame that is here was written, ms by the writer's clock. */
  get newestAt(): number | null {
    return this.#tail.newestAt
  }

  /** Blocks that are known to be there and are not here. */
  get behind(): number {
    return Math.max(0, this.#length - Math.max(1, this.#version)) + this.#tail.behind
  }

  /** What is kept of it. */
  get stored(): Stored {
    const { days, spans, progress } = this.#directory
    return storedIn({ days, spans, progress: progress && this.#keeping.asKept(progress) })
  }

  /** A bounded piece of letting go of what the store would not keep; false if there is none. */
  letGo(): Promise<boolean> {
    return this.#keeping.letGo(this.#directory)
  }

  get before(): EarlierFeed | undefined {
    return this.#directory.progress?.before
  }

  sources(missed: (spans: readonly Span[], error: unknown) => void): Sources {
    const { progress, spans } = this.#directory
    return {
      volumes: this.#volumes,
      sorted: this.#sorted,
      spans,
      days: this.#keeping.days(this.#directory),
      progress: progress && this.#keeping.asKept(progress),
      segments: this.#tail.segments,
      patience: this.#patience,
      reach: this.#reach,
      missed,
    }
  }

  #reach = async (log: Hypercore, length: number): Promise<void> => {
    if (log.length >= length) return
    if (this.connections === 0) throw new Error('a log is shorter here than it should be')
    let stop = () => {}
    try {
      await new Promise<void>((resolve, reject) => {
        const onAppend = () => log.length >= length && resolve()
        const stopTimer = this.#parts.clock.after(this.#parts.limits.blockMs, () => reject(new Error('nobody has it')))
        stop = () => {
          stopTimer()
          log.off('append', onAppend)
        }
        log.on('append', onAppend)
      })
    } finally {
      stop()
    }
  }

  events(query: EventQuery, missed: () => void): Promise<Event[]> {
    if (this.#version === 0) return Promise.resolve([])
    return this.#reading((main) => readEvents(main, this.#tail.segments, query, { patience: this.#patience, missed }))
  }

  settings(deviceId: string, limit: number | undefined, missed: () => void) {
    if (this.#version === 0) return Promise.resolve([])
    return this.#reading((main) =>
      readSettings(main, this.#tail.segments, deviceId, limit, { patience: this.#patience, missed }),
    )
  }

  /** At the version that the directory stands for, so that journal and tables fit together. */
  async #reading<T>(job: (main: Main) => Promise<T>): Promise<T> {
    const main = this.#main.checkout(this.#version)
    try {
      return await job(main)
    } finally {
      await main.close()
    }
  }

  stats(): Record<string, number> {
    return { ...this.#tail.stats, connections: this.connections, behind: this.behind, version: this.#version }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#stopRetry?.()
    this.#again = false
    this.#mainLog.off('append', this.#wake)
    await this.#tail.close()
    await this.#exchange.close()
    await this.#main.close()
    await this.#running
  }
}
