import type Corestore from 'corestore'
import type { Log } from '#model'
import type { Gone, Progress, SegmentSpan } from './directory.js'
import { Fold } from './fold.js'
import { format, journalName, keys, type Main, putAll, rawName, rawSpan, rollupName, rollupSpan } from './layout.js'
import type { Logs } from './logs.js'
import { Replay } from './replay.js'
import { Segment } from './segment.js'
import type { State } from './state.js'
import type { StoreLimits } from './types.js'
import type { Volumes } from './volumes.js'

const nearlyAll = 0.9

/** The newest history: frames in order, in segments. Finished segments become chunks and are then cleared. */
export class Journal {
  readonly #cores: Corestore
  readonly #logs: Logs
  readonly #volumes: Volumes
  readonly #main: Main
  readonly #state: State
  readonly #limits: StoreLimits
  readonly #gone: Map<string, Gone>
  readonly #rawMs: number
  #progress: Progress
  /** Of all chunked segments, oldest first. */
  #spans: SegmentSpan[]
  #segments: Segment[] = []
  /** Chunked, but still needed for the last records. */
  #kept: Segment[] = []
  #fold: Fold | undefined
  /** Something may have become old enough to be dropped. */
  #aged = true
  readonly stats = {
    foldedSegments: 0,
    packedSamples: 0,
    rawBytes: 0,
    rollupBytes: 0,
    droppedVolumes: 0,
    damagedBlocks: 0,
  }

  constructor(parts: {
    cores: Corestore
    logs: Logs
    volumes: Volumes
    main: Main
    state: State
    limits: StoreLimits
    gone: Map<string, Gone>
    progress: Progress
    spans: SegmentSpan[]
    rawMs: number
  }) {
    this.#cores = parts.cores
    this.#logs = parts.logs
    this.#volumes = parts.volumes
    this.#main = parts.main
    this.#state = parts.state
    this.#limits = parts.limits
    this.#gone = parts.gone
    this.#progress = parts.progress
    this.#spans = parts.spans
    this.#rawMs = parts.rawMs
  }

  /** Not chunked yet, oldest first; the last one is written to. */
  get segments(): readonly Segment[] {
    return this.#segments
  }

  get current(): Segment {
    return this.#segments.at(-1)!
  }

  /** The first segment whose raw samples are still there. */
  get rawFrom(): number {
    return this.#progress.rawFrom * rawSpan
  }

  get spans(): readonly SegmentSpan[] {
    const { segment } = this.#fold ?? {}
    return segment ? [...this.#spans, spanOf(segment)] : this.#spans
  }

  /** Reads what is there after a start: at the end the state and the segments are as they were. */
  async open(log: Log): Promise<void> {
    const { chunked, cleared, rawFrom } = this.#progress
    // What a kill may have left half done.
    if (cleared > 0) await this.#logs.clear(journalName(cleared - 1))
    if (rawFrom > 0) await this.#logs.clear(rawName(rawFrom - 1))
    const replay = new Replay(this.#state, this.#gone, log)
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
    for (let segment = rawFrom * rawSpan; segment < chunked; segment += rawSpan)
      await this.#logs.publish(rawName(segment))
    for (let segment = 0; segment < chunked; segment += rollupSpan) await this.#logs.publish(rollupName(segment))
  }

  async #openSegment(number: number): Promise<Segment> {
    const core = this.#logs.open(journalName(number))
    await core.ready()
    return new Segment(number, core)
  }

  /** Begins a new segment if the current one is full or the tick lies too far from its beginning. */
  async roll(at: number): Promise<void> {
    const { startedAt, bytes, streamBytes, number } = this.current
    if (startedAt === undefined) return
    const { segmentMs, segmentBytes } = this.#limits
    const full = Math.abs(at - startedAt) >= segmentMs || bytes >= segmentBytes || streamBytes >= 2 * segmentBytes
    if (!full) return
    await this.#logs.publish(journalName(number + 1), this.current.core.length)
    this.#segments.push(await this.#openSegment(number + 1))
  }

  /** One bounded piece of the work that turns finished segments into chunks. */
  async tidy(): Promise<void> {
    const oldest = this.#segments[0]!
    if (!this.#fold && oldest !== this.current) {
      this.#fold = new Fold({ volumes: this.#volumes, logs: this.#logs, main: this.#main }, oldest, {
        steps: this.#limits.foldSteps,
        least: this.#limits.foldLeast,
      })
    }
    if (this.#fold && !this.#fold.done) return this.#fold.step()
    if (this.#fold) return this.#finish(this.#fold)
    const kept = this.#kept[0]
    if (kept && this.#state.needsNothingUpTo(kept.number)) return this.#forget(kept)
    if (this.#aged) await this.#dropOldest()
  }

  /** From here on the segment counts as chunks: one batch says so. */
  async #finish(fold: Fold): Promise<void> {
    const { segment, packed } = fold
    const progress = { ...this.#progress, chunked: segment.number + 1 }
    const volume = Math.floor(segment.number / rawSpan)
    const spans = segment.samples > 0 ? [...this.#spans, await fold.span()] : this.#spans
    const inVolume = spans.filter((span) => Math.floor(span.segment / rawSpan) === volume)
    await putAll(this.#main, [
      [keys.volume(volume), inVolume],
      [keys.state, progress],
    ])
    this.#progress = progress
    this.#spans = spans
    this.#segments.shift()
    this.#kept.push(segment)
    segment.events.length = 0
    segment.settings.length = 0
    this.#fold = undefined
    this.#aged = true
    this.stats.foldedSegments++
    for (const name of ['packedSamples', 'rawBytes', 'rollupBytes'] as const) this.stats[name] += packed[name]
  }

  async #forget(segment: Segment): Promise<void> {
    const progress = { ...this.#progress, format, cleared: segment.number + 1 }
    const gone = [...this.#gone].filter(([, { segment: number }]) => number <= segment.number).map(([id]) => id)
    await putAll(this.#main, [[keys.state, progress]], gone.map(keys.gone))
    for (const id of gone) this.#gone.delete(id)
    this.#progress = progress
    this.#kept.shift()
    await segment.core.close()
    await this.#logs.clear(journalName(segment.number))
  }

  /** Drops the oldest volume of raw samples if all of them are too old. */
  async #dropOldest(): Promise<void> {
    const { rawFrom } = this.#progress
    if (!this.#isTooOld(rawFrom)) {
      this.#aged = false
      return
    }
    const progress = { ...this.#progress, rawFrom: rawFrom + 1 }
    await putAll(this.#main, [[keys.state, progress]])
    this.#progress = progress
    await this.#logs.clear(rawName(rawFrom))
    await this.#cores.storage.compact()
    this.stats.droppedVolumes++
  }

  /**
   * By the times of nearly all of its samples, and by how much was stored after it: a clock that was wrong for a moment neither drops anything
   * nor keeps it for ever.
   */
  #isTooOld(volume: number): boolean {
    const newest = this.#spans.at(-1)
    if (!newest) return false
    const later = newest.segment - (volume + 1) * rawSpan
    const ends = this.#spans.filter(({ segment }) => Math.floor(segment / rawSpan) === volume).map(({ to }) => to)
    const last = ends.sort((a, b) => a - b)[Math.floor(ends.length * nearlyAll)] ?? 0
    return later * this.#limits.segmentMs >= this.#rawMs && last < newest.to - this.#rawMs
  }
}

function spanOf({ number, from, to }: Segment): SegmentSpan {
  return { segment: number, from, to }
}
