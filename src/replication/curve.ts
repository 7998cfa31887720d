import { bitsOf, readNumbers, writeNumbers } from './ans.js'
import { damaged, type Reading, Writer } from './bytes.js'
import { noScale, powers, scaleFor } from './numbers.js'
import { farOff, fit, follow, ownWeights, product, runBits, type Weights, weightSteps } from './trend.js'

/** What a column may tell of others, row by row: how much of it was a surprise, how far it was from its mean; 0 where it has no value. */
export interface Signs {
  readonly surprises: Float64Array
  readonly off: Float64Array
}

/** How much work is put into a column: from how many rows it is learnt how it goes on, and how many others it may follow. */
export interface Care {
  readonly rows: number
  readonly partners: number
}

/** A column as it is coded. Without signs if it follows from what others say it should be. */
export interface Curve {
  readonly bytes: Uint8Array
  readonly signs?: () => Signs
}

/** A column that others may follow. */
export interface Partner {
  readonly place: number
  readonly signs: Signs
}

const largest = 2 ** 50
/** A partner costs its own reading: it has to save more bits a row than this. */
const worthwhile = 0.06
/** So many rows tell who goes together. */
const enough = 1000

// The kind of a curve: whether others say what it should be, then how its slope is written, and above these its partners.
const said = 1
const slopeWhole = 2
const slopeDouble = 4
const partnerShift = 4

/** What a column of decimals is in whole steps. */
interface Steps {
  readonly scale: number
  readonly step: number
  readonly values: Float64Array
}

function stepsOf(values: Float64Array): Steps | undefined {
  let scale = 0
  for (let at = 0; at < values.length; at++) {
    scale = scaleFor(values[at]!, scale)
    if (scale === noScale) return undefined
  }
  const power = powers[scale]!
  const steps = new Float64Array(values.length)
  let step = 0
  for (let at = 0; at < values.length; at++) {
    const whole = Math.round(values[at]! * power)
    if (Math.abs(whole) >= largest || whole / power !== values[at]!) return undefined
    steps[at] = whole
    if (step !== 1) step = gcd(step, Math.abs(whole))
  }
  if (step > 1) for (let at = 0; at < steps.length; at++) steps[at]! /= step
  return { scale, step: Math.max(1, step), values: steps }
}

function gcd(a: number, b: number): number {
  let [left, right] = [a, b]
  while (right !== 0) [left, right] = [right, left % right]
  return left
}

/**
 * Codes one column; `rows` are those where it has a value, `hint` what others say of each row of the column. Undefined if its values are no
 * decimals: nothing is gained by coding them like that.
 */
export function writeCurve(
  column: Float64Array,
  rows: Uint32Array,
  hint: Float64Array | undefined,
  partners: readonly Partner[],
  care: Care,
): Curve | undefined {
  const steps = stepsOf(picked(column, rows))
  if (!steps || rows.length === 0) return undefined
  const { scale, step, values } = steps
  const told = hint && toldOf(picked(hint, rows), steps)
  const alone = fit(values, care.rows)
  const own = surprisesOf(values, alone, [])
  const out = new Writer(256)
  out.byte(scale)
  out.varint(step)
  out.signed(values[0]!)
  if (told && bitsOf(told) < bitsOf(own.subarray(1))) {
    out.byte(said)
    if (values.length > 1) writeNumbers(out, told)
    return { bytes: out.view().slice() }
  }
  const chosen = partnersFor(own, rows, partners, care.partners)
  const others = chosen.flatMap(({ signs }) => factsOf(signs, rows))
  const weights = chosen.length > 0 ? fit(values, care.rows, others) : alone
  const surprises = chosen.length > 0 ? surprisesOf(values, weights, others) : own
  const { slope } = weights
  const slopeKind = slope === 0 ? 0 : Number.isInteger(slope) ? slopeWhole : slopeDouble
  out.byte(slopeKind | (chosen.length << partnerShift))
  for (const { place } of chosen) out.varint(place)
  if (slopeKind === slopeWhole) out.signed(slope)
  else if (slopeKind === slopeDouble) out.float(slope)
  for (const weight of weights.of) out.signed(weight * weightSteps)
  if (values.length > 1) writeNumbers(out, surprises.subarray(1))
  const signs = () => signsOf(values, surprises, slope, rows, column.length)
  return { bytes: out.view().slice(), signs }
}

function signsOf(
  values: Float64Array,
  surprises: Float64Array,
  slope: number,
  rows: Uint32Array,
  count: number,
): Signs {
  const off = farOff(values, slope)
  if (rows.length === count) return { surprises, off }
  const found = { surprises: new Float64Array(count), off: new Float64Array(count) }
  for (let at = 1; at < rows.length; at++) {
    found.surprises[rows[at]!] = surprises[at]!
    found.off[rows[at]!] = off[at]!
  }
  return found
}

