import { unpack } from './block.js'
import { damaged, Reading } from './bytes.js'
import { emptyRows, type Frame } from './frame.js'
import { emptyRow, shapeOf } from './shape.js'
import { decodeTable, type Table } from './table.js'

/** Devices of a journal by their number, as they are met. */
export type Numbering = string[]

interface Words extends Partial<Omit<Frame, 'rows'>> {
  /** Devices met for the first time in this journal; the first of them has the number `base`. */
  readonly base?: number
  readonly ids?: readonly string[]
}

/** A frame of format 1: words, and a table of what the devices of one tick report. Throws STORE_NEWER or STORE_FAILED. */
export function decodeFrame1(block: Uint8Array, numbering: Numbering): Frame {
  const from = new Reading(unpack(block))
  let words: Words
  try {
    words = JSON.parse(from.text()) as Words
  } catch (cause) {
    throw damaged('its words are no JSON', cause)
  }
  const { at = 0, base = 0, ids = [], records = [], events = [], settings = [] } = words
  ids.forEach((id, index) => {
    numbering[base + index] = id
  })
  return { at, rows: rowsOf(decodeTable(from.raw(from.left)), numbering), records, events, settings }
}

function rowsOf({ rows: count, columns }: Table, numbering: Numbering): Frame['rows'] {
  const known = [...Array(count).keys()].filter((row) => numbering[columns.get('#device')?.[row] ?? -1] !== undefined)
  const rows = emptyRows(known.length)
  const metrics = [...columns].filter(([name]) => !name.startsWith('#'))
  known.forEach((from, row) => {
    rows.ids[row] = numbering[columns.get('#device')![from]!]!
    for (const name of ['at', 'askedAt', 'latencyMs'] as const)
      rows[name][row] = columns.get(`#${name}`)?.[from] ?? Number.NaN
    rows.read[row] = columns.get('#read')?.[from] === 1 ? 1 : 0
    const reported = metrics.filter(([, values]) => !Number.isNaN(values[from]))
    rows.rows[row] =
      reported.length === 0
        ? emptyRow
        : {
            shape: shapeOf(reported.map(([name]) => name)),
            values: reported.map(([, values]) => values[from]!),
          }
  })
  return rows
}
