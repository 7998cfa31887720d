import { isMetric, type Metric, SdkError } from '#model'
import { orderOf } from './chunk.js'
import { Intervals } from './rollup.js'
import type { Segment } from './segment.js'
import { eachTable, type Sources } from './shelves.js'
import { type HistoryQuery, type Series, stepMs } from './types.js'

export const defaultMaxPoints = 50_000
/** No value for so many intervals is a gap: the same measure by which a record counts as stale. */
export const gapIntervals = 3
/** The place of a sample that did not come. */
const silent = -1

/**
 * Raw: every sample from `from` to `to`, and a null where the device was silent for more than three intervals. At a step: every interval
 * that starts from the one that `from` lies in and before `to`; counters and durations show their last value, others the mean.
 * Throws BAD_REQUEST for a range or metric that is none, TOO_LARGE beyond `maxPoints`.
 */
export async function readHistory(
  sources: readonly Sources[],
  query: HistoryQuery,
  intervalMs: number,
): Promise<Series> {
  checkQuery(query)
  return query.step === 'raw' ? readRaw(sources, query, intervalMs) : readSteps(sources, query, stepMs[query.step])
}

function checkQuery({ metrics, from, to }: HistoryQuery): void {
  if (!Number.isFinite(from) || !Number.isFinite(to) || from > to)
    throw new SdkError('BAD_REQUEST', 'from and to are no span of time')
  const unknown = metrics.find((name) => !isMetric(name))
  if (unknown !== undefined) throw new SdkError('BAD_REQUEST', `there is no metric ${JSON.stringify(unknown)}`)
}

/** The starts of the intervals that a query shows. Throws TOO_LARGE. */
export function intervalsOf(from: number, to: number, step: number, maxPoints = defaultMaxPoints): number[] {
  const first = Math.floor(from / step) * step
  const count = Math.max(0, Math.ceil((to - first) / step))
  if (count > maxPoints) throw tooMany(maxPoints)
  return Array.from({ length: count }, (_, index) => first + index * step)
}

function tooMany(maxPoints: number): SdkError {
  return new SdkError('TOO_LARGE', `more than ${maxPoints} points; ask for a shorter span or a longer step`, {
    details: { maxPoints },
  })
}

async function readSteps(all: readonly Sources[], query: HistoryQuery, step: number): Promise<Series> {
  const { deviceId, metrics, from, to } = query
  const at = intervalsOf(from, to, step, query.maxPoints)
  const intervals = new Intervals(metrics, step)
  const start = at[0] ?? from
  const end = at.length === 0 ? from : at.at(-1)! + step
  const span = { from: start, to: end - 1 }
  for (const sources of all) {
    const inMemory = segmentsWith(sources, deviceId)
    await eachTable(sources, { deviceId, metrics, step, ...span }, inMemory, (table, kind) => {
      if (kind === 'raw') intervals.addTable(table, span.from, span.to)
      else if (kind === 'tier') intervals.mergeTier(table, start, end)
      else intervals.mergeTable(table, start, end)
    })
    for (const segment of inMemory)
      eachSample(segment, deviceId, metrics, span, (time, index, value) => intervals.add(time, index, value))
  }
  const series: Series['series'] = {}
  const digests: NonNullable<Series['digests']> = {}
  metrics.forEach((name, index) => {
    series[name] = at.map((time) => intervals.value(time, index))
    if (query.digests) digests[name] = at.map((time) => intervals.digest(time, index))
  })
  return { from, to, step: query.step, at, series, ...(query.digests && { digests }) }
}

async function readRaw(all: readonly Sources[], query: HistoryQuery, intervalMs: number): Promise<Series> {
  const { deviceId, metrics, from, to, maxPoints = defaultMaxPoints } = query
  const times: number[] = []
  const columns = metrics.map((): number[] => [])
  for (const sources of all) {
    const inMemory = segmentsWith(sources, deviceId)
    const recent: { at: number; values: number[] }[] = []
    for (const segment of inMemory) {
      const stream = segment.streams.get(deviceId)!
      const columns = metrics.map((name) => stream.columnOf(name) ?? -1)
      stream.read((at, row) => {
        if (at < from || at > to) return
        recent.push({ at, values: columns.map((column) => row[column] ?? Number.NaN) })
      })
    }
    await eachTable(sources, { deviceId, metrics, from, to, step: 0 }, inMemory, (table) => {
      const at = table.columns.get('#at')!
      const wanted: number[] = []
      for (let row = 0; row < table.rows; row++) if (at[row]! >= from && at[row]! <= to) wanted.push(row)
      for (const row of wanted) times.push(at[row]!)
      metrics.forEach((name, index) => {
        const [column, values] = [columns[index]!, table.columns.get(name)]
        for (const row of wanted) column.push(values ? values[row]! : Number.NaN)
      })
      if (times.length + recent.length > maxPoints) throw tooMany(maxPoints)
    })
    for (const { at, values } of recent) {
      times.push(at)
      values.forEach((value, index) => {
        columns[index]!.push(value)
      })
    }
  }
  return rawSeries(query, times, columns, intervalMs * gapIntervals)
}

/** Puts the samples in the order of time, and a null point where none came for longer than `gapMs`. */
function rawSeries(
  query: HistoryQuery,
  times: readonly number[],
  columns: readonly (readonly number[])[],
  gapMs: number,
): Series {
  const { from, to, metrics, maxPoints = defaultMaxPoints } = query
  const order = orderOf(Float64Array.from(times)) ?? times.keys()
  const at: number[] = []
  const rows: number[] = []
  let last: number | undefined
  for (const row of order) {
    const time = times[row]!
    if (last !== undefined && time - last > gapMs) {
      at.push(last + Math.round(gapMs / gapIntervals))
      rows.push(silent)
    }
    at.push(time)
    rows.push(row)
    last = time
  }
  if (at.length > maxPoints) throw tooMany(maxPoints)
  const known = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? null : value)
  const shown = metrics.map((name, index) => [name, rows.map((row) => known(columns[index]![row]))] as const)
  return { from, to, step: 'raw', at, series: Object.fromEntries(shown) }
}

function segmentsWith({ segments }: Sources, id: string): Segment[] {
  return segments.filter(({ streams }) => streams.has(id))
}

function eachSample(
  segment: Segment,
  id: string,
  metrics: readonly Metric[],
  { from, to }: { from: number; to: number },
  visit: (at: number, index: number, value: number) => void,
): void {
  const stream = segment.streams.get(id)!
  const columns = metrics.map((name) => stream.columnOf(name) ?? -1)
  stream.read((at, row) => {
    if (at < from || at > to) return
    for (let index = 0; index < columns.length; index++) visit(at, index, row[columns[index]!] ?? Number.NaN)
  })
}
