import { type Field, fields, type Metric } from '#model'
import type { Column, Table } from './table.js'

/** What is kept of every interval of this length when the samples become chunks; longer steps are added up from it. */
export const rollupMs = 300_000

/** Counters and durations show their last value in an interval, everything else its mean. */
export function showsLast(metric: Metric): boolean {
  const field: Field = fields[metric]
  return field.counter === true || field.unit === '1' || field.unit === 's'
}

interface Bucket {
  /** Per metric: the sum of the known values, or the last one. */
  readonly value: number[]
  /** Per metric: how many are known, or when the last one was. */
  readonly weight: number[]
}

/** Samples gathered in intervals of `stepMs`; each can be added to and merged with others in any order. */
export class Intervals {
  readonly metrics: readonly Metric[]
  readonly #stepMs: number
  readonly #last: readonly boolean[]
  readonly #buckets = new Map<number, Bucket>()

  constructor(metrics: readonly Metric[], stepMs: number) {
    this.metrics = metrics
    this.#stepMs = stepMs
    this.#last = metrics.map(showsLast)
  }

  /** One measured value of the `index`-th metric; NaN changes nothing. */
  add(at: number, index: number, value: number): void {
    if (Number.isNaN(value)) return
    this.#merge(at, index, value, this.#last[index] ? at : 1)
  }

  #merge(at: number, index: number, value: number, weight: number): void {
    const bucket = this.#bucket(Math.floor(at / this.#stepMs) * this.#stepMs)
    if (!this.#last[index]) {
      bucket.value[index]! += value
      bucket.weight[index]! += weight
    } else if (!(weight < bucket.weight[index]!) || bucket.weight[index] === 0) {
      bucket.value[index] = value
      bucket.weight[index] = weight
    }
  }

  #bucket(start: number): Bucket {
    let bucket = this.#buckets.get(start)
    if (!bucket) {
      bucket = { value: this.metrics.map(() => 0), weight: this.metrics.map(() => 0) }
      this.#buckets.set(start, bucket)
    }
    return bucket
  }

  /** The value of an interval, or null if nothing is known of it. */
  value(start: number, index: number): number | null {
    const bucket = this.#buckets.get(start)
    const weight = bucket?.weight[index] ?? 0
    if (!bucket || weight === 0) return null
    return this.#last[index] ? bucket.value[index]! : bucket.value[index]! / weight
  }

  /** All intervals as columns, oldest first: `name` and beside it `name#`, the count or the time of the last value. */
  columns(): { rows: number; columns: Column[] } {
    const starts = [...this.#buckets.keys()].sort((a, b) => a - b)
    const columns: Column[] = [{ name: '#at', values: Float64Array.from(starts) }]
    this.metrics.forEach((name, index) => {
      const values = new Float64Array(starts.length).fill(Number.NaN)
      const weights = new Float64Array(starts.length).fill(Number.NaN)
      starts.forEach((start, row) => {
        const bucket = this.#buckets.get(start)!
        if (bucket.weight[index] === 0) return
        values[row] = this.#last[index] ? bucket.value[index]! : tidy(bucket.value[index]!)
        weights[row] = this.#last[index] ? bucket.weight[index]! - start : bucket.weight[index]!
      })
      columns.push({ name, values }, { name: `${name}#`, values: weights })
    })
    return { rows: starts.length, columns }
  }

  /** Adds what `columns` made, of shorter or equal intervals. */
  mergeTable({ rows, columns }: Table, from: number, to: number): void {
    const starts = columns.get('#at')
    if (!starts) return
    this.metrics.forEach((name, index) => {
      const values = columns.get(name)
      const weights = columns.get(`${name}#`)
      if (!values || !weights) return
      for (let row = 0; row < rows; row++) {
        const start = starts[row]!
        const value = values[row]!
        if (Number.isNaN(value) || start < from || start >= to) continue
        this.#merge(start, index, value, this.#last[index] ? start + weights[row]! : weights[row]!)
      }
    })
  }
}

/** A sum of decimals without the dust of adding doubles, so that it packs as a whole number; untouched if that would change it. */
function tidy(sum: number): number {
  const rounded = Math.round(sum * 1e6) / 1e6
  return Math.abs(rounded - sum) <= Math.abs(sum) * 1e-12 ? rounded : sum
}
