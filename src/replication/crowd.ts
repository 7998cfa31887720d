import { type DeviceRecord, fields, type Kind, type Metric, metricNames } from '#model'
import type { Samples } from './chunk.js'
import { showsLast } from './rollup.js'
import type { Row, Shape } from './shape.js'
import type { Table } from './table.js'
import { type CrowdQuery, type CrowdRow, stepMs } from './types.js'

/** How devices are put together; `all` of a feed are those of its worker and site. */
export const crowdings = ['all', 'model', 'container'] as const
export type Crowding = (typeof crowdings)[number]

const devicesInTurn = 64

/** What tells to which groups a device belongs. */
export interface Member {
  readonly kind: Kind
  readonly model: string
  readonly container: string
}

export function memberOf({ kind, model, location }: DeviceRecord): Member {
  return { kind, model: model ?? '', container: location.container ?? '' }
}

export interface CrowdName {
  readonly by: Crowding
  readonly key: string
  readonly kind: Kind
}

/** The metrics that devices have together. */
const together = metricNames.filter((name) => fields[name].group !== 'none')
const isLast = together.map(showsLast)
const isMax = together.map((name) => fields[name].group === 'max')
const placeOf = new Map(together.map((name, place) => [name, place]))
const powerAt = placeOf.get('powerW')!
const rateAt = placeOf.get('hashrateThs')!

// Of an interval: how many samples and devices, power and hashrate of those that report both, then of each metric the value and how many devices
const samplesAt = 0
const devicesAt = 1
const pairPowerAt = 2
const pairRateAt = 3
const metricsAt = 4
const width = metricsAt + 2 * together.length

const metricsIn = new WeakMap<Shape, { places: Int32Array; metrics: Int32Array }>()

function metricsOf(shape: Shape) {
  const known = metricsIn.get(shape)
  if (known) return known
  const found = shape.names.flatMap((name, place) => {
    const metric = placeOf.get(name as Metric)
    return metric === undefined ? [] : [{ place, metric }]
  })
  const made = {
    places: Int32Array.from(found, ({ place }) => place),
    metrics: Int32Array.from(found, ({ metric }) => metric),
  }
  metricsIn.set(shape, made)
  return made
}

/** What one device said in the interval that it is in. */
interface Own {
  start: number
  samples: number
  metrics: Int32Array
  /** Sums, or the last values. */
  values: Float64Array
  counts: Uint16Array
}

type Buckets = Map<number, Float64Array>

/**
 * What groups of devices make together in each five minutes: of each device its mean (counters: its last value), then added up, or the
 * highest. Costs what is said of them once; no device has to be read later.
 */
export class Crowd {
  readonly #memberOf: (id: string) => Member | undefined
  readonly #own = new Map<string, Own>()
  readonly #groups = new Map<string, { name: CrowdName; buckets: Buckets }>()

  readonly #waiting: { id: string; own: Own }[] = []

  constructor(memberOf: (id: string) => Member | undefined) {
    this.#memberOf = memberOf
  }

  /** One sample. What lies before the interval that its device is in comes too late. */
  add(id: string, at: number, { shape, values }: Row): void {
    const start = Math.floor(at / stepMs['5m']) * stepMs['5m']
    const { places, metrics } = metricsOf(shape)
    let own = this.#own.get(id)
    if (own && start < own.start) return
    if (!own || start > own.start || own.metrics !== metrics) {
      // A device that reports other numbers in the middle of an interval is heard with those that it had.
      if (own && start === own.start) return
      if (own) this.#settle(id, own, this.#groups)
      own = {
        start,
        samples: 0,
        metrics,
        values: new Float64Array(metrics.length),
        counts: new Uint16Array(metrics.length),
      }
      this.#own.set(id, own)
    }
    own.samples++
    for (let each = 0; each < places.length; each++) {
      const value = values[places[each]!]!
      if (isLast[metrics[each]!]) own.values[each] = value
      else own.values[each]! += value
      own.counts[each]!++
    }
  }

  /** What a device said in whole intervals: of each metric sum or last value, and how many samples. */
  addInterval(
    id: string,
    start: number,
    samples: number,
    said: readonly { metric: Metric; value: number; count: number }[],
  ) {
    const known = said.filter(({ metric }) => placeOf.has(metric))
    const own: Own = {
      start,
      samples,
      metrics: Int32Array.from(known, ({ metric }) => placeOf.get(metric)!),
      values: Float64Array.from(known, ({ metric, value, count }) => (showsLast(metric) ? value : value * count)),
      counts: Uint16Array.from(known, ({ count }) => count),
    }
    this.#settle(id, own, this.#groups)
  }

  #settle(id: string, own: Own, groups: Map<string, { name: CrowdName; buckets: Buckets }>): void {
    const member = this.#memberOf(id)
    if (!member) {
      // While a journal is read anew, the word on what the device is may come later.
      if (groups === this.#groups) this.#waiting.push({ id, own })
      return
    }
    for (const by of crowdings) {
      const key = by === 'all' ? '' : member[by]
      const at = `${by}/${member.kind}/${key}`
      let group = groups.get(at)
      if (!group) {
        group = { name: { by, key, kind: member.kind }, buckets: new Map() }
        groups.set(at, group)
      }
      let bucket = group.buckets.get(own.start)
      if (!bucket) {
        bucket = new Float64Array(width)
        group.buckets.set(own.start, bucket)
      }
      addTo(bucket, own)
    }
  }

