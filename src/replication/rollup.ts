import { type Field, fields, isMetric, type Metric } from '#model'
import type { Column, Table } from './table.js'
import type { Digest } from './types.js'

/** What format 2 kept of every interval of this length when the samples became chunks. */
export const rollupMs = 300_000

/** Counters and durations show their last value in an interval, everything else its mean. */
export function showsLast(metric: Metric): boolean {
  const field: Field = fields[metric]
  return field.counter === true || field.unit === '1' || field.unit === 's'
}

// Of each metric in each interval:
const sumAt = 0
const countAt = 1
const minAt = 2
const maxAt = 3
const lastAt = 4
/** When the last value was; NaN: there is none. */
const lastTimeAt = 5
const width = 6

// Columns of a tier: the sum of a metric (the last value of counters) under its name, and beside it
const startName = '#at'
/** How many samples an interval has, and how long after its start the last one was, if a metric says nothing else. */
const samplesName = '#n'
const latestName = '#last'
const countOf = (name: string) => `${name}#`
const timeOf = (name: string) => `${name}@`
const minOf = (name: string) => `${name}<`
const maxOf = (name: string) => `${name}>`
const lastOf = (name: string) => `${name}=`

/** The columns that `mergeTier` needs for a metric. */
export function tierColumns(metric: Metric): string[] {
  return [
    metric,
    countOf(metric),
    timeOf(metric),
    minOf(metric),
    maxOf(metric),
    lastOf(metric),
    samplesName,
    latestName,
  ]
}

/** Samples gathered in intervals of `stepMs`; each can be added to and merged with others in any order. */
export class Intervals {
  readonly metrics: readonly Metric[]
  readonly #stepMs: number
  readonly #last: readonly boolean[]
  readonly #buckets = new Map<number, Float64Array>()
  #start = Number.NaN
  #current: Float64Array | undefined

  constructor(metrics: readonly Metric[], stepMs: number) {
    this.metrics = metrics
    this.#stepMs = stepMs
    this.#last = metrics.map(showsLast)
  }

  /** One measured value of the `index`-th metric; NaN changes nothing. */
  add(at: number, index: number, value: number): void {
    if (Number.isNaN(value)) return
    const bucket = this.#bucket(Math.floor(at / this.#stepMs) * this.#stepMs)
    const place = index * width
    bucket[place + sumAt]! += value
    bucket[place + countAt]!++
    if (!(value >= bucket[place + minAt]!)) bucket[place + minAt] = value
    if (!(value <= bucket[place + maxAt]!)) bucket[place + maxAt] = value
    if (at < bucket[place + lastTimeAt]!) return
    bucket[place + lastAt] = value
    bucket[place + lastTimeAt] = at
  }

