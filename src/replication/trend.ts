/** How a number follows from those before it, and from what was surprising in others of the same moment. */
export interface Weights {
  /** By how much it usually changes. */
  readonly slope: number
  /** Of the last changes, of how far it is from its means, of facts of others. */
  readonly of: Float64Array
}

export const taps = 4
/** How fast the two means follow. */
const shares = [1 / 8, 1 / 64] as const
export const ownWeights = taps + shares.length
const largest = 2 ** 50
/** Changes beyond so many usual ones say nothing of the others. */
const wildest = 16

/** What is known before each number; moved on with each. */
class Past {
  readonly facts: Float64Array
  readonly #slope: number
  #last = 0
  #near = 0
  #far = 0

  constructor(slope: number, first: number, others: number) {
    this.#slope = slope
    this.facts = new Float64Array(ownWeights + others)
    this.#last = first
    this.#near = first
    this.#far = first
  }

  expected(weights: Float64Array): number {
    const { facts } = this
    let change = this.#slope
    for (let at = 0; at < facts.length; at++) change += weights[at]! * facts[at]!
    const next = Math.round(this.#last + change)
    return Math.abs(next) < largest ? next : this.#last
  }

  /** How far a value is from the slower mean. */
  off(value: number): number {
    return value - this.#slope - this.#far
  }

  move(value: number): void {
    const { facts } = this
    facts[3] = facts[2]!
    facts[2] = facts[1]!
    facts[1] = facts[0]!
    facts[0] = value - this.#last - this.#slope
    this.#last = value
    this.#near += this.#slope
    this.#near += (value - this.#near) * shares[0]
    this.#far += this.#slope
    this.#far += (value - this.#far) * shares[1]
    facts[taps] = this.#near - value
    facts[taps + 1] = this.#far - value
  }
}

/**
 * Goes over the numbers in order: `next` gets the place and what is expected there, and answers what it is. The first number is given. Both
 * who writes and who reads go this way, so that they expect the same. `others`: facts of the same moment, by place. Answers how far each number was from
 * its mean.
 */
export function follow(
  count: number,
  first: number,
  weights: Weights,
  others: readonly ArrayLike<number>[],
  next: (at: number, expected: number) => number,
): Float64Array {
  const past = new Past(weights.slope, first, others.length)
  const off = new Float64Array(count)
  for (let at = 1; at < count; at++) {
    for (let each = 0; each < others.length; each++) past.facts[ownWeights + each] = others[each]![at]!
    const value = next(at, past.expected(weights.of))
    off[at] = past.off(value)
    past.move(value)
  }
  return off
}

/** The weights that would have foreseen the numbers best: least squares, without the wildest changes. */
export function fit(values: ArrayLike<number>, others: readonly ArrayLike<number>[] = []): Weights {
  const slope = usualChange(values)
  const wide = ownWeights + others.length
  const past = new Past(slope, values[0]!, others.length)
  let sum = 0
  for (let at = 1; at < values.length; at++) sum += Math.abs(values[at]! - values[at - 1]! - slope)
  const limit = (wildest * sum) / values.length
  const products = new Float64Array(wide * wide)
  const wanted = new Float64Array(wide)
  const { facts } = past
  for (let at = 1; at < values.length; at++) {
    const change = values[at]! - values[at - 1]! - slope
    for (let each = 0; each < others.length; each++) facts[ownWeights + each] = others[each]![at]!
    if (Math.abs(change) <= limit && Math.abs(facts[0]!) <= limit) {
      for (let row = 0; row < wide; row++) {
        const fact = facts[row]!
        if (fact === 0) continue
        wanted[row]! += fact * change
        for (let column = 0; column <= row; column++) products[row * wide + column]! += fact * facts[column]!
      }
    }
    past.move(values[at]!)
  }
  return { slope, of: solved(products, wanted, wide) }
}

function usualChange(values: ArrayLike<number>): number {
  const changes = new Float64Array(Math.max(0, values.length - 1))
  for (let at = 1; at < values.length; at++) changes[at - 1] = values[at]! - values[at - 1]!
  const whole = (values[values.length - 1]! - values[0]!) / Math.max(1, changes.length)
  changes.sort()
  const middle = changes[changes.length >> 1] ?? 0
  // A clock that wobbles around its beat: over all of it the beat is exact.
  return middle !== 0 && Math.abs(whole - middle) < Math.abs(middle) / 100 ? Math.fround(whole) : middle
}

/** By Cholesky; weights that nothing is known of are 0, all are kept in steps of 1/4096. */
function solved(products: Float64Array, wanted: Float64Array, wide: number): Float64Array {
  const lower = new Float64Array(wide * wide)
  for (let row = 0; row < wide; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = products[row * wide + column]!
      if (row === column) sum = sum * 1.000001 + 1e-6
      for (let at = 0; at < column; at++) sum -= lower[row * wide + at]! * lower[column * wide + at]!
      lower[row * wide + column] =
        row === column ? Math.sqrt(Math.max(sum, 1e-9)) : sum / lower[column * wide + column]!
    }
  }
  const weights = new Float64Array(wide)
  for (let row = 0; row < wide; row++) {
    let sum = wanted[row]!
    for (let at = 0; at < row; at++) sum -= lower[row * wide + at]! * weights[at]!
    weights[row] = sum / lower[row * wide + row]!
  }
  for (let row = wide - 1; row >= 0; row--) {
    let sum = weights[row]!
    for (let at = row + 1; at < wide; at++) sum -= lower[at * wide + row]! * weights[at]!
    weights[row] = sum / lower[row * wide + row]!
  }
  for (let at = 0; at < wide; at++) weights[at] = stepped(weights[at]!)
  return weights
}

export const weightSteps = 4096

function stepped(weight: number): number {
  const whole = Math.round(weight * weightSteps)
  return Math.abs(whole) < 2 ** 31 ? whole / weightSteps : 0
}
