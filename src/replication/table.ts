import { damaged, Reading } from './bytes.js'

/** A column of numbers under a name. NaN is "unknown"; it is never written as a number. */
export interface Column {
  readonly name: string
  readonly values: Float64Array
}

/** Most rows a stored table may claim, so that damaged bytes cannot ask for all memory. */
const maxRows = 1_000_000
const maxColumns = 1024
/** Powers of ten by which decimals become whole numbers; with more decimals than that a column is kept as plain doubles. */
const scales = [1, 10, 100, 1000, 1e4, 1e5, 1e6] as const
const asDouble = scales.length

// The kind of a column: the scale in the lowest three bits, then
const constant = 8
const gaps = 16

export interface Table {
  readonly rows: number
  readonly columns: Map<string, Float64Array>
}

/**
 * What frames and chunks of format 1 are made of: columns under names, whole numbers at the column's own decimals, each as the difference to
 * the row above; columns that are all alike once; unknown values in a bitmap.
 *
 * The columns that are wanted; the others are skipped unread. Throws STORE_FAILED if the bytes are
 * not a table.
 */
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
