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
/** They are taken in runs: every so many-th could always meet the same moment of something that comes and goes. */
export const runBits = 6

/**
 * Goes over numbers in order, from the first of them: from their values to how much each is more than expected, or, `reading`, back. Both
 * who writes and who reads go this way, so that they expect the same; the first value is known to both. `others`: facts of the same moment,
 * by place.
 */
export function follow(
  from: Float64Array,
  to: Float64Array,
  reading: boolean,
  { slope, of }: Weights,
  others: readonly Float64Array[],
): void {
  // Taken one by one: an array that is taken apart gives numbers that have to be looked at again and again.
  const [w0, w1, w2] = [of[0]!, of[1]!, of[2]!]
  const [w3, w4, w5] = [of[3]!, of[4]!, of[5]!]
  let [f0, f1, f2, f3] = [0, 0, 0, 0]
  let last = reading ? to[0]! : from[0]!
  let [near, far] = [last, last]
  for (let at = 1; at < from.length; at++) {
    let change = slope + w0 * f0 + w1 * f1 + w2 * f2 + w3 * f3 + w4 * (near - last) + w5 * (far - last)
    for (let each = 0; each < others.length; each++) change += of[ownWeights + each]! * others[each]![at]!
    const rounded = Math.round(last + change)
    const expected = Math.abs(rounded) < largest ? rounded : last
    const value = reading ? expected + from[at]! : from[at]!
    to[at] = reading ? value : value - expected
    f3 = f2
    f2 = f1
    f1 = f0
    f0 = value - last - slope
    last = value
    near += slope
    near += (value - near) * nearShare
    far += slope
    far += (value - far) * farShare
  }
}

/** How far each number is from the slower of its means. */
export function farOff(values: Float64Array, slope: number): Float64Array {
  const off = new Float64Array(values.length)
  let far = values[0]!
  for (let at = 1; at < values.length; at++) {
    far += slope
    off[at] = values[at]! - far
    far += (values[at]! - far) * farShare
  }
  return off
}

/** The weights that would have foreseen the numbers best: least squares over some `rows` of them, without the wildest changes. */
export function fit(values: Float64Array, rows: number, others: readonly Float64Array[] = []): Weights {
  const slope = usualChange(values, rows)
  let sum = 0
  for (let at = 1; at < values.length; at++) sum += Math.abs(values[at]! - values[at - 1]! - slope)
  const limit = (wildest * sum) / values.length
  const stride = Math.ceil(values.length / rows)
  const most = Math.min(values.length, (Math.ceil(values.length / (stride << runBits)) + 1) << runBits)
  const facts = Array.from({ length: ownWeights + others.length }, () => new Float64Array(most))
  const [past0, past1, past2, past3, toNear, toFar, ...theirs] = facts as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    ...Float64Array[],
  ]
  const changes = new Float64Array(most)
  let count = 0
  let [f0, f1, f2, f3] = [0, 0, 0, 0]
  let [near, far] = [values[0]!, values[0]!]
  for (let at = 1; at < values.length; at++) {
    const value = values[at]!
    const last = values[at - 1]!
    const change = value - last - slope
    if ((at >> runBits) % stride === 0 && Math.abs(change) <= limit && Math.abs(f0) <= limit) {
      changes[count] = change
      past0[count] = f0
      past1[count] = f1
      past2[count] = f2
      past3[count] = f3
      toNear[count] = near - last
      toFar[count] = far - last
      for (let each = 0; each < theirs.length; each++) theirs[each]![count] = others[each]![at]!
      count++
    }
    f3 = f2
    f2 = f1
    f1 = f0
    f0 = change
    near += slope + (value - near - slope) * nearShare
    far += slope + (value - far - slope) * farShare
  }
  return { slope, of: solved(facts, changes, count) }
}

/** Of the first `count` numbers, each with its partner, the products added up. */
export function product(one: Float64Array, other: Float64Array, count = one.length): number {
  let [even, odd] = [0, 0]
  for (let at = 1; at < count; at += 2) {
    even += one[at - 1]! * other[at - 1]!
    odd += one[at]! * other[at]!
  }
  return count % 2 === 0 ? even + odd : even + odd + one[count - 1]! * other[count - 1]!
}

function usualChange(values: Float64Array, rows: number): number {
  const stride = Math.ceil(values.length / (rows / 8))
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
function solved(facts: readonly Float64Array[], wanted: Float64Array, count: number): Float64Array {
  const wide = facts.length
  const lower = new Float64Array(wide * wide)
  for (let row = 0; row < wide; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = product(facts[row]!, facts[column]!, count)
      if (row === column) sum = sum * 1.000001 + 1e-6
      for (let at = 0; at < column; at++) sum -= lower[row * wide + at]! * lower[column * wide + at]!
      lower[row * wide + column] =
        row === column ? Math.sqrt(Math.max(sum, 1e-9)) : sum / lower[column * wide + column]!
    }
  }
  const weights = new Float64Array(wide)
  for (let row = 0; row < wide; row++) {
    let sum = product(facts[row]!, wanted, count)
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
