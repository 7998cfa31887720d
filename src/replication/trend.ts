/** How a number follows from those before it, and from what was surprising in others of the same moment. */
export interface Weights {
  /** By how much it usually changes. */
  readonly slope: number
  /** Of the last changes, of how far it is from its means, of facts of others. */
  readonly of: Float64Array
}

export const taps = 4
/** How fast the two means follow. */
const nearShare = 1 / 8
const farShare = 1 / 64
export const ownWeights = taps + 2
const largest = 2 ** 50
/** Changes beyond so many usual ones say nothing of the others. */
const wildest = 16
/** So many numbers tell what is usual. */
const enough = 3000
const enoughChanges = 400
/** They are taken in runs: every so many-th could always meet the same moment of something that comes and goes. */
export const runBits = 6

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
  const { slope, of } = weights
  const [w0, w1, w2, w3, w4, w5] = of as unknown as [number, number, number, number, number, number]
  const off = new Float64Array(count)
  let [f0, f1, f2, f3] = [0, 0, 0, 0]
  let [last, near, far] = [first, first, first]
  for (let at = 1; at < count; at++) {
    let change = slope + w0 * f0 + w1 * f1 + w2 * f2 + w3 * f3 + w4 * (near - last) + w5 * (far - last)
    for (let each = 0; each < others.length; each++) change += of[ownWeights + each]! * others[each]![at]!
    const rounded = Math.round(last + change)
    const value = next(at, Math.abs(rounded) < largest ? rounded : last)
    f3 = f2
    f2 = f1
    f1 = f0
    f0 = value - last - slope
    last = value
    near += slope
    near += (value - near) * nearShare
    far += slope
    off[at] = value - far
    far += (value - far) * farShare
  }
  return off
}

/** The weights that would have foreseen the numbers best: least squares, without the wildest changes. */
export function fit(values: ArrayLike<number>, others: readonly ArrayLike<number>[] = []): Weights {
  const slope = usualChange(values)
  const wide = ownWeights + others.length
  let sum = 0
  for (let at = 1; at < values.length; at++) sum += Math.abs(values[at]! - values[at - 1]! - slope)
  const limit = (wildest * sum) / values.length
  const products = new Float64Array(wide * wide)
  const wanted = new Float64Array(wide)
  const facts = new Float64Array(wide)
  const stride = Math.ceil(values.length / enough)
  let [near, far] = [values[0]!, values[0]!]
  for (let at = 1; at < values.length; at++) {
    const value = values[at]!
    const last = values[at - 1]!
    const change = value - last - slope
    if ((at >> runBits) % stride === 0 && Math.abs(change) <= limit && Math.abs(facts[0]!) <= limit) {
      facts[taps] = near - last
      facts[taps + 1] = far - last
      for (let each = 0; each < others.length; each++) facts[ownWeights + each] = others[each]![at]!
      for (let row = 0; row < wide; row++) {
        const fact = facts[row]!
        if (fact === 0) continue
        wanted[row]! += fact * change
        for (let column = 0; column <= row; column++) products[row * wide + column]! += fact * facts[column]!
      }
    }
    facts[3] = facts[2]!
    facts[2] = facts[1]!
    facts[1] = facts[0]!
    facts[0] = change
    near += slope + (value - near - slope) * nearShare
    far += slope + (value - far - slope) * farShare
  }
  return { slope, of: solved(products, wanted, wide) }
}

function usualChange(values: ArrayLike<number>): number {
  const stride = Math.ceil(values.length / enoughChanges)
  const found: number[] = []
  for (let at = 1; at < values.length; at++)
    if ((at >> runBits) % stride === 0) found.push(values[at]! - values[at - 1]!)
  const changes = Float64Array.from(found)
  const whole = (values[values.length - 1]! - values[0]!) / Math.max(1, values.length - 1)
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
