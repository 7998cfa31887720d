import type { Duplex } from 'node:stream'
import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import {
  type Clock,
  type DeviceEntry,
  type DeviceRecord,
  type Event,
  type Log,
  SdkError,
  silentLog,
  systemClock,
} from '#model'
import { Blocks } from './blocks.js'
import { crowdsOf, eventsOf, historyOf, type Part, settingsOf } from './chain.js'
import { openCores, primaryKeyOf } from './cores.js'
import { Directory, type Gone, type Progress } from './directory.js'
import { bytesOnDisk } from './disk.js'
import { readDocument, readDocuments, readEntries, writeDocument } from './documents.js'
import { drafting } from './draft.js'
import { Due } from './due.js'
import { inherited, openEarlier } from './earlier.js'
import { eventPuts, readEvents, readSettings } from './feed.js'
import { Feeds, logIn, thisBoot, whereIs } from './feeds.js'
import { Journal } from './journal.js'
import { closeEach, format, keys, type Main, mainName, openMain, putAll, storeError } from './layout.js'
import { defaultLimits } from './limits.js'
import { Listeners } from './listeners.js'
import { Logs } from './logs.js'
import { Merging } from './merging.js'
import { Order } from './order.js'
import type { Replica } from './replica.js'
import { Retention, storedIn } from './retention.js'
import { SortedLogs } from './sorted.js'
import { roomIn, Space } from './space.js'
import { State } from './state.js'
import { Turns } from './turns.js'
import type {
  Change,
  CrowdQuery,
  Crowds,
  EventQuery,
  FeedKeys,
  HistoryQuery,
  Series,
  Store,
  StoreLimits,
  StoreOptions,
  Tick,
} from './types.js'
import { Volumes } from './volumes.js'

