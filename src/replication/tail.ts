import type Hypercore from 'hypercore'
import { type Clock, type Event, type Log, SdkError } from '#model'
import type { Directory, Progress } from './directory.js'
import type { Exchange } from './exchange.js'
import { withoutSamples } from './frame.js'
import { FrameReader } from './frames.js'
import { journalName, keys, type Patience } from './layout.js'
import { Replay } from './replay.js'
import { Segment } from './segment.js'
import { State } from './state.js'
import { othersTurn, Turns } from './turns.js'
import type { Change, FeedEnd, FollowLimits } from './types.js'

/** Blocks in turn, or devices in them, after which others have a turn and listeners hear of what was read: until then it is there twice. */
const blocksInTurn = 32
const devicesInTurn = 2000
/** So often a block that nobody has is asked for before it counts as a gap. */
const maxTries = 3

interface Parts {
  readonly directory: Directory
  readonly exchange: Exchange
  /** A session of the log, closed by whoever asked. */
  readonly open: (name: string) => Hypercore
  readonly log: Log
  readonly wake: () => void
  /** Nothing after this is read. */
  readonly end: () => FeedEnd | undefined
  readonly clock: Clock
  readonly limits: FollowLimits
  readonly worker: string
  readonly changed: (change: Change) => void
}

/** The newest frames of somebody else's feed: read in order as they arrive, they are the last records and the latest samples. */
export class Tail {
  readonly state = new State()
  readonly stats = { frames: 0, missingBlocks: 0, damagedBlocks: 0 }
  newestAt: number | null = null
  hasSpoken = false
  readonly #parts: Parts
  readonly #replay: Replay
  /** Oldest first. Chunked ones stand here for the last records alone. */
  #segments: Segment[] = []
  /** Read to their end and gone from the journal; their samples wait for the chunks. */
  #held: Segment[] = []
  /** Where the newest word on a device stands: segment and block. */
  readonly #places = new Map<string, { segment: number; block: number }>()
  #changed = new Set<string>()
  #removed = new Set<string>()
  #events: Event[] = []
  #reader: { segment: number; reader: FrameReader } | undefined
  #tries = 0
  readonly #turns = new Turns()
  #closed = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#replay = new Replay(this.state, parts.directory.gone, parts.log)
  }

  /** Those with samples, oldest first. */
  get segments(): readonly Segment[] {
    return [...this.#held, ...this.#segments]
  }

  get behind(): number {
    return this.#segments.reduce((sum, each) => sum + Math.max(0, this.#length(each) - each.blocks), 0)
  }

  /** Blocks of the segment that may be read. */
  #length({ number, core }: Segment): number {
    const end = this.#parts.end()
    return end?.journal === number ? Math.min(core.length, end.blocks) : core.length
  }

  /** Reads on to the end of what is there. `inChunks`: whether the chunks of a segment can be read instead of its frames. */
  async read(progress: Progress, patience: Patience, inChunks: (segment: number) => boolean): Promise<void> {
    const chunked = (segment: number) => segment < progress.chunked && inChunks(segment)
    try {
      await this.#release(progress, chunked)
      for (let segment = await this.#first(progress); segment; segment = await this.#next(segment)) {
        await this.#readSegment(segment, !chunked(segment.number), patience)
      }
    } finally {
      this.#flush()
    }
  }

  /** Lets go of samples that can be read from chunks, and of whole segments that nothing is needed from. */
  async #release({ cleared }: Progress, chunked: (segment: number) => boolean): Promise<void> {
    for (const segment of this.#segments) if (chunked(segment.number)) segment.forgetSamples()
    this.#held = this.#held.filter(({ number }) => !chunked(number))
    const over = this.#segments.filter(({ number }) => number < cleared)
    this.#segments = this.#segments.filter(({ number }) => number >= cleared)
    for (const segment of over) {
      const { number, core } = segment
      // Half of the samples are worth less than all of them, later.
      if (!chunked(number) && segment.blocks === core.length) this.#held.push(segment)
      core.off('append', this.#parts.wake)
      await core.clear(0, core.length)
      await core.close()
      await this.#parts.exchange.drop(journalName(number))
    }
  }

  async #first({ cleared }: Progress): Promise<Segment | undefined> {
    return this.#segments.at(-1) ?? this.#open(cleared)
  }

  /** The one after it, once all of it is read. */
  async #next({ number, blocks }: Segment): Promise<Segment | undefined> {
    const entry = this.#parts.directory.logs.get(journalName(number + 1))
    return entry && blocks >= (entry.after ?? 0) ? this.#open(number + 1) : undefined
  }

  async #open(number: number): Promise<Segment | undefined> {
    const name = journalName(number)
    if (this.#closed || !this.#parts.directory.logs.has(name)) return undefined
    const core = this.#parts.open(name)
    await core.ready()
    core.on('append', this.#parts.wake)
    core.download({ start: 0, end: -1 })
    this.#parts.exchange.add(name, core.session())
    const segment = new Segment(number, core, this.state.memberOf, true)
    this.#segments.push(segment)
    return segment
  }

  #readerOf({ number }: Segment): FrameReader {
    if (this.#reader?.segment !== number) this.#reader = { segment: number, reader: new FrameReader() }
    return this.#reader.reader
  }

  async #readSegment(segment: Segment, whole: boolean, patience: Patience): Promise<void> {
    for (let turn = 1; segment.blocks < this.#length(segment) && !this.#closed; turn++) {
      const block = segment.blocks
      const bytes = await this.#block(segment, patience)
      const reader = this.#readerOf(segment)
      if (bytes) await this.#take(segment, reader, bytes, whole)
      else reader.skip()
      segment.blocks = block + 1
      if (turn % blocksInTurn === 0 || this.#changed.size >= devicesInTurn) {
        this.#flush()
        await othersTurn()
      }
    }
  }

  /** Undefined if nobody has it. Throws while there is hope. */
  async #block({ core, number, blocks }: Segment, patience: Patience): Promise<Uint8Array | undefined> {
    try {
      const bytes = await core.get(blocks, patience)
      if (!bytes) throw new SdkError('UNAVAILABLE', 'a block is not here, and nobody is connected')
      this.#tries = 0
      return bytes
    } catch (error) {
      if (!patience.wait || this.#closed || ++this.#tries < maxTries) throw error
      this.#tries = 0
      this.stats.missingBlocks++
      this.#parts.log.warn(
        { worker: this.#parts.worker, segment: number, block: blocks },
        'a frame is with nobody: a gap',
      )
      return undefined
    }
  }

  async #take(segment: Segment, reader: FrameReader, bytes: Uint8Array, whole: boolean): Promise<void> {
    const block = segment.blocks
    try {
      const frame = await this.#turns.all(reader.decoding(bytes))
      if (frame.lost) this.stats.damagedBlocks++
      await this.#turns.all(segment.adding(whole ? frame : withoutSamples(frame), 1, bytes.length))
      this.#replay.take(segment, block, frame)
      this.newestAt = frame.at
      this.stats.frames++
      const said = (id: string) => {
        this.#changed.add(id)
        this.#places.set(id, { segment: segment.number, block })
      }
      for (const id of frame.rows.ids) said(id)
      for (const { id } of frame.records) said(id)
      this.hasSpoken ||= frame.rows.count > 0 || frame.records.length > 0
      if (whole) this.#events.push(...frame.events)
    } catch (error) {
      if (error instanceof SdkError && error.code === 'STORE_NEWER') throw error
      this.stats.damagedBlocks++
      this.#parts.log.error(
        { worker: this.#parts.worker, segment: segment.number, block, err: error },
        'a frame cannot be read',
      )
    }
  }

  /** The device was removed, unless a later frame speaks of it again. It is told of one, too, that only an earlier feed has spoken of. */
  removed(id: string): void {
    const gone = this.#parts.directory.gone.get(id)
    const place = this.#places.get(id)
    if (!gone) return
    if (place && (place.segment > gone.segment || (place.segment === gone.segment && place.block >= gone.block))) return
    this.state.remove(id)
    this.#removed.add(id)
    this.#changed.delete(id)
  }

  /** Something of `main` changed that the directory has taken in. */
  noted(key: string): void {
    if (key.startsWith(keys.gones)) this.removed(decodeURIComponent(key.slice(keys.gones.length)))
  }

  /** What stands in `main` beside the shape of the feed: events of the inventory come nowhere else. */
  event(key: string, value: unknown): void {
    if (keys.isOwnEvent(key)) this.#events.push(value as Event)
  }

  #flush(): void {
    this.#replay.finish()
    const records = [...this.#changed].flatMap((id) => this.state.get(id) ?? [])
    const removed = [...this.#removed].filter((id) => !this.state.get(id))
    const change = { records, removed, events: this.#events }
    this.#changed = new Set()
    this.#removed = new Set()
    this.#events = []
    if (records.length + change.removed.length + change.events.length > 0) this.#parts.changed(change)
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const { core } of this.#segments) {
      core.off('append', this.#parts.wake)
      await core.close()
    }
  }
}
