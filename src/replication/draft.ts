import { type DeviceRecord, type Metrics, metricNames } from '#model'
import { alike, sameMetrics } from './alike.js'
import { emptyRows, type Frame } from './frame.js'
import type { Segment } from './segment.js'
import type { State } from './state.js'
import { rowWidth } from './stream.js'
import type { Tick } from './types.js'

/** The frame that a tick becomes in this segment. Changes nothing, so that it can be made again if writing it failed. */
export function draft(tick: Tick, state: State, segment: Segment, inTurn: Iterable<DeviceRecord>): Frame {
  const records = [...new Map(tick.records.map((record) => [record.id, record])).values()]
  const base = segment.ids.length
  const ids: string[] = []
  const numbers = new Map<string, number>()
  const numberOf = (id: string): number => {
    const known = segment.numbers.get(id) ?? numbers.get(id)
    if (known !== undefined) return known
    numbers.set(id, base + ids.length)
    ids.push(id)
    return base + ids.length - 1
  }
  const rows = emptyRows(records.length)
  const whole = new Map<string, DeviceRecord>()
  const sorted = records.map((record) => ({ record, number: numberOf(record.id) })).sort((a, b) => a.number - b.number)
  sorted.forEach(({ record, number }, row) => {
    const before = state.get(record.id)
    const read = record.at !== null && record.at !== before?.at
    rows.device[row] = number
    rows.at[row] = record.at ?? Number.NaN
    rows.askedAt[row] = record.askedAt ?? Number.NaN
    rows.latencyMs[row] = record.latencyMs ?? Number.NaN
    rows.read[row] = read ? 1 : 0
    if (read) fillRow(rows.values, row * rowWidth, record.metrics)
    const told = before && state.isWritten(record.id) && alike(before, record)
    if (!told || !(read || sameMetrics(before.metrics, record.metrics))) whole.set(record.id, record)
  })
  const fresh = new Map(records.map((record) => [record.id, record]))
  for (const { id } of inTurn) whole.set(id, fresh.get(id) ?? state.get(id)!)
  const { at, events = [], settings = [] } = tick
  return { at, base, ids, rows, records: [...whole.values()], events, settings }
}

/** What is not a finite number is unknown. */
function fillRow(values: Float64Array, offset: number, metrics: Metrics): void {
  for (let place = 0; place < rowWidth; place++) {
    const value = metrics[metricNames[place]!]
    if (typeof value === 'number' && Number.isFinite(value)) values[offset + place] = value
  }
}