/**
 * Opens a worker's history, and makes it if there is none. Throws STORE_LOCKED if another process has it open, STORE_NEWER if a
 * newer version wrote it, STORE_FAILED if it cannot be read.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const log = options.log ?? silentLog
  const { path, site, worker, primaryKey } = options
  const cores = await openCores(path, log, primaryKey && primaryKeyOf(primaryKey, site, worker))
  try {
    const feeds = await Feeds.open(cores, { boot: options.boot ?? (await thisBoot()), place: await whereIs(path) })
    if (feeds.begun) log.warn({ path, worker }, `${feeds.begun}: the history goes on in a new feed`)
    const store = new FeedStore(options, cores, feeds, log)
    await store.load()
    return store
  } catch (error) {
    await cores.close()
    throw storeError(error, 'the store cannot be read')
  }
}

class FeedStore implements Store {
  readonly worker: string
  readonly site: string
  readonly intervalMs: number
  readonly #path: string
  readonly #retention: Retention
  readonly #space: Space
  readonly #clock: Clock
  readonly #log: Log
  readonly #limits: StoreLimits
  readonly #cores: Corestore
  readonly #feeds: Feeds
  readonly #open: (name: string) => Hypercore
  /** Feeds that this folder had to leave behind, newest first: read, never written. */
  #earlier: Replica[] = []
  #letsGo = true
  readonly #volumes: Volumes
  readonly #sorted: SortedLogs
  readonly #main: Main
  readonly #state = new State()
  readonly #entries = new Map<string, DeviceEntry>()
  readonly #gone = new Map<string, Gone>()
  readonly #listeners: Listeners
  #journal!: Journal
  #logs!: Logs
  #merging!: Merging
  readonly #blocks = new Blocks()
  readonly #due: Due
  readonly #order = new Order()
  #counts = {
    appends: 0,
    failedAppends: 0,
    samples: 0,
    wholeRecords: 0,
    frameBytes: 0,
    appendMs: 0,
    writeMs: 0,
    diskBytes: 0,
  }

  constructor(options: StoreOptions, cores: Corestore, feeds: Feeds, log: Log) {
    this.worker = options.worker
    this.site = options.site
    this.intervalMs = options.intervalMs
    this.#path = options.path
    this.#clock = options.clock ?? systemClock
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#due = new Due(this.#limits.wholeRecordMs)
    this.#retention = new Retention(options.keep ?? {}, this.#limits.segmentMs)
    this.#space = new Space({
      room: options.room ?? (() => roomIn(options.path)),
      clock: this.#clock,
      log,
      changed: (trouble) => this.#warn(trouble),
    })
    this.#log = log
    this.#listeners = new Listeners(log, 'the store')
    this.#cores = cores
    this.#feeds = feeds
    this.#open = (name) => logIn(cores, feeds.current, name)
    this.#volumes = new Volumes(this.#open)
    this.#sorted = new SortedLogs(this.#open)
    this.#main = openMain(this.#open(mainName))
  }

  async load(): Promise<void> {
    await this.#main.ready()
    const directory = new Directory()
    await directory.load(this.#main, { wait: false })
    const known = directory.progress
    if (known && known.format > format) {
      throw new SdkError(
        'STORE_NEWER',
        `the storage folder has format ${known.format}, this program knows up to ${format}`,
      )
    }
    const { worker, site } = this
    let own = () => storedIn(directory)
    this.#earlier = await openEarlier(this.#cores, this.#feeds, {
      worker,
      clock: this.#clock,
      log: this.#log,
      retention: this.#retention,
      own: () => own(),
    })
    const [before] = this.#earlier
    const blank = { chunked: 0, cleared: 0, rawFrom: 0, ...(before && { before: before.feed }) }
    const progress: Progress = { ...blank, ...known, format, worker, site }
    if (!known || known.worker !== worker || known.site !== site) {
      await putAll(this.#main, [[keys.state, progress], ...(known ? [] : await inherited(this.#cores, this.#feeds))])
    }
    for (const [id, entry] of await readEntries(this.#main)) this.#entries.set(id, entry)
    for (const [id, gone] of directory.gone) this.#gone.set(id, gone)
    this.#logs = new Logs(this.#open, this.#main, directory.logs)
    const parts = {
      logs: this.#logs,
      volumes: this.#volumes,
      main: this.#main,
      state: this.#state,
      limits: this.#limits,
      gone: this.#gone,
    }
    const { spans, days } = directory
    this.#journal = new Journal({ ...parts, progress, spans, days, retention: this.#retention, log: this.#log })
    await this.#journal.open()
    own = () => this.#journal.stored
    this.#merging = new Merging({
      journal: this.#journal,
      log: this.#log,
      alone: (job) => this.#order.alone(job, 'a day of history was not put together'),
      done: () => this.#weigh(),
    })
    // Records of before stay to be seen until their devices are asked again; the first word on each is a whole one. Who was removed since
    // is in the inventory no more.
    for (const record of this.#earlier[0]?.records() ?? []) {
      if (this.#entries.has(record.id) && !this.#state.get(record.id)) this.#state.put(record)
    }
    await this.#weigh()
  }

  async #weigh(): Promise<void> {
    this.#counts.diskBytes = await bytesOnDisk(this.#path)
  }

  append(tick: Tick): Promise<void> {
    const done = this.#order.alone(() => this.#append(tick), 'the tick was not stored')
    // What is left of the work follows the append, before the next one: memory and journal stay bounded.
    this.#order
      .alone(() => this.#tidy(), 'the journal was not tidied')
      .catch((error: unknown) => {
        if (!this.#order.isClosed)
          this.#log.error({ err: error }, 'finished history could not be packed; it is tried again')
      })
    return done
  }

  async #append(tick: Tick): Promise<void> {
    if (tick.records.length === 0 && !tick.events?.length && !tick.settings?.length) return
    const began = this.#clock.hr()
    await this.#journal.roll(tick.at)
    const segment = this.#journal.current
    const due = this.#due.at(tick.at, this.#state.records.length)
    const turns = new Turns()
    const frame = await turns.all(drafting(tick, this.#state, this.#state.inTurn(due.count)))
    const blocks = await turns.all(this.#blocks.of(frame, segment.number))
    const bytes = blocks.reduce((sum, block) => sum + block.length, 0)
    const writing = this.#clock.hr()
    try {
      await segment.core.append(blocks)
      this.#counts.writeMs += this.#clock.hr() - writing
    } catch (error) {
      this.#counts.failedAppends++
      this.#blocks.failed()
      throw error
    }
    due.written()
    await turns.all(segment.adding(frame, blocks.length, bytes))
    for (const record of tick.records) this.#state.put(record)
    for (const { id } of frame.records) this.#state.wrote(id, segment.number)
    this.#counts.appends++
    this.#counts.samples += frame.rows.read.reduce((sum, read) => sum + read, 0)
    this.#counts.wholeRecords += frame.records.length
    this.#counts.frameBytes += bytes
    this.#counts.appendMs += this.#clock.hr() - began
    this.#listeners.tell({ records: tick.records, removed: [], events: tick.events ?? [] })
  }

  async #tidy(): Promise<void> {
    const { stats } = this.#journal
    const { foldedSegments } = stats
    await this.#space.look()
    await this.#journal.tidy(this.#space)
    if (stats.foldedSegments > foldedSegments) await this.#weigh()
    this.#letsGo ||= stats.foldedSegments > foldedSegments
    if (this.#letsGo) await this.#letGo()
    this.#merging.tick()
  }

  /** With every segment that is stored, something of the earlier feeds may have become too old; a piece of it in a tick. */
  async #letGo(): Promise<void> {
    for (const earlier of this.#earlier) if (await earlier.letGo()) return
    this.#letsGo = false
  }

  get trouble(): string | null {
    return this.#space.trouble
  }

  /** Loud: in the log, and for everybody who reads the feed. */
  #warn(trouble: string | null): void {
    const message = `${this.worker}: ${trouble ?? 'there is room on the disk again'}`
    this.#log.warn({ path: this.#path }, message)
    const at = Math.floor(this.#clock.now())
    this.append({ at, records: [], events: [{ at, type: 'service', message }] }).catch((error: unknown) =>
      this.#log.warn({ err: error }, 'that the disk is nearly full could not be stored'),
    )
  }

  records(): readonly DeviceRecord[] {
    return this.#state.records
  }

  record(id: string): DeviceRecord | undefined {
    return this.#state.get(id)
  }

  get #parts(): Part[] {
    const journal = this.#journal
    const own: Part = {
      get version() {
        return journal.stats.mergedVolumes + journal.stats.droppedVolumes
      },
      sources: (missed) => ({
        volumes: this.#volumes,
        sorted: this.#sorted,
        spans: journal.spans,
        days: [...journal.days.values()],
        progress: journal.progress,
        segments: journal.segments,
        missed,
      }),
      events: (query) => readEvents(this.#main, journal.segments, query),
      settings: (deviceId, limit) => readSettings(this.#main, journal.segments, deviceId, limit),
    }
    return [own, ...this.#earlier]
  }

  history(query: HistoryQuery): Promise<Series> {
    return this.#order.read(() => historyOf(this.#parts, query, this))
  }

  crowds(query: CrowdQuery): Promise<Crowds | undefined> {
    return this.#order.read(() => crowdsOf(this.#parts, query, this))
  }

  events(query: EventQuery): Promise<Event[]> {
    return this.#order.read(() => eventsOf(this.#parts, query, { worker: this.worker, now: this.#clock.now() }))
  }

  settings(deviceId: string, limit?: number): Promise<{ at: number; settings: unknown }[]> {
    return this.#order.read(() => settingsOf(this.#parts, deviceId, limit, this.worker))
  }

  watch(listener: (change: Change) => void): () => void {
    return this.#listeners.add(listener)
  }

  entries(): ReadonlyMap<string, DeviceEntry> {
    return this.#entries
  }

  putEntry(id: string, entry: DeviceEntry, events: readonly Event[] = []): Promise<void> {
    return this.#order.alone(async () => {
      await putAll(this.#main, [[keys.entry(id), entry], ...eventPuts(this.#main, events)])
      this.#entries.set(id, entry)
      this.#listeners.tell({ records: [], removed: [], events })
    }, 'the entry was not stored')
  }

  deleteEntry(id: string, events: readonly Event[] = []): Promise<void> {
    return this.#order.alone(async () => {
      const { number, blocks } = this.#journal.current
      const gone: Gone = { segment: number, block: blocks }
      await putAll(this.#main, [[keys.gone(id), gone], ...eventPuts(this.#main, events)], [keys.entry(id)])
      this.#gone.set(id, gone)
      this.#entries.delete(id)
      const removed = this.#state.remove(id) ? [id] : []
      this.#listeners.tell({ records: [], removed, events })
    }, 'the entry was not deleted')
  }

  getDocument<T>(name: string): Promise<T | undefined> {
    return this.#order.read(() => readDocument<T>(this.#main, name))
  }

  putDocument(name: string, value: unknown): Promise<void> {
    return this.#order.alone(() => writeDocument(this.#main, name, value), 'the document was not stored')
  }

  listDocuments<T>(
    prefix: string,
    options?: { limit?: number; reverse?: boolean },
  ): Promise<{ name: string; value: T }[]> {
    return this.#order.read(() => readDocuments<T>(this.#main, prefix, options))
  }

  get feed(): FeedKeys {
    return { main: Buffer.from(this.#main.core.key).toString('hex') }
  }

  replicate(stream: Duplex): void {
    this.#order.check()
    this.#logs.attach(stream)
    for (const earlier of this.#earlier) earlier.attach(stream)
  }

  stats(): Record<string, number> {
    const { segments, stats, dayBytes } = this.#journal
    const sum = (of: (segment: (typeof segments)[number]) => number) =>
      segments.reduce((total, each) => total + of(each), 0)
    return {
      ...this.#counts,
      ...stats,
      rawDayBytes: dayBytes.raw,
      minuteBytes: dayBytes['1m'],
      fiveMinuteBytes: dayBytes['5m'],
      hourBytes: dayBytes['1h'],
      devices: this.#state.records.length,
      entries: this.#entries.size,
      connections: this.#logs.connections,
      segments: segments.length,
      merging: this.#merging.isRunning ? 1 : 0,
      journalBlocks: sum(({ blocks }) => blocks),
      journalBytes: sum(({ bytes }) => bytes),
      memoryBytes: sum(({ streamBytes }) => streamBytes),
    }
  }

  close(): Promise<void> {
    return this.#order.close(async () => {
      this.#listeners.clear()
      const parts = [this.#merging, this.#logs, ...this.#earlier, this.#main, this.#feeds, this.#cores]
      const failure = await closeEach(parts)
      if (failure !== undefined) throw storeError(failure, 'the store was not closed well')
    })
  }
}
