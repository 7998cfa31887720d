import { damaged, Reading, safeInteger, Writer } from './bytes.js'

/** A column of numbers under a name. NaN is "unknown"; it is never written as a number. */
export interface Column {
  readonly name: string
  readonly values: Float64Array
}

/** Most rows a stored table may claim, so that damaged bytes cannot ask for all memory. */
const maxRows = 1_000_000
const maxColumns = 1024
/** Powers of ten by which decimals become whole numbers; with more decimals than that a column is kept as plain doubles. */
export const scales = [1, 10, 100, 1000, 1e4, 1e5, 1e6] as const
export const asDouble = scales.length

// The kind of a column: the scale in the lowest three bits, then
const constant = 8
const gaps = 16

/** The smallest scale from `from` on at which the value is a whole number and comes back exactly; `asDouble` if there is none. */
export function scaleOf(value: number, from = 0): number {
  for (let scale = from; scale < asDouble; scale++) {
    const whole = Math.round(value * scales[scale]!)
    if (whole / scales[scale]! === value) return Math.abs(whole) < safeInteger ? scale : asDouble
  }
  return asDouble
}

/**
 * Columns of equal length as bytes: whole numbers at the column's own decimals, each as the difference to the row above; columns that
 * are all alike once; unknown values in a bitmap; columns without any value not at all. Every value comes back exactly.
 */
export function encodeTable(rows: number, columns: readonly Column[]): Uint8Array {
  const out = new Writer(64 + rows * columns.length)
  const used = columns.filter(({ values }) => hasValue(values, rows))
  out.varint(rows)
  out.varint(used.length)
  const body = new Writer(16 + rows * 3)
  for (const { name, values } of used) {
    body.cut(0)
    const kind = encodeColumn(body, values, rows)
    out.text(name)
    out.byte(kind)
    out.varint(body.length)
    out.raw(body.view())
  }
  return out.view()
}

function hasValue(values: Float64Array, rows: number): boolean {
  for (let row = 0; row < rows; row++) if (!Number.isNaN(values[row])) return true
  return false
}

function encodeColumn(out: Writer, values: Float64Array, rows: number): number {
  let scale = 0
  let known = 0
  let first = Number.NaN
  let same = true
  let largest = 0
  for (let row = 0; row < rows; row++) {
    const value = values[row]!
    if (Number.isNaN(value)) continue
    if (known++ === 0) first = value
    else if (value !== first) same = false
    largest = Math.max(largest, Math.abs(value))
    if (scale < asDouble) scale = scaleOf(value, scale)
  }
  if (scale < asDouble && largest * scales[scale]! >= safeInteger) scale = asDouble
  let kind = scale
  if (known < rows) {
    kind |= gaps
    const bitmap = out.skip((rows + 7) >> 3)
    for (let row = 0; row < rows; row++) if (!Number.isNaN(values[row])) out.mark(bitmap + (row >> 3), 1 << (row & 7))
  }
  if (same) {
    if (scale === asDouble) out.float(first)
    else out.signed(Math.round(first * scales[scale]!))
    return kind | constant
  }
  let last = 0
  for (let row = 0; row < rows; row++) {
    const value = values[row]!
    if (Number.isNaN(value)) continue
    if (scale === asDouble) {
      out.float(value)
    } else {
      const whole = Math.round(value * scales[scale]!)
      out.signed(whole - last)
      last = whole
    }
  }
  return kind
}

export interface Table {
  readonly rows: number
  readonly columns: Map<string, Float64Array>
}

/** The columns that are wanted; the others are skipped unread. Throws STORE_FAILED if the bytes are not a table. */
export function decodeTable(bytes: Uint8Array, wanted: (name: string) => boolean = () => true): Table {
  const from = new Reading(bytes)
  const rows = from.varint()
  const count = from.varint()
  if (rows > maxRows || count > maxColumns) throw damaged('it is larger than any that is written')
  const columns = new Map<string, Float64Array>()
  for (let index = 0; index < count; index++) {
    const name = from.text()
    const kind = from.byte()
    const body = from.raw(from.varint())
    if (wanted(name)) columns.set(name, decodeColumn(new Reading(body), kind, rows))
  }
  return { rows, columns }
}

function decodeColumn(from: Reading, kind: number, rows: number): Float64Array {
  const scale = kind & 7
  const bitmap = kind & gaps ? from.raw((rows + 7) >> 3) : undefined
  const values = new Float64Array(rows)
  const one = (last: number) => (scale === asDouble ? from.float() : last + from.signed())
  const power = scale === asDouble ? 1 : scales[scale]!
  const same = kind & constant ? one(0) / power : undefined
  let last = 0
  for (let row = 0; row < rows; row++) {
    if (bitmap && !(bitmap[row >> 3]! & (1 << (row & 7)))) values[row] = Number.NaN
    else if (same !== undefined) values[row] = same
    else {
      last = one(last)
      values[row] = last / power
    }
  }
  return values
}
