import type { Log } from '#model'
import { SalvagedChunks, TableChunks } from './chunks.js'
import { type Day, type Gone, keptFrom, type Progress, type SegmentSpan } from './directory.js'
import { Fold } from './fold.js'
import {
  format,
  hoursSpan,
  journalName,
  keys,
  type Main,
  putAll,
  rawName,
  rawSpan,
  rollupName,
  rollupSpan,
  type Tier,
  tierName,
  tiers,
  volumeOf,
} from './layout.js'
import type { Logs } from './logs.js'
import { Merge } from './merge.js'
import { Replay } from './replay.js'
import { type History, type Retention, type Stored, storedIn } from './retention.js'
import { rollupMs } from './rollup.js'
import { Segment } from './segment.js'
import type { Space } from './space.js'
import { State } from './state.js'
import type { StoreLimits } from './types.js'
import type { Volumes } from './volumes.js'

/** So many times as large as it should be a segment may become until its last interval is over. */
const most = 1.25
/** After so many tries a table that cannot be written is left alone. */
const maxFailures = 3
/** Bytes of a journal that are worth giving back to the disk at once. */
const worthCompacting = 4 * 1024 * 1024

/** The newest history: frames in order, in segments. Finished segments become chunks and are then cleared. */
export class Journal {
  readonly #logs: Logs
  readonly #volumes: Volumes
  readonly #main: Main
  readonly #state: State
  readonly #limits: StoreLimits
  readonly #gone: Map<string, Gone>
  readonly #retention: Retention
  readonly #log: Log
  readonly #days: Map<number, Day>
  #progress: Progress
  /** Of all chunked segments, oldest first. */
  #spans: SegmentSpan[]
  #segments: Segment[] = []
  /** Chunked, but still needed for the last records. */
  #kept: Segment[] = []
  #fold: Fold | undefined
  /** Tries of it that failed, one after the other. */
  #failures = 0
  /** Full volumes that could not be put together from their tables: what can be read of their blocks has to do. */
  readonly #damaged = new Set<number>()
  /** Those of which that was too little as well, and until which segment is finished they are passed over. */
  readonly #passedOver = new Map<number, number>()
  /** Something may have become old enough to be dropped. */
  #aged = true
  /** With how many devices a merge goes on at each tick, so that it is done in about half of the time that a volume takes. */
  mergePace: number
  readonly stats = {
    foldedSegments: 0,
    packedSamples: 0,
    rawBytes: 0,
    mergedVolumes: 0,
    salvagedVolumes: 0,
    abandonedTables: 0,
    droppedVolumes: 0,
    damagedBlocks: 0,
  }

  constructor(parts: {
    logs: Logs
    volumes: Volumes
    main: Main
    state: State
    limits: StoreLimits
    gone: Map<string, Gone>
    progress: Progress
    spans: SegmentSpan[]
    days: Map<number, Day>
    retention: Retention
    log: Log
  }) {
    this.#logs = parts.logs
    this.#volumes = parts.volumes
    this.#main = parts.main
    this.#state = parts.state
    this.#limits = parts.limits
    this.#gone = parts.gone
    this.#progress = parts.progress
    this.#spans = parts.spans
    this.#days = parts.days
    this.#retention = parts.retention
    this.#log = parts.log
    this.mergePace = parts.limits.mergeLeast
  }

  /** Not chunked yet, oldest first; the last one is written to. */
  get segments(): readonly Segment[] {
    return this.#segments
  }

  get current(): Segment {
    return this.#segments.at(-1)!
  }

  get progress(): Progress {
    return this.#progress
  }

  /** Bytes of the days that are kept, by tier. */
  get dayBytes(): Record<Tier, number> {
    return this.stored.bytes
  }

  /** Volumes that are put together, by number. */
  get days(): ReadonlyMap<number, Day> {
    return this.#days
  }