  #merge(
    start: number,
    index: number,
    sum: number,
    count: number,
    min: number,
    max: number,
    last: number,
    lastTime: number,
  ): void {
    const bucket = this.#bucket(Math.floor(start / this.#stepMs) * this.#stepMs)
    const place = index * width
    bucket[place + sumAt]! += sum
    bucket[place + countAt]! += count
    if (!(min >= bucket[place + minAt]!)) bucket[place + minAt] = min
    if (!(max <= bucket[place + maxAt]!)) bucket[place + maxAt] = max
    if (lastTime < bucket[place + lastTimeAt]!) return
    bucket[place + lastAt] = last
    bucket[place + lastTimeAt] = lastTime
  }

  #bucket(start: number): Float64Array {
    if (start === this.#start) return this.#current!
    let bucket = this.#buckets.get(start)
    if (!bucket) {
      bucket = new Float64Array(this.metrics.length * width)
      for (let place = 0; place < bucket.length; place += width) bucket.fill(Number.NaN, place + minAt, place + width)
      this.#buckets.set(start, bucket)
    }
    this.#start = start
    this.#current = bucket
    return bucket
  }

  /** Of all intervals that something is known of. */
  get starts(): Iterable<number> {
    return this.#buckets.keys()
  }

  /** The value of an interval, or null if nothing is known of it. */
  value(start: number, index: number): number | null {
    const digest = this.digest(start, index)
    return digest && (this.#last[index] ? digest.last : digest.mean)
  }

  digest(start: number, index: number): Digest | null {
    const bucket = this.#buckets.get(start)
    const place = index * width
    const count = bucket?.[place + countAt] ?? 0
    if (!bucket || count === 0) return null
    const [sum, , min, max, last] = bucket.subarray(place, place + width) as unknown as number[]
    return { mean: sum! / count, min: min!, max: max!, last: last!, count }
  }

  /** All samples of a table. */
  addTable({ rows, columns }: Pick<Table, 'rows' | 'columns'>, from: number, to: number): void {
    const at = columns.get(startName)
    this.metrics.forEach((name, index) => {
      const values = columns.get(name)
      if (!at || !values) return
      for (let row = 0; row < rows; row++)
        if (at[row]! >= from && at[row]! <= to) this.add(at[row]!, index, values[row]!)
    })
  }

  /** All intervals as a tier keeps them, oldest first. */
  tier(): { at: Float64Array; columns: Column[] } {
    const starts = [...this.#buckets.keys()].sort((a, b) => a - b)
    const buckets = starts.map((start) => this.#buckets.get(start)!)
    const count = buckets.length
    const samples = new Float64Array(count)
    const latest = new Float64Array(count)
    for (let row = 0; row < count; row++) {
      samples[row] = most(buckets[row]!, countAt)
      latest[row] = most(buckets[row]!, lastTimeAt) - starts[row]!
    }
    const columns: Column[] = [
      { name: samplesName, values: samples },
      { name: latestName, values: latest },
    ]
    const unlessSame = (name: string, values: Float64Array, usual: Float64Array) => {
      if (differs(values, usual)) columns.push({ name, values })
    }
    this.metrics.forEach((name, index) => {
      const of = (what: number) => factOf(buckets, index * width, what)
      const counts = of(countAt)
      const times = of(lastTimeAt)
      let known = 0
      for (let row = 0; row < count; row++) {
        times[row]! -= starts[row]!
        if (counts[row]! > 0) known++
      }
      if (known === 0) return
      if (this.#last[index]) columns.push({ name, values: of(lastAt) })
      else {
        const sums = of(sumAt)
        const usual = new Float64Array(count)
        for (let row = 0; row < count; row++) {
          sums[row] = tidy(sums[row]!)
          usual[row] = sums[row]! / counts[row]!
        }
        columns.push({ name, values: sums })
        // Of one sample all of these are the same.
        unlessSame(minOf(name), of(minAt), usual)
        unlessSame(maxOf(name), of(maxAt), usual)
        unlessSame(lastOf(name), of(lastAt), usual)
      }
      unlessSame(countOf(name), counts, samples)
      unlessSame(timeOf(name), times, latest)
    })
    return { at: Float64Array.from(starts), columns }
  }

  /** Adds what `tier` made, of shorter or equal intervals. */
  mergeTier({ rows, columns }: Table, from: number, to: number): void {
    const starts = columns.get(startName)
    const samples = columns.get(samplesName)
    const latest = columns.get(latestName)
    if (!starts || !samples || !latest) return
    this.metrics.forEach((name, index) => {
      const values = columns.get(name)
      if (!values) return
      const counts = columns.get(countOf(name)) ?? samples
      const times = columns.get(timeOf(name)) ?? latest
      const [mins, maxs, lasts] = [minOf, maxOf, lastOf].map((of) => columns.get(of(name)))
      for (let row = 0; row < rows; row++) {
        const start = starts[row]!
        const value = values[row]!
        if (Number.isNaN(value) || start < from || start >= to) continue
        const count = counts[row]!
        const mean = this.#last[index] ? value : value / count
        const sum = this.#last[index] ? value * count : value
        this.#merge(
          start,
          index,
          sum,
          count,
          mins?.[row] ?? mean,
          maxs?.[row] ?? mean,
          lasts?.[row] ?? mean,
          start + times[row]!,
        )
      }
    })
  }

  /** Adds a roll-up of format 2: beside each metric how much stands behind it, or when its last value was. */
  mergeTable({ rows, columns }: Table, from: number, to: number): void {
    const starts = columns.get(startName)
    if (!starts) return
    this.metrics.forEach((name, index) => {
      const values = columns.get(name)
      const weights = columns.get(countOf(name))
      if (!values || !weights) return
      for (let row = 0; row < rows; row++) {
        const start = starts[row]!
        const value = values[row]!
        if (Number.isNaN(value) || start < from || start >= to) continue
        if (this.#last[index]) this.#merge(start, index, value, 1, value, value, value, start + weights[row]!)
        else {
          const mean = value / weights[row]!
          this.#merge(start, index, value, weights[row]!, mean, mean, mean, start)
        }
      }
    })
  }
}

/** One fact of a metric in every interval, NaN where nothing is known. */
function factOf(buckets: readonly Float64Array[], metric: number, what: number): Float64Array {
  const values = new Float64Array(buckets.length)
  for (let row = 0; row < values.length; row++) {
    const bucket = buckets[row]!
    values[row] = bucket[metric + countAt] === 0 ? Number.NaN : bucket[metric + what]!
  }
  return values
}

function differs(values: Float64Array, usual: Float64Array): boolean {
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    if (!Number.isNaN(value) && value !== usual[row]) return true
  }
  return false
}

function most(bucket: Float64Array, what: number): number {
  let found = Number.NEGATIVE_INFINITY
  for (let place = what; place < bucket.length; place += width) if (bucket[place]! > found) found = bucket[place]!
  return found
}

/** The names among these that are metrics. */
export function metricsOf(names: Iterable<string>): Metric[] {
  return [...names].filter(isMetric)
}

/** A sum of decimals without the dust of adding doubles, so that it packs as a whole number; untouched if that would change it. */
function tidy(sum: number): number {
  const rounded = Math.round(sum * 1e6) / 1e6
  return Math.abs(rounded - sum) <= Math.abs(sum) * 1e-12 ? rounded : sum
}
