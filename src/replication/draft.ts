import type { DeviceRecord } from '#model'
import { alike, sameMetrics } from './alike.js'
import { emptyRows, type Frame } from './frame.js'
import { rowOf } from './shape.js'
import type { State } from './state.js'
import type { Tick } from './types.js'

const recordsInTurn = 16

/** The frame that a tick becomes, with pauses. Changes nothing, so that it can be made again if writing it failed. */
export function* drafting(tick: Tick, state: State, inTurn: Iterable<DeviceRecord>): Generator<undefined, Frame> {
  const records = [...new Map(tick.records.map((record) => [record.id, record])).values()]
  const rows = emptyRows(records.length)
  const whole = new Map<string, DeviceRecord>()
  for (const [row, record] of records.entries()) {
    if (row % recordsInTurn === 0) yield
    const before = state.get(record.id)
    const read = record.at !== null && record.at !== before?.at
    rows.ids[row] = record.id
    rows.at[row] = record.at ?? Number.NaN
    rows.askedAt[row] = record.askedAt ?? Number.NaN
    rows.latencyMs[row] = record.latencyMs ?? Number.NaN
    rows.read[row] = read ? 1 : 0
    if (read) rows.rows[row] = rowOf(record)
    const told = before && state.isWritten(record.id) && alike(before, record)
    if (!told || !(read || sameMetrics(before.metrics, record.metrics))) whole.set(record.id, record)
  }
  const fresh = new Map(records.map((record) => [record.id, record]))
  for (const { id } of inTurn) whole.set(id, fresh.get(id) ?? state.get(id)!)
  const { at, events = [], settings = [] } = tick
  return { at, rows, records: [...whole.values()], events, settings }
}
