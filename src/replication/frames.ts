import { SdkError } from '#model'
import { damaged, Reading, Writer } from './bytes.js'
import { emptyRows, type Frame } from './frame.js'
import { decodeFrame1, type Numbering } from './frame1.js'
import { Group, type RowOrder } from './group.js'
import { RangeDecoder, RangeEncoder } from './range.js'
import { isColumnName, type Shape, shapeOf } from './shape.js'
import { atOnce } from './turns.js'
import { packWords, unpackWords } from './words.js'

/**
 * Frames as blocks. A frame goes on from those before it in its group: few bytes, and nothing of the group can be read after one that is
 * lost. So groups are short, and each begins with nothing known.
 *
 * A block: version, place in the group, the group's mark, time (since the last frame of the group), words (length, packed), coded rows: see
 * `RowOrder`.
 */
const frameVersion = 4
/** How the rows of earlier versions are coded. */
const orders: Readonly<Record<number, RowOrder>> = { 2: 'rows', 3: 'columns' }
const groupMs = 600_000
const groupFrames = 600
/** Words are packed in one go: more of them become several blocks, written together. */
const recordsPerBlock = 100

interface Words {
  readonly ids?: string[]
  readonly shapes?: (readonly string[])[]
  readonly records?: Frame['records']
  readonly events?: Frame['events']
  readonly settings?: Frame['settings']
}

/** Makes the blocks of one journal, in their order. */
export class FrameWriter {
  #group = new Group()
  #place = 0
  #startedAt = 0
  #at = 0

  /** The next frame is the first of a new group. */
  begin(): void {
    this.#group = new Group(this.#group)
    this.#place = 0
  }

  /** The blocks of a frame, nearly always one. If they were not all stored, say so with `begin`. */
  encode(frame: Frame): Uint8Array[] {
    return atOnce(this.encoding(frame))
  }

  /** The same, with pauses. */
  *encoding({ rows, records, ...frame }: Frame): Generator<undefined, Uint8Array[]> {
    if (this.#place >= groupFrames || Math.abs(frame.at - this.#startedAt) >= groupMs) this.begin()
    const blocks = [yield* this.#block({ ...frame, rows, records: records.slice(0, recordsPerBlock) })]
    for (let from = recordsPerBlock; from < records.length; from += recordsPerBlock) {
      yield
      const some = records.slice(from, from + recordsPerBlock)
      blocks.push(yield* this.#block({ at: frame.at, rows: emptyRows(0), records: some, events: [], settings: [] }))
    }
    return blocks
  }

  *#block({ at, rows, records, events, settings }: Frame): Generator<undefined, Uint8Array> {
    if (this.#place === 0) this.#startedAt = at
    const group = this.#group
    const knownIds = group.ids.length
    const knownShapes = group.shapes
    const shapes: Shape[] = []
    for (let row = 0; row < rows.count; row++) {
      group.numberOf(rows.ids[row]!)
      if (rows.read[row] === 1 && group.shapeNumber(rows.rows[row]!.shape) >= knownShapes + shapes.length)
        shapes.push(rows.rows[row]!.shape)
    }
    const words: Words = {
      ...(group.ids.length > knownIds && { ids: group.ids.slice(knownIds) }),
      ...(shapes.length > 0 && { shapes: shapes.map(({ names }) => names) }),
      ...(records.length > 0 && { records }),
      ...(events.length > 0 && { events }),
      ...(settings.length > 0 && { settings }),
    }
    const text = Object.keys(words).length === 0 ? undefined : packWords(JSON.stringify(words))
    const coder = new RangeEncoder()
    if (rows.count > 0) yield* group.writing(coder, rows, at)
    const coded = coder.finish()
    const out = new Writer(32 + (text?.length ?? 0) + coded.length)
    out.byte(frameVersion)
    out.varint(this.#place)
    out.varint(markOf(this.#startedAt))
    out.signed(Math.round(this.#place === 0 ? at : at - this.#at))
    out.varint(text?.length ?? 0)
    if (text) out.raw(text)
    out.byte(rows.count > 0 ? 1 : 0)
    out.raw(coded)
    this.#place++
    this.#at = Math.round(at)
    return out.view().slice()
  }
}

/** Reads the blocks of one journal, in their order. */
export class FrameReader {
  /** Of format 1: devices by number. */
  readonly #numbering: Numbering = []
  #group: Group | undefined
  #next = 0
  #mark = 0
  #at = 0

  /** Throws STORE_NEWER or STORE_FAILED if the block is not a frame that this version can read; `lost` says that its rows cannot be. */
  decode(block: Uint8Array): Frame {
    return atOnce(this.decoding(block))
  }

  /** The same, with pauses. */
  *decoding(block: Uint8Array): Generator<undefined, Frame> {
    const version = block[0] ?? 0
    if (version > frameVersion)
      throw new SdkError('STORE_NEWER', `a block has version ${version}, this program reads up to ${frameVersion}`)
    if (version < 2) return decodeFrame1(block, this.#numbering)
    try {
      return yield* this.#decoding(new Reading(block.subarray(1)), orders[version])
    } catch (error) {
      this.skip()
      throw error
    }
  }

  /** A block is missing: what goes on from it cannot be read. */
  skip(): void {
    this.#group = undefined
  }

  *#decoding(from: Reading, order?: RowOrder): Generator<undefined, Frame> {
    const place = from.varint()
    const mark = from.varint()
    const time = from.signed()
    const text = from.raw(from.varint())
    const {
      ids = [],
      shapes = [],
      records = [],
      events = [],
      settings = [],
    }: Words = text.length > 0 ? (readWords(text) as Words) : {}
    const hasRows = from.byte() === 1
    if (place === 0) this.#group = new Group(this.#group)
    else if (place !== this.#next || mark !== this.#mark) this.skip()
    const group = this.#group
    const at = place === 0 ? time : this.#at + time
    this.#next = place + 1
    this.#mark = mark
    this.#at = at
    const said = { records, events, settings }
    if (!group) return { at: newest(said), rows: emptyRows(0), ...said, ...(hasRows && { lost: true }) }
    group.learnIds(ids)
    for (const names of shapes) group.shapeNumber(shapeOf(checked(names)))
    const rows = hasRows ? yield* group.reading(new RangeDecoder(from.raw(from.left)), at, order) : emptyRows(0)
    return { at, rows, ...said }
  }
}

/** Tells a group from the one before it, in two bytes. */
function markOf(startedAt: number): number {
  return Math.abs(Math.round(startedAt)) % 16_384
}

function readWords(text: Uint8Array): unknown {
  try {
    return JSON.parse(unpackWords(text))
  } catch (cause) {
    throw damaged('its words cannot be read', cause)
  }
}

function checked(names: readonly string[]): readonly string[] {
  if (!Array.isArray(names) || !names.every(isColumnName)) throw damaged('it has a shape that is none')
  return names
}

/** The time of a frame whose group is lost: that of what it says. */
function newest({ records, events }: Pick<Frame, 'records' | 'events'>): number {
  return Math.max(0, ...events.map(({ at }) => at), ...records.map(({ at }) => at ?? 0))
}
