import { type Metric, SdkError } from '#model'
import { unpack } from './block.js'
import { damaged, Reading, Writer } from './bytes.js'
import { Column } from './column.js'
import { type Care, type Curve, type Partner, readCurve, type Signs, writeCurve } from './curve.js'
import type { Hint } from './hints.js'
import { Odds, RangeDecoder, RangeEncoder } from './range.js'
import { isColumnName, type Shape, shapeOf } from './shape.js'
import type { Stream } from './stream.js'
import { decodeTable, type Column as Named, type Table } from './table.js'
import { atOnce } from './turns.js'
import { packWords, unpackWords } from './words.js'

/**
 * One device's samples of a segment: each column for itself, so that who wants few reads few.
 *
 * A block: version, rows, names (length, packed), then for each column its flags and its coded values with their length; the time first. Since version 3 long columns are curves.
 */
const chunkVersion = 3
const firstCoded = 2
const maxRows = 1_000_000
const timeName = '#at'

// Flags of a column
const gaps = 1
const hinted = 2
const constant = 4
/** Coded as a curve: quick to read, worth it from so many values on. */
const curved = 8
const fewest = 100

/** Samples or intervals in the order of time. */
export interface Samples {
  readonly at: Float64Array
  readonly columns: readonly Named[]
}

/** What is soon put together with others is made quickly; what stays is made small. */
export const care = {
  quick: { rows: 128, partners: 0 },
  some: { rows: 500, partners: 0 },
  most: { rows: 3000, partners: 2 },
} as const satisfies Record<string, Care>

/** The samples of a stream as a chunk. */
export function chunkOf(stream: Stream, taken: Care = care.quick): Uint8Array {
  return encodeChunk(ordered(samplesOf(stream)), taken)
}

function samplesOf(stream: Stream): Samples {
  const at = new Float64Array(stream.count)
  // Buffers are dear, views are not.
  const all = new Float64Array(stream.names.length * stream.count)
  const columns = stream.names.map(
    (name, place): Named => ({ name, values: all.subarray(place * stream.count, (place + 1) * stream.count) }),
  )
  let count = 0
  stream.read((time, row) => {
    at[count] = time
    for (let column = 0; column < columns.length; column++) columns[column]!.values[count] = row[column] ?? Number.NaN
    count++
  })
  return { at, columns }
}

/** In the order of time, of several at the same moment the one that came last. */
export function ordered({ at, columns }: Samples): Samples {
  const order = orderOf(at)
  if (!order) return { at, columns }
  const sorted = (column: Float64Array) => order.map((row) => column[row]!)
  return { at: sorted(at), columns: columns.map(({ name, values }) => ({ name, values: sorted(values) })) }
}

export function encodeChunk(samples: Samples, taken: Care = care.most): Uint8Array {
  return atOnce(encoding(samples, taken))
}

/** Makes a chunk a column at a time, so that others can have their turn in between. */
export function* encoding({ at, columns }: Samples, taken: Care): Generator<undefined, Uint8Array> {
  const names = columns.map(({ name }) => name)
  const shape = shapeOf(names)
  const { hints } = shape
  const words = packedNames(shape)
  const out = new Writer(1024)
  out.byte(chunkVersion)
  out.varint(at.length)
  out.varint(words.length)
  out.raw(words)
  writeColumn(out, timeName, at, undefined, [], taken)
  const all = columns.map(({ values }) => values)
  const partners: Partner[] = []
  for (const [place, { name, values }] of columns.entries()) {
    yield
    const hint = hints[place]
    const curve = writeColumn(out, name, values, hint && hintedBy(hint, all, values.length), partners, taken)
    if (taken.partners > 0 && curve?.signs) partners.push({ place, signs: curve.signs() })
  }
  return out.view().slice()
}

/** What other columns say of a column, row by row. */
interface Said {
  readonly asChange: boolean
  readonly values: Float64Array
}

function hintedBy({ kind, inputs, of }: Hint, columns: readonly (Float64Array | undefined)[], rows: number): Said {
  const values = new Float64Array(columns.length)
  const said = new Float64Array(rows)
  const theirs = inputs.map((place) => ({ place, column: columns[place] ?? new Float64Array(rows).fill(Number.NaN) }))
  for (let row = 0; row < rows; row++) {
    for (const { place, column } of theirs)
      values[place] = kind === 'change' ? column[row]! - (column[row - 1] ?? Number.NaN) : column[row]!
    said[row] = of(values)
  }
  return { asChange: kind === 'change', values: said }
}

