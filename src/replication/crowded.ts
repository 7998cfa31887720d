import { countedKind, fields, type Kind, type Metric } from '#model'
import { showsLast } from './rollup.js'
import { type CrowdRow, stepMs } from './types.js'

const fiveMs = stepMs['5m']

/**
 * In an interval that is not over, some devices are asked only later: before as many have spoken as in the one before, it would show a dip
 * that is none. Once it is over it is shown as it is.
 */
export function isTooEarly(heard: number, heardBefore = 0): boolean {
  return heard < heardBefore
}

/** What was said in five minutes: of a mean or a ratio `over / under`, else a sum over so many devices. */
interface Five {
  over: number
  under: number
  max: number
}

/** One metric in steps: all that is needed of the five minutes in each, and not they themselves. */
class Steps {
  readonly #at: readonly number[]
  readonly #length: number
  readonly #words: number
  readonly #over: Float64Array
  readonly #under: Float64Array
  readonly #max: Float64Array
  readonly #lastAt: Float64Array
  readonly #last: Float64Array
  /** A bit for every five minutes in which anything was said: feeds say it one after the other, and it counts once. */
  readonly #heard: Uint32Array

  constructor(at: readonly number[], length: number) {
    this.#at = at
    this.#length = length
    this.#words = Math.ceil(length / fiveMs / 32)
    const points = at.length
    this.#over = new Float64Array(points)
    this.#under = new Float64Array(points)
    this.#max = new Float64Array(points).fill(Number.NEGATIVE_INFINITY)
    this.#lastAt = new Float64Array(points).fill(Number.NEGATIVE_INFINITY)
    this.#last = new Float64Array(points)
    this.#heard = new Uint32Array(points * this.#words)
  }

  add(start: number, { over, under, max }: Five): void {
    const within = start - this.#at[0]!
    const step = Math.floor(within / this.#length)
    this.#over[step]! += over
    this.#under[step]! += under
    this.#max[step] = Math.max(this.#max[step]!, max)
    this.#addLast(step, start, over)
    const five = Math.floor((within - step * this.#length) / fiveMs)
    this.#heard[step * this.#words + (five >> 5)]! |= 1 << (five & 31)
  }

  #addLast(step: number, start: number, over: number): void {
    if (start < this.#lastAt[step]!) return
    this.#last[step] = start === this.#lastAt[step] ? this.#last[step]! + over : over
    this.#lastAt[step] = start
  }

  /** The same metric of others, in the same steps. */
  merge(other: Steps): void {
    for (let step = 0; step < this.#at.length; step++) {
      this.#over[step]! += other.#over[step]!
      this.#under[step]! += other.#under[step]!
      this.#max[step] = Math.max(this.#max[step]!, other.#max[step]!)
      if (other.#under[step]! > 0) this.#addLast(step, other.#lastAt[step]!, other.#last[step]!)
    }
    for (let word = 0; word < this.#heard.length; word++) this.#heard[word]! |= other.#heard[word]!
  }

  values(name: Metric): (number | null)[] {
    const { group } = fields[name]
    return this.#at.map((_, step) => {
      if (this.#under[step] === 0) return null
      if (name === 'efficiencyJTh' || group === 'mean') return this.#over[step]! / this.#under[step]!
      if (group === 'max') return this.#max[step]!
      return showsLast(name) ? this.#last[step]! : this.#over[step]! / this.#fives(step)
    })
  }

  #fives(step: number): number {
    let count = 0
    for (let word = step * this.#words; word < (step + 1) * this.#words; word++)
      for (let bits = this.#heard[word]!; bits !== 0; bits &= bits - 1) count++
    return count
  }
}

/** The rows of one group, of all kinds and feeds, in steps: however many rows there are, no more is held than what is asked for. */
export class Crowded {
  readonly #metrics: readonly Metric[]
  readonly #at: readonly number[]
  readonly #length: number
  readonly #now: number
  /** By kind, in the order of the metrics: which kinds count for a metric is known when all rows are there. */
  readonly #kinds = new Map<Kind, Steps[]>()
  /** Of the five minutes that are not over and those before them. */
  readonly #recent: CrowdRow[] = []

  constructor(metrics: readonly Metric[], at: readonly number[], length: number, now: number) {
    this.#metrics = metrics
    this.#at = at
    this.#length = length
    this.#now = now
  }

  /** Rows that are held as they are. */
  get held(): number {
    return this.#recent.length
  }

  add(row: CrowdRow): void {
    let all = this.#kinds.get(row.kind)
    if (!all) {
      all = this.#metrics.map(() => new Steps(this.#at, this.#length))
      this.#kinds.set(row.kind, all)
    }
    if (row.start + 2 * fiveMs > this.#now) {
      this.#recent.push(row)
      return
    }
    this.#metrics.forEach((name, index) => {
      const five = fiveIn(row, name, index)
      if (five) all[index]!.add(row.start, five)
    })
  }

  /** A value for each step; null where nobody said anything, and for metrics that do not combine. */
  column(name: Metric): (number | null)[] {
    const paired = name === 'efficiencyJTh'
    if (fields[name].group === 'none' && !paired) return this.#at.map(() => null)
    const index = this.#metrics.indexOf(name)
    const counted = countedKind(name, (kind) => this.#kinds.has(kind))
    const counts = (kind: Kind) => counted === undefined || kind === counted
    const total = new Steps(this.#at, this.#length)
    for (const [kind, steps] of this.#kinds) if (counts(kind)) total.merge(steps[index]!)
    const fives = new Map<number, Five>()
    for (const row of this.#recent) {
      const five = counts(row.kind) && fiveIn(row, name, index)
      if (!five) continue
      const known = fives.get(row.start)
      const { over, under, max } = five
      fives.set(
        row.start,
        known ? { over: known.over + over, under: known.under + under, max: Math.max(known.max, max) } : five,
      )
    }
    for (const [start, five] of fives) {
      // Of a ratio `under` counts no devices, and it does not dip.
      const running = !paired && start + fiveMs > this.#now
      if (running && isTooEarly(five.under, fives.get(start - fiveMs)?.under)) continue
      total.add(start, five)
    }
    return total.values(name)
  }
}

/** Undefined if nobody in the row has the metric. */
function fiveIn(row: CrowdRow, name: Metric, index: number): Five | undefined {
  if (name === 'efficiencyJTh')
    return row.pairThs === 0 ? undefined : { over: row.pairW, under: row.pairThs, max: row.pairW }
  const under = row.counts[index]!
  return under === 0 ? undefined : { over: row.values[index]!, under, max: row.values[index]! }
}
