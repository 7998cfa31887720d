import { bitsOf, Numbers, writeNumbers } from './ans.js'
import { damaged, type Reading, Writer } from './bytes.js'
import { noScale, powers, scaleFor } from './numbers.js'
import { fit, follow, ownWeights, runBits, type Weights, weightSteps } from './trend.js'

/** What a column may tell of others, row by row: how much of it was a surprise, how far it was from its mean; 0 where it has no value. */
export interface Signs {
  readonly surprises: Float64Array
  readonly off: Float64Array
}

/** A column as it is coded. Without signs if it follows from what others say it should be. */
export interface Curve {
  readonly bytes: Uint8Array
  readonly signs?: Signs
}

/** A column that others may follow. */
export interface Partner {
  readonly place: number
  readonly signs: Signs
}

const largest = 2 ** 50
const maxPartners = 2
/** A partner costs its own reading: it has to save more bits a row than this. */
const worthwhile = 0.06
/** So many rows tell who goes together. */
const enough = 2000

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
): Curve | undefined {
  const steps = stepsOf(rows.length === column.length ? column : picked(column, rows))
  if (!steps || rows.length === 0) return undefined
  const { scale, step, values } = steps
  const told = hint && toldOf(picked(hint, rows), steps)
  const own = signsOf(values, fit(values), [])
  const bits = bitsOf(own.surprises)
  const out = new Writer(256)
  out.byte(scale)
  out.varint(step)
  out.signed(values[0]!)
  if (told && bitsOf(told) < bits) {
    out.byte(said)
    if (values.length > 1) writeNumbers(out, told)
    return { bytes: out.view().slice() }
  }
  const chosen = partnersFor(own.surprises, rows, partners)
  const others = chosen.flatMap(({ signs }) => factsOf(signs, rows))
  const weights = fit(values, others)
  const signs = chosen.length > 0 ? signsOf(values, weights, others) : own
  const { slope } = weights
  const slopeKind = slope === 0 ? 0 : Number.isInteger(slope) ? slopeWhole : slopeDouble
  out.byte(slopeKind | (chosen.length << partnerShift))
  for (const { place } of chosen) out.varint(place)
  if (slopeKind === slopeWhole) out.signed(slope)
  else if (slopeKind === slopeDouble) out.float(slope)
  for (const weight of weights.of) out.signed(weight * weightSteps)
  if (values.length > 1) writeNumbers(out, signs.surprises)
  return { bytes: out.view().slice(), signs: byRow(signs, rows, column.length) }
}

/** From signs of the values from the second on to those of rows. */
function byRow({ surprises, off }: Signs, rows: Uint32Array, count: number): Signs {
  const found = { surprises: new Float64Array(count), off: new Float64Array(count) }
  for (let at = 1; at < rows.length; at++) {
    found.surprises[rows[at]!] = surprises[at - 1]!
    found.off[rows[at]!] = off[at]!
  }
  return found
}

function factsOf({ surprises, off }: Signs, rows: Uint32Array): Float64Array[] {
  return [picked(surprises, rows), picked(off, rows)]
}

function picked(values: Float64Array, rows: Uint32Array): Float64Array {
  const found = new Float64Array(rows.length)
  for (let at = 0; at < rows.length; at++) found[at] = values[rows[at]!]!
  return found
}

/** Surprises from the second value on: by how much it is more than expected. */
function signsOf(values: Float64Array, weights: Weights, others: readonly Float64Array[]): Signs {
  const surprises = new Float64Array(Math.max(0, values.length - 1))
  const off = follow(values.length, values[0]!, weights, others, (at, expected) => {
    surprises[at - 1] = values[at]! - expected
    return values[at]!
  })
  return { surprises, off }
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
function partnersFor(own: Float64Array, rows: Uint32Array, partners: readonly Partner[]): Partner[] {
  const left = own.slice()
  const chosen: Partner[] = []
  const stride = Math.ceil(left.length / enough)
  for (let round = 0; round < maxPartners && left.length > 0; round++) {
    let best: { partner: Partner; share: number; shared: number } | undefined
    for (const partner of partners) {
      if (chosen.includes(partner)) continue
      let product = 0
      let theirs = 0
      let power = 0
      for (let at = 0; at < left.length; at++) {
        if ((at >> runBits) % stride !== 0) continue
        power += left[at]! * left[at]!
        const surprise = partner.signs.surprises[rows[at + 1]!]!
        product += surprise * left[at]!
        theirs += surprise * surprise
      }
      if (theirs === 0 || power === 0) continue
      const shared = (product * product) / (theirs * power)
      if (!best || shared > best.shared) best = { partner, share: product / theirs, shared }
    }
    // Of two that go together as far as `shared` says, one saves so many bits of the other.
    if (!best || -0.5 * Math.log2(Math.max(1e-9, 1 - best.shared)) < worthwhile) break
    chosen.push(best.partner)
    for (let at = 0; at < left.length; at++) left[at]! -= best.share * best.partner.signs.surprises[rows[at + 1]!]!
  }
  return chosen
}

/** The values of a curve at these of `count` rows, NaN elsewhere. `signsAt`: of the column at a place. */
export function readCurve(
  bytes: Reading,
  rows: Uint32Array,
  count: number,
  hint: Float64Array | undefined,
  signsAt: (place: number) => Signs,
): { values: Float64Array; signs?: Signs } {
  const scale = bytes.byte()
  const step = bytes.varint()
  const first = bytes.signed()
  const kind = bytes.byte()
  if (scale >= noScale || step < 1) throw damaged('a column has an impossible scale')
  const values = new Float64Array(count)
  if (rows.length < count) values.fill(Number.NaN)
  const power = powers[scale]!
  const put = (at: number, steps: number) => {
    values[rows[at]!] = (steps * step) / power
  }
  if (rows.length > 0) put(0, first)
  if (kind & said) {
    if (!hint) throw damaged('a column follows from others that are not there')
    const numbers = rows.length > 1 ? new Numbers(bytes) : undefined
    let before = first
    for (let at = 1; at < rows.length; at++) {
      before = toldAt(hint[rows[at]!]!, scale, step, before) + numbers!.next()
      put(at, before)
    }
    return { values }
  }
  const partners = Array.from({ length: kind >> partnerShift }, () => bytes.varint())
  const slope = kind & slopeWhole ? bytes.signed() : kind & slopeDouble ? bytes.float() : 0
  const of = Float64Array.from({ length: ownWeights + 2 * partners.length }, () => bytes.signed() / weightSteps)
  if (rows.length < 2) return { values }
  const others = partners.flatMap((place) => factsOf(signsAt(place), rows))
  const surprises = new Float64Array(rows.length - 1)
  const numbers = new Numbers(bytes)
  const off = follow(rows.length, first, { slope, of }, others, (at, expected) => {
    const surprise = numbers.next()
    surprises[at - 1] = surprise
    put(at, expected + surprise)
    return expected + surprise
  })
  return { values, signs: byRow({ surprises, off }, rows, count) }
}
