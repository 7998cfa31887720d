import type Hypercore from 'hypercore'
import type { Event } from '#model'
import { Crowd, type Member } from './crowd.js'
import type { Frame, Rows } from './frame.js'
import { keys } from './layout.js'
import { metricsOnly } from './shape.js'
import { Stream } from './stream.js'
import type { Tick } from './types.js'

const rowsInTurn = 32

type Setting = NonNullable<Tick['settings']>[number]

/** Something that waits in the journal for its place in `main`; `origin` makes its key the same however often it is moved. */
interface Waiting<T> {
  readonly origin: string
  readonly value: T
}

/** A stretch of the journal whose frames are not chunked yet, and the same samples in memory, by device. */
export class Segment {
  readonly number: number
  readonly core: Hypercore
  /** When its first tick was; undefined while it is empty. */
  startedAt: number | undefined
  /** When its last tick was. */
  endedAt = 0
  /** Of all samples in it, ms; Infinity and -Infinity without any. */
  from = Number.POSITIVE_INFINITY
  to = Number.NEGATIVE_INFINITY
  blocks = 0
  bytes = 0
  samples = 0
  ticks = 0
  /** Of how many devices there are samples. */
  devices = 0
  readonly streams = new Map<string, Stream>()
  readonly events: Waiting<Event>[] = []
  readonly settings: Waiting<Setting>[] = []

  /** What groups of devices make together. */
  crowd: Crowd
  readonly #memberOf: (id: string) => Member | undefined

  readonly #metricsAlone: boolean

  /** `metricsAlone`: the rest is not kept in memory, who only reads has no use for it. */
  constructor(number: number, core: Hypercore, memberOf: (id: string) => Member | undefined, metricsAlone = false) {
    this.#metricsAlone = metricsAlone
    this.number = number
    this.core = core
    this.#memberOf = memberOf
    this.crowd = new Crowd(memberOf)
  }

  /** Bytes of samples in memory: a bound on the size of a segment. */
  streamBytes = 0

  /** They stand in chunks, events and settings in their tables. */
  forgetSamples(): void {
    this.streams.clear()
    this.events.length = 0
    this.settings.length = 0
    this.streamBytes = 0
    this.samples = 0
    this.crowd = new Crowd(this.#memberOf)
  }

  /** Takes in a frame that is in the journal, with pauses. `blocks` and `bytes` are what it takes there. */
  *adding(frame: Frame, blocks: number, bytes: number): Generator<undefined, void> {
    this.startedAt ??= frame.at
    this.endedAt = frame.at
    this.ticks++
    yield* this.#addSamples(frame.rows)
    const origin = (index: number) => keys.origin(this.number, this.blocks, index)
    frame.events.forEach((value, index) => {
      this.events.push({ origin: origin(index), value })
    })
    frame.settings.forEach((value, index) => {
      this.settings.push({ origin: origin(index), value })
    })
    this.blocks += blocks
    this.bytes += bytes
  }

  *#addSamples(rows: Rows): Generator<undefined, void> {
    for (let row = 0; row < rows.count; row++) {
      if (row % rowsInTurn === 0) yield
      if (rows.read[row] !== 1) continue
      const id = rows.ids[row]!
      let stream = this.streams.get(id)
      if (!stream) {
        stream = new Stream()
        this.streams.set(id, stream)
        this.devices++
      }
      const at = Math.round(rows.at[row]!)
      const before = stream.bytes
      stream.push(at, this.#metricsAlone ? metricsOnly(rows.rows[row]!) : rows.rows[row]!)
      this.crowd.add(id, at, rows.rows[row]!)
      this.streamBytes += stream.bytes - before
      this.samples++
      this.from = Math.min(this.from, at)
      this.to = Math.max(this.to, at)
    }
  }
}