function writeColumn(
  out: Writer,
  name: string,
  values: Float64Array,
  said: Said | undefined,
  partners: readonly Partner[],
  taken: Care,
): Curve | undefined {
  const { isConstant, known } = lookedAt(values)
  const hasGaps = known < values.length
  const rows = isConstant || known < fewest ? undefined : hasGaps ? knownRows(values, known) : every(values.length)
  const hint = said?.asChange ? undefined : said?.values
  const drawn = rows ? writeCurve(values, rows, hint, partners, taken) : undefined
  if (drawn) {
    const runs = hasGaps ? runsOf(rows!) : undefined
    out.byte(curved | (hasGaps ? gaps : 0) | (drawn.signs ? 0 : hinted))
    out.varint(drawn.bytes.length + (runs?.length ?? 0))
    if (runs) out.raw(runs)
    out.raw(drawn.bytes)
    return drawn
  }
  const helps = !isConstant && said && isHelpful(said, values)
  const bytes = codeColumn(name, isConstant ? values.subarray(0, 1) : values, hasGaps, helps ? said : undefined)
  out.byte((hasGaps ? gaps : 0) | (helps ? hinted : 0) | (isConstant ? constant : 0))
  out.varint(bytes.length)
  out.raw(bytes)
  return undefined
}

/** Whether all values are the same one, and how many are known. */
function lookedAt(values: Float64Array): { isConstant: boolean; known: number } {
  const first = values[0] ?? Number.NaN
  let same = 0
  let known = 0
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    if (value === first) same++
    if (!Number.isNaN(value)) known++
  }
  return { isConstant: same === values.length, known }
}

function knownRows(values: Float64Array, known: number): Uint32Array {
  const rows = new Uint32Array(known)
  let count = 0
  for (let row = 0; row < values.length; row++) if (!Number.isNaN(values[row])) rows[count++] = row
  return rows
}

let everyRow = new Uint32Array(0)

/** So many rows from the first one on. */
function every(count: number): Uint32Array {
  if (everyRow.length < count) {
    everyRow = new Uint32Array(2 * count)
    for (let row = 0; row < everyRow.length; row++) everyRow[row] = row
  }
  return everyRow.subarray(0, count)
}

/** Which rows are known: how many runs of them, and before each run how many rows are not, and how many are. */
function runsOf(rows: Uint32Array): Uint8Array {
  const runs: number[] = []
  let next = -1
  for (const row of rows) {
    if (row === next) runs[runs.length - 1]!++
    else runs.push(row - Math.max(0, next), 1)
    next = row + 1
  }
  const out = new Writer(16)
  out.varint(runs.length / 2)
  for (const run of runs) out.varint(run)
  return out.view().slice()
}

function readRuns(from: Reading, count: number): Uint32Array {
  const rows = new Uint32Array(count)
  let known = 0
  let row = 0
  for (let left = from.varint(); left > 0; left--) {
    row += from.varint()
    const end = row + from.varint()
    if (end > count || end < row) throw damaged('a column has too many values')
    while (row < end) rows[known++] = row++
  }
  return rows.subarray(0, known)
}

/** Whether what others say is mostly nearer than the value before: reading then takes those columns, too. */
function isHelpful({ asChange, values: said }: Said, values: Float64Array): boolean {
  let nearer = 0
  for (let row = 1; row < values.length; row++) {
    const change = values[row]! - values[row - 1]!
    const off = Math.abs(asChange ? change - said[row]! : values[row]! - said[row]!)
    if (off < Math.abs(change)) nearer++
    else if (off > Math.abs(change)) nearer--
  }
  return nearer > 0
}

/** Each column is coded, and read, in one go. */
const coder = new RangeEncoder()
const column = new Column()

function codeColumn(name: string, values: Float64Array, hasGaps: boolean, said: Said | undefined): Uint8Array {
  coder.restart()
  column.restart(name)
  const odds = hasGaps ? new Odds(2) : undefined
  let before = 0
  for (let row = 0; row < values.length; row++) {
    const missing = Number.isNaN(values[row]) ? 1 : 0
    if (odds) coder.bit(odds, before, missing)
    before = missing
    if (missing === 0) column.write(coder, 0, values[row]!, said?.values[row], said?.asChange)
  }
  return coder.finish()
}

/** The columns of these names, and the time; all without names. Throws STORE_NEWER or STORE_FAILED. */
export function readChunk(block: Uint8Array, wanted?: readonly string[]): Table {
  const version = block[0] ?? 0
  if (version > chunkVersion)
    throw new SdkError('STORE_NEWER', `a block has version ${version}, this program reads up to ${chunkVersion}`)
  if (version < firstCoded)
    return decodeTable(unpack(block), (name) => name === timeName || !wanted || wanted.includes(name))
  const from = new Reading(block.subarray(1))
  const rows = from.varint()
  if (rows > maxRows) throw damaged('it is larger than any that is written')
  const names = readNames(from.raw(from.varint()))
  const stored = [timeName, ...names].map((name) => {
    const flags = from.byte()
    return { name, flags, bytes: from.raw(from.varint()) }
  })
  const drawing = new Drawing(rows, names, stored)
  const columns = new Map<string, Float64Array>([[timeName, drawing.time()]])
  for (const name of wanted ?? names) {
    const values = drawing.values(name)
    if (values) columns.set(name, values)
  }
  return { rows, columns }
}