  get stored(): Stored {
    return storedIn({ progress: this.#progress, spans: this.#spans, days: this.#days })
  }

  get spans(): readonly SegmentSpan[] {
    return this.#fold ? [...this.#spans, this.#fold.place] : this.#spans
  }

  /** Reads what is there after a start: at the end the state and the segments are as they were. */
  async open(): Promise<void> {
    const { chunked, cleared } = this.#progress
    // What a kill may have left half done.
    if (cleared > 0) await this.#logs.clear(journalName(cleared - 1))
    const newest = Math.max(-1, ...this.#days.keys())
    for (const name of this.#logs.tablesOf(newest)) await this.#logs.clear(name)
    for (const tier of tiers) await this.#clear(tier, keptFrom(this.#progress, tier) - 1)
    const replay = new Replay(this.#state, this.#gone, this.#log)
    for (let number = cleared; ; number++) {
      const segment = await this.#openSegment(number)
      const empty = segment.core.length === 0
      if (empty && this.#segments.length > 0) {
        await segment.core.close()
        break
      }
      if (!empty) await replay.read(segment, number >= chunked)
      if (number >= chunked) this.#segments.push(segment)
      else this.#kept.push(segment)
    }
    replay.finish()
    await this.#publishAll()
    this.stats.damagedBlocks = replay.damaged
  }

  /** What a reader may still want; nearly always known already. */
  async #publishAll(): Promise<void> {
    let before: Segment | undefined
    for (const segment of [...this.#kept, ...this.#segments]) {
      await this.#logs.publish(journalName(segment.number), before?.core.length)
      before = segment
    }
    const { chunked, rawFrom } = this.#progress
    const last = volumeOf(Math.max(0, chunked - 1))
    for (let volume = rawFrom; volume <= last; volume++)
      if (!this.#days.has(volume)) for (const name of this.#logs.tablesOf(volume)) await this.#logs.publish(name)
    for (const [volume, { devices }] of this.#days) {
      for (const tier of tiers)
        if (devices > 0 && volume >= keptFrom(this.#progress, tier)) await this.#logs.publish(tierName(tier, volume))
    }
    const old = Math.min(chunked, rawSpan * Math.min(last + 1, ...this.#days.keys()))
    for (let segment = 0; segment < old; segment += rollupSpan) await this.#offerOld(rollupName(segment))
  }

  /** Only what is known already: nothing new begins under these names. */
  async #offerOld(name: string): Promise<void> {
    if (this.#logs.knows(name)) await this.#logs.publish(name)
  }

  async #openSegment(number: number): Promise<Segment> {
    const core = this.#logs.open(journalName(number))
    await core.ready()
    return new Segment(number, core, this.#state.memberOf)
  }

  /** Begins a new segment if the current one is full or the tick lies too far from its beginning; where it can, not within an interval. */
  async roll(at: number): Promise<void> {
    const { startedAt, endedAt, bytes, streamBytes, number } = this.current
    if (startedAt === undefined) return
    const { segmentMs, segmentBytes } = this.#limits
    const interval = segmentMs >= 2 * rollupMs ? rollupMs : 1
    const begun = (time: number) => Math.floor(time / interval) * interval
    const size = Math.max(bytes / segmentBytes, streamBytes / (2 * segmentBytes))
    const full =
      Math.abs(begun(at) - begun(startedAt)) >= segmentMs || size >= most || (size >= 1 && begun(at) !== begun(endedAt))
    if (!full) return
    await this.#logs.publish(journalName(number + 1), this.current.core.length)
    this.#segments.push(await this.#openSegment(number + 1))
  }

  /**
   * One bounded piece of the work that turns finished segments into chunks, and drops what is not kept. On a disk that is nearly full the
   * dropping comes first, for without room nothing else is done.
   */
  async tidy(pressure: Pick<Space, 'givingWay' | 'gaveWay'>): Promise<void> {
    if (pressure.givingWay.length > 0 && (await this.#yieldTo(pressure))) return
    const oldest = this.#segments[0]!
    if (!this.#fold && oldest !== this.current) this.#fold = this.#foldInto(this.#newestTable(oldest), oldest)
    if (this.#fold && !this.#fold.done) return this.#step(this.#fold)
    if (this.#fold) return this.#finish(this.#fold)
    const kept = this.#kept[0]
    if (kept && this.#state.needsNothingUpTo(kept.number)) return this.#forget(kept)
    if (this.#aged) await this.#dropOld()
  }

  #newestTable({ number }: Segment): number {
    const inVolume = this.#spans.filter(({ segment }) => volumeOf(segment) === volumeOf(number))
    return Math.max(0, ...inVolume.map(({ table = 0 }) => table))
  }

  #foldInto(table: number, segment: Segment): Fold {
    const { foldSteps: steps, foldLeast: least } = this.#limits
    return new Fold({ volumes: this.#volumes, logs: this.#logs, main: this.#main }, segment, { table, steps, least })
  }

  async #step(fold: Fold): Promise<void> {
    try {
      await fold.step()
      this.#failures = 0
    } catch (error) {
      if (fold.packing && ++this.#failures >= maxFailures) await this.#goOn(fold, error)
      throw error
    }
  }

  /**
   * A table that cannot be written any more stays as it is, and the history goes on in another: all of the segment, as the journal has it, for
   * what was moved already is in memory no more. Where the table holds nothing yet, it is not the table, and another one would be no better.
   */
  async #goOn({ segment: { number, core }, table }: Fold, error: unknown): Promise<void> {
    this.#failures = 0
    const name = rawName(number, table)
    const blank = await this.#volumes.with(name, async ({ core: { length } }) => length === 0).catch(() => false)
    if (blank) return
    const again = new Segment(number, core, this.#state.memberOf)
    const replay = new Replay(new State(), this.#gone, this.#log)
    await replay.read(again, true)
    this.#segments[0] = again
    this.#fold = this.#foldInto(table + 1, again)
    this.stats.damagedBlocks += replay.damaged
    this.stats.abandonedTables++
    this.#log.error({ table: name, err: error }, 'a table of history cannot be written any more: it goes on in another')
  }

  /** Work on the oldest full volume that is not put together yet; undefined without any. */
  nextMerge(): Merge | undefined {
    const end = volumeOf(this.#progress.chunked)
    for (let volume = this.#progress.rawFrom; volume < end; volume++) {
      if (this.#days.has(volume) || this.#progress.chunked < (this.#passedOver.get(volume) ?? 0)) continue
      const spans = this.#spans.filter(({ segment }) => volumeOf(segment) === volume)
      const parts = { volumes: this.#volumes, logs: this.#logs, log: this.#log, memberOf: this.#state.memberOf }
      const chunks =
        this.#damaged.has(volume) || spans.some(({ table }) => table !== undefined)
          ? new SalvagedChunks(this.#volumes, spans, this.#log)
          : new TableChunks(this.#volumes, volume)
      return new Merge(parts, volume, spans, chunks)
    }
    return undefined
  }

  /**
   * It was tried often enough to put the volume together. From now on with what can be read; where that fails, too, it stays as it is for about
   * a day, so that others are put together meanwhile, and is dropped when its time comes.
   */
  giveUp(volume: number): void {
    if (this.#damaged.has(volume)) this.#passedOver.set(volume, this.#progress.chunked + rawSpan)
    else this.#damaged.add(volume)
  }

  /** From here on the volume is read from its days. */
  async merged(merge: Merge): Promise<void> {
    const day = await merge.day()
    await merge.close()
    const progress = { ...this.#progress, format }
    await putAll(this.#main, [
      [keys.day(day.volume), day],
      [keys.state, progress],
    ])
    this.#progress = progress
    this.#days.set(day.volume, day)
    this.stats.mergedVolumes++
    this.#passedOver.delete(day.volume)
    this.stats.damagedBlocks += merge.damaged
    if (day.lost !== undefined) {
      this.stats.salvagedVolumes++
      const { volume, from, to, lost } = day
      this.#log.error(
        { volume, from, to, lost },
        'a day of history was put together from what can be read; the rest is lost',
      )
    }
    for (const name of this.#logs.tablesOf(day.volume)) await this.#logs.clear(name)
    this.#aged = true
  }

  /** From here on the segment counts as chunks: one batch says so. */
  async #finish(fold: Fold): Promise<void> {
    const { segment, packed } = fold
    const progress = { ...this.#progress, chunked: segment.number + 1 }
    const volume = volumeOf(segment.number)
    const spans = segment.samples > 0 ? [...this.#spans, await fold.span()] : this.#spans
    const inVolume = spans.filter((span) => volumeOf(span.segment) === volume)
    await putAll(this.#main, [
      [keys.volume(volume), inVolume],
      [keys.state, progress],
    ])
    this.#progress = progress
    this.#spans = spans
    const pace = (2 * segment.devices) / (rawSpan * Math.max(1, segment.ticks))
    this.mergePace = Math.max(this.#limits.mergeLeast, pace)
    this.#segments.shift()
    this.#kept.push(segment)
    segment.events.length = 0
    segment.settings.length = 0
    this.#fold = undefined
    this.#aged = true
    this.stats.foldedSegments++
    for (const name of ['packedSamples', 'rawBytes'] as const) this.stats[name] += packed[name]
  }

  async #forget(segment: Segment): Promise<void> {
    const progress = { ...this.#progress, format, cleared: segment.number + 1 }
    const gone = [...this.#gone].filter(([, { segment: number }]) => number <= segment.number).map(([id]) => id)
    await putAll(this.#main, [[keys.state, progress]], gone.map(keys.gone))
    for (const id of gone) this.#gone.delete(id)
    this.#progress = progress
    this.#kept.shift()
    await segment.core.close()
    await this.#logs.clear(journalName(segment.number), segment.bytes >= worthCompacting)
  }

  /** Drops the oldest day of a tier if there is too much of it. */
  async #dropOld(): Promise<void> {
    const tier = this.#retention.next(this.#history)
    if (tier) await this.#drop(tier)
    else this.#aged = false
  }

  /** The same for the disk; false if nothing may go. */
  async #yieldTo(pressure: Pick<Space, 'givingWay' | 'gaveWay'>): Promise<boolean> {
    const tier = this.#retention.yielding(this.#history, pressure.givingWay)
    if (!tier) return false
    const bytes = this.#days.get(keptFrom(this.#progress, tier))?.bytes[tier] ?? 0
    // Before, for on a full disk it may fail to give the space back, every time.
    pressure.gaveWay(bytes)
    await this.#drop(tier)
    return true
  }

  get #history(): History {
    return {
      progress: this.#progress,
      spans: this.#spans,
      days: this.#days,
      bytes: this.dayBytes,
      givenUp: this.#passedOver,
    }
  }

  async #drop(tier: Tier): Promise<void> {
    const volume = keptFrom(this.#progress, tier)
    if (tier === 'raw' && !this.#days.has(volume))
      this.#log.error(
        { volume },
        'history that could not be put together is dropped: of its time there is nothing any more',
      )
    const progress: Progress =
      tier === 'raw'
        ? { ...this.#progress, rawFrom: volume + 1 }
        : { ...this.#progress, from: { ...this.#progress.from, [tier]: volume + 1 } }
    await putAll(this.#main, [[keys.state, progress]])
    this.#progress = progress
    await this.#clear(tier, volume)
    this.stats.droppedVolumes++
  }

  async #clear(tier: Tier, volume: number): Promise<void> {
    if (tier === '1h' && (volume + 1) % hoursSpan !== 0) return
    const name = tierName(tier, volume)
    if (this.#logs.knows(name)) await this.#logs.clear(name)
    if (tier === 'raw') for (const name of this.#logs.tablesOf(volume)) await this.#logs.clear(name)
  }
}
