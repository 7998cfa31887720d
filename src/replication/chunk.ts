import { type Metric, metricNames } from '#model'
import { pack, unpack } from './block.js'
import { Intervals, rollupMs } from './rollup.js'
import { rowWidth, type Stream } from './stream.js'
import { type Column, decodeTable, encodeTable, type Table } from './table.js'

/** What stays of one device's samples in a segment. */
export interface Chunk {
  readonly raw: Uint8Array
  readonly rollup: Uint8Array
}

/** Samples in the order of time, of several at the same moment the one that came last; and their roll-up. */
export function chunkOf(stream: Stream): Chunk {
  const at = new Float64Array(stream.count)
  const values = Array.from({ length: rowWidth }, () => new Float64Array(stream.count))
  let count = 0
  stream.read((time, row) => {
    at[count] = time
    for (let place = 0; place < rowWidth; place++) values[place]![count] = row[place]!
    count++
  })
  const order = orderOf(at)
  const sorted = (column: Float64Array) => (order ? order.map((row) => column[row]!) : column)
  const rows = order?.length ?? count
  const times = sorted(at)
  const columns: Column[] = [{ name: '#at', values: times }]
  for (let place = 0; place < rowWidth; place++) {
    const column = sorted(values[place]!)
    if (column.some((value) => !Number.isNaN(value))) columns.push({ name: metricNames[place]!, values: column })
  }
  const known = columns.slice(1)
  const intervals = new Intervals(
    known.map(({ name }) => name as Metric),
    rollupMs,
  )
  known.forEach((column, index) => {
    for (let row = 0; row < rows; row++) intervals.add(times[row]!, index, column.values[row]!)
  })
  const rollup = intervals.columns()
  return { raw: pack(encodeTable(rows, columns), 6), rollup: pack(encodeTable(rollup.rows, rollup.columns), 6) }
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

/** The columns of these metrics, and the time. */
export function readChunk(block: Uint8Array, metrics: readonly Metric[]): Table {
  const names = new Set<string>(['#at', ...metrics, ...metrics.map((name) => `${name}#`)])
  return decodeTable(unpack(block), (name) => names.has(name))
}