interface Stored {
  readonly name: string
  readonly flags: number
  readonly bytes: Uint8Array
}

/** Reads columns of a chunk as they are needed, each once. */
class Drawing {
  readonly #rows: number
  /** The time first. */
  readonly #stored: readonly Stored[]
  readonly #shape: Shape
  readonly #values: (Float64Array | undefined)[] = []
  readonly #signs: ((() => Signs) | undefined)[] = []

  constructor(rows: number, names: readonly string[], stored: readonly Stored[]) {
    this.#rows = rows
    this.#stored = stored
    this.#shape = shapeOf(names)
  }

  time(): Float64Array {
    return this.#read(-1)
  }

  values(name: string): Float64Array | undefined {
    const place = this.#shape.placeOf.get(name)
    return place === undefined ? undefined : this.#at(place)
  }

  #at(place: number): Float64Array {
    const known = this.#values[place]
    if (known) return known
    const values = this.#read(place)
    this.#values[place] = values
    return values
  }

  #read(place: number): Float64Array {
    const { name, flags, bytes } = this.#stored[place + 1]!
    const hint = flags & hinted ? this.#shape.hints[place] : undefined
    // Inputs stand before what follows from them.
    for (const input of hint?.inputs ?? []) this.#at(input)
    const said = hint && hintedBy(hint, this.#values, this.#rows)
    if (!(flags & curved)) return decodeColumn(name, flags, bytes, this.#rows, said)
    const from = new Reading(bytes)
    const rows = flags & gaps ? readRuns(from, this.#rows) : every(this.#rows)
    const signsAt = (partner: number) => {
      if (!(partner >= 0 && partner < place)) throw damaged('a column follows one that comes after it')
      this.#at(partner)
      const signs = this.#signs[partner]
      if (!signs) throw damaged('a column follows one that gives no signs')
      return signs()
    }
    const curve = readCurve(from, rows, this.#rows, said?.values, signsAt)
    this.#signs[place] = curve.signs
    return curve.values
  }
}

/** Devices of one kind have the same names, chunk after chunk: packing them costs as much as a column or two. */
const packed = new WeakMap<Shape, Uint8Array>()
const unpacked = new Map<string, readonly string[]>()
const keptNames = 256

function packedNames(shape: Shape): Uint8Array {
  const known = packed.get(shape)
  if (known) return known
  const words = packWords(JSON.stringify(shape.names))
  packed.set(shape, words)
  return words
}

function readNames(words: Uint8Array): readonly string[] {
  const key = Buffer.from(words.buffer, words.byteOffset, words.length).toString('latin1')
  const known = unpacked.get(key)
  if (known) return known
  let names: unknown
  try {
    names = JSON.parse(unpackWords(words))
  } catch (cause) {
    throw damaged('its names cannot be read', cause)
  }
  if (!Array.isArray(names) || !names.every(isColumnName)) throw damaged('its names are none')
  if (unpacked.size >= keptNames) unpacked.clear()
  unpacked.set(key, names)
  return names
}

function decodeColumn(name: string, flags: number, bytes: Uint8Array, rows: number, said: Said | undefined) {
  const coded = new RangeDecoder(bytes)
  column.restart(name)
  const odds = flags & gaps ? new Odds(2) : undefined
  const values = new Float64Array(rows)
  if (flags & constant) return rows > 0 ? values.fill(column.read(coded, 0)) : values
  let before = 0
  for (let row = 0; row < rows; row++) {
    before = odds ? coded.bit(odds, before) : 0
    values[row] = before === 1 ? Number.NaN : column.read(coded, 0, said?.values[row], said?.asChange)
  }
  return values
}

/** The rows in order of time without doubles; undefined if they are so already. */
export function orderOf(at: Float64Array): Float64Array | undefined {
  let ordered = true
  for (let row = 1; row < at.length; row++) if (at[row]! <= at[row - 1]!) ordered = false
  if (ordered) return undefined
  const last = new Map<number, number>()
  for (let row = 0; row < at.length; row++) last.set(at[row]!, row)
  return Float64Array.from(
    [...last].sort(([a], [b]) => a - b),
    ([, row]) => row,
  )
}

/** A roll-up of format 2: beside each metric `name#`, how much stands behind it. */
export function readRollup(block: Uint8Array, metrics: readonly Metric[]): Table {
  return readChunk(
    block,
    metrics.flatMap((name) => [name, `${name}#`]),
  )
}
