import type { DeviceRecord, Event } from '#model'
import { metricNames } from '#model'
import { pack, unpack } from './block.js'
import { damaged, Reading, Writer } from './bytes.js'
import { rowWidth } from './stream.js'
import { type Column, decodeTable, encodeTable } from './table.js'
import type { Tick } from './types.js'

/** What one tick says of the devices that were asked: a row each. */
export interface Rows {
  readonly count: number
  /** The device's number within the segment. */
  readonly device: Float64Array
  readonly at: Float64Array
  readonly askedAt: Float64Array
  readonly latencyMs: Float64Array
  /** 1 if the device answered: the row is a sample. 0 if it was only asked. */
  readonly read: Float64Array
  /** Row after row, each `rowWidth` wide, NaN for unknown. */
  readonly values: Float64Array
}

/** A tick as it is stored: one block. */
export interface Frame {
  readonly at: number
  /** Devices met for the first time in this segment; the first of them has the number `base`. */
  readonly base: number
  readonly ids: readonly string[]
  readonly rows: Rows
  /** Whole records: of devices of which more than numbers changed, and of some more in turn. */
  readonly records: readonly DeviceRecord[]
  readonly events: readonly Event[]
  readonly settings: NonNullable<Tick['settings']>
}

/** So many whole records at most in one block; a tick with more of them becomes several blocks, written together. */
const recordsPerBlock = 500
const rowColumns = ['device', 'at', 'askedAt', 'latencyMs', 'read'] as const

export function emptyRows(count: number): Rows {
  const column = () => new Float64Array(count).fill(Number.NaN)
  const values = new Float64Array(count * rowWidth).fill(Number.NaN)
  return { count, device: column(), at: column(), askedAt: column(), latencyMs: column(), read: column(), values }
}

/** The blocks of a frame; nearly always one. */
export function encodeFrame(frame: Frame): Uint8Array[] {
  const blocks = [encodeBlock({ ...frame, records: frame.records.slice(0, recordsPerBlock) })]
  for (let from = recordsPerBlock; from < frame.records.length; from += recordsPerBlock) {
    const records = frame.records.slice(from, from + recordsPerBlock)
    blocks.push(encodeBlock({ at: frame.at, base: 0, ids: [], rows: emptyRows(0), records, events: [], settings: [] }))
  }
  return blocks
}

function encodeBlock({ rows, ...words }: Frame): Uint8Array {
  const filled = Object.entries(words).filter(([, value]) => !Array.isArray(value) || value.length > 0)
  const table = encodeTable(rows.count, columnsOf(rows))
  const out = new Writer(256 + table.length)
  out.text(JSON.stringify(Object.fromEntries(filled)))
  out.raw(table)
  return pack(out.view(), 1)
}

function columnsOf(rows: Rows): Column[] {
  const columns: Column[] = rowColumns.map((name) => ({ name: `#${name}`, values: rows[name] }))
  for (let place = 0; place < rowWidth; place++) {
    const values = new Float64Array(rows.count)
    for (let row = 0; row < rows.count; row++) values[row] = rows.values[row * rowWidth + place]!
    columns.push({ name: metricNames[place]!, values })
  }
  return columns
}

/** Throws STORE_NEWER or STORE_FAILED if the block is not a frame that this version can read. */
export function decodeFrame(block: Uint8Array): Frame {
  const from = new Reading(unpack(block))
  let words: Partial<Omit<Frame, 'rows'>>
  try {
    words = JSON.parse(from.text()) as Partial<Omit<Frame, 'rows'>>
  } catch (cause) {
    throw damaged('its words are no JSON', cause)
  }
  const table = decodeTable(from.raw(from.left))
  const rows = emptyRows(table.rows)
  for (const name of rowColumns) {
    const values = table.columns.get(`#${name}`)
    if (values) rows[name].set(values)
  }
  for (let place = 0; place < rowWidth; place++) {
    const values = table.columns.get(metricNames[place]!)
    if (!values) continue
    for (let row = 0; row < table.rows; row++) rows.values[row * rowWidth + place] = values[row]!
  }
  const { at = 0, base = 0, ids = [], records = [], events = [], settings = [] } = words
  return { at, base, ids, rows, records, events, settings }
}