  /** All of it as chunks hold it, one table a group; also of intervals that are not over. Pauses between devices. */
  *tables(): Generator<undefined, { name: CrowdName; samples: Samples }[]> {
    for (const { id, own } of this.#waiting.splice(0)) this.#settle(id, own, this.#groups)
    // Of this moment: what is added during a pause would be there twice.
    const said = [...this.#own]
    const all = new Map(
      [...this.#groups].map(([at, { name, buckets }]) => {
        const copied = [...buckets].map(([start, bucket]): [number, Float64Array] => [start, bucket.slice()])
        return [at, { name, buckets: new Map(copied) }]
      }),
    )
    const open = new Map<string, { name: CrowdName; buckets: Buckets }>()
    let settled = 0
    for (const [id, own] of said) {
      if (++settled % devicesInTurn === 0) yield
      this.#settle(id, own, open)
    }
    for (const [at, { name, buckets }] of open) {
      const group = all.get(at) ?? { name, buckets: new Map<number, Float64Array>() }
      all.set(at, group)
      for (const [start, bucket] of buckets) {
        const known = group.buckets.get(start)
        group.buckets.set(start, known ? sumOf(known, bucket) : bucket)
      }
    }
    return [...all.values()].map(({ name, buckets }) => ({ name, samples: tableOf(buckets) }))
  }
}

function addTo(bucket: Float64Array, { samples, metrics, values, counts }: Own): void {
  bucket[samplesAt]! += samples
  bucket[devicesAt]!++
  let power = Number.NaN
  let rate = Number.NaN
  for (let each = 0; each < metrics.length; each++) {
    if (counts[each] === 0) continue
    const metric = metrics[each]!
    const value = isLast[metric] ? values[each]! : values[each]! / counts[each]!
    const place = metricsAt + 2 * metric
    const known = bucket[place + 1]!
    bucket[place] =
      isMax[metric] && known > 0 ? Math.max(bucket[place]!, value) : isMax[metric] ? value : bucket[place]! + value
    bucket[place + 1]!++
    if (metric === powerAt) power = value
    else if (metric === rateAt) rate = value
  }
  if (Number.isNaN(power + rate)) return
  bucket[pairPowerAt]! += power
  bucket[pairRateAt]! += rate
}

function sumOf(one: Float64Array, other: Float64Array): Float64Array {
  const sum = one.map((value, at) => value + other[at]!)
  for (const [metric, max] of isMax.entries()) {
    const place = metricsAt + 2 * metric
    if (!max) continue
    const known = [one, other].filter((each) => each[place + 1]! > 0)
    if (known.length > 0) sum[place] = Math.max(...known.map((each) => each[place]!))
  }
  return sum
}

const names = ['#n', '#devices', '#pairW', '#pairThs']

function tableOf(buckets: Buckets): Samples {
  const starts = [...buckets.keys()].sort((a, b) => a - b)
  const rows = starts.map((start) => buckets.get(start)!)
  const columns = names.map((name, at) => ({ name, values: Float64Array.from(rows, (row) => rounded(row[at]!)) }))
  together.forEach((metric, at) => {
    const place = metricsAt + 2 * at
    if (rows.every((row) => row[place + 1] === 0)) return
    const known = (row: Float64Array, value: number) => (row[place + 1] === 0 ? Number.NaN : value)
    columns.push({ name: metric, values: Float64Array.from(rows, (row) => known(row, rounded(row[place]!))) })
    if (rows.some((row) => row[place + 1] !== row[devicesAt]))
      columns.push({ name: `${metric}#`, values: Float64Array.from(rows, (row) => row[place + 1]!) })
  })
  return { at: Float64Array.from(starts), columns }
}

/** Means of many devices have no end of decimals: six are more than any device reports. */
function rounded(value: number): number {
  const near = Math.round(value * 1e6) / 1e6
  return Math.abs(value) < 1e8 ? near : value
}

/** The columns that `rowsOf` needs for these metrics. */
export function crowdColumns(metrics: readonly Metric[]): string[] {
  return [...names, ...metrics.flatMap((name) => [name, `${name}#`])]
}

/** The rows of a table that lie in the span. */
export function rowsOf(
  { rows, columns }: Table,
  { kind, key }: Pick<CrowdName, 'kind' | 'key'>,
  { metrics, from, to }: Pick<CrowdQuery, 'metrics' | 'from' | 'to'>,
): CrowdRow[] {
  const at = columns.get('#at')
  const [samples, devices, pairW, pairThs] = names.map((name) => columns.get(name))
  const found: CrowdRow[] = []
  for (let row = 0; at && row < rows; row++) {
    const start = at[row]!
    if (start < from || start > to) continue
    found.push({
      kind,
      key,
      start,
      samples: samples?.[row] ?? 0,
      pairW: pairW?.[row] ?? 0,
      pairThs: pairThs?.[row] ?? 0,
      values: metrics.map((name) => columns.get(name)?.[row] ?? Number.NaN),
      counts: metrics.map((name) => (columns.has(name) ? (columns.get(`${name}#`)?.[row] ?? devices?.[row] ?? 0) : 0)),
    })
  }
  return found
}