function factsOf({ surprises, off }: Signs, rows: Uint32Array): Float64Array[] {
  return [picked(surprises, rows), picked(off, rows)]
}

function picked(values: Float64Array, rows: Uint32Array): Float64Array {
  if (rows.length === values.length) return values
  const found = new Float64Array(rows.length)
  for (let at = 0; at < rows.length; at++) found[at] = values[rows[at]!]!
  return found
}

function surprisesOf(values: Float64Array, weights: Weights, others: readonly Float64Array[]): Float64Array {
  const surprises = new Float64Array(values.length)
  follow(values, surprises, false, weights, others)
  return surprises
}

function toldOf(hint: Float64Array, { scale, step, values }: Steps): Float64Array {
  const off = new Float64Array(Math.max(0, values.length - 1))
  for (let at = 1; at < values.length; at++) off[at - 1] = values[at]! - toldAt(hint[at]!, scale, step, values[at - 1]!)
  return off
}

function toldAt(hint: number, scale: number, step: number, before: number): number {
  const whole = Math.round((hint * powers[scale]!) / step)
  return Math.abs(whole) < largest ? whole : before
}

/** Those whose surprises go with the column's, each beside what is left after the one before. */
function partnersFor(own: Float64Array, rows: Uint32Array, partners: readonly Partner[], most: number): Partner[] {
  const chosen: Partner[] = []
  if (most === 0 || partners.length === 0) return chosen
  const some = sampled(rows.length)
  const someRows = some.map((at) => rows[at]!)
  const left = picked(own, some)
  const theirs = partners.map(({ signs }) => picked(signs.surprises, someRows))
  for (let round = 0; round < most; round++) {
    const power = product(left, left)
    let best = { place: -1, share: 0, shared: 0 }
    for (let place = 0; place < theirs.length; place++) {
      const surprises = theirs[place]!
      const [both, alone] = [product(surprises, left), product(surprises, surprises)]
      if (alone === 0 || power === 0 || chosen.includes(partners[place]!)) continue
      const shared = (both * both) / (alone * power)
      if (shared > best.shared) best = { place, share: both / alone, shared }
    }
    // Of two that go together as far as `shared` says, one saves so many bits of the other.
    if (best.place < 0 || -0.5 * Math.log2(Math.max(1e-9, 1 - best.shared)) < worthwhile) break
    chosen.push(partners[best.place]!)
    const surprises = theirs[best.place]!
    for (let at = 0; at < left.length; at++) left[at]! -= best.share * surprises[at]!
  }
  return chosen
}

/** Some of so many places, in runs. */
function sampled(count: number): Uint32Array {
  const stride = Math.ceil(count / enough)
  const found: number[] = []
  for (let at = 1; at < count; at++) if ((at >> runBits) % stride === 0) found.push(at)
  return Uint32Array.from(found)
}

/** The values of a curve at these of `count` rows, NaN elsewhere. `signsAt`: of the column at a place. */
export function readCurve(
  bytes: Reading,
  rows: Uint32Array,
  count: number,
  hint: Float64Array | undefined,
  signsAt: (place: number) => Signs,
): { values: Float64Array; signs?: () => Signs } {
  const scale = bytes.byte()
  const step = bytes.varint()
  const first = bytes.signed()
  const kind = bytes.byte()
  if (scale >= noScale || step < 1) throw damaged('a column has an impossible scale')
  const steps = new Float64Array(rows.length)
  if (rows.length > 0) steps[0] = first
  const place = () => placed(steps, rows, count, scale, step)
  if (kind & said) {
    if (!hint) throw damaged('a column follows from others that are not there')
    if (rows.length > 1) readNumbers(bytes, steps.subarray(1))
    for (let at = 1; at < rows.length; at++) steps[at]! += toldAt(hint[rows[at]!]!, scale, step, steps[at - 1]!)
    return { values: place() }
  }
  const partners = Array.from({ length: kind >> partnerShift }, () => bytes.varint())
  const slope = kind & slopeWhole ? bytes.signed() : kind & slopeDouble ? bytes.float() : 0
  const of = Float64Array.from({ length: ownWeights + 2 * partners.length }, () => bytes.signed() / weightSteps)
  const others = rows.length < 2 ? [] : partners.flatMap((partner) => factsOf(signsAt(partner), rows))
  const surprises = new Float64Array(rows.length)
  if (rows.length > 1) readNumbers(bytes, surprises.subarray(1))
  follow(surprises, steps, true, { slope, of }, others)
  const signs = () => signsOf(steps, surprises, slope, rows, count)
  return { values: place(), signs }
}

/** From steps of values to decimals of rows. */
function placed(steps: Float64Array, rows: Uint32Array, count: number, scale: number, step: number): Float64Array {
  const values = new Float64Array(count)
  if (rows.length < count) values.fill(Number.NaN)
  const power = powers[scale]!
  for (let at = 0; at < rows.length; at++) values[rows[at]!] = (steps[at]! * step) / power
  return values
}
