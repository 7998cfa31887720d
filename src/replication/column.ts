import { damaged } from './bytes.js'
import { Forecast, taps } from './forecast.js'
import { Differences, noScale, powers, scaleFor } from './numbers.js'
import type { RangeDecoder, RangeEncoder } from './range.js'

// What the next value of a device may be expected to be:
const asBefore = 0
/** As the last changes say; how, is learnt. */
const onward = 1
const usual = 2
const derived = 3
const expectations = 4
/** By how much the last value counts in what is usual, and in how well each expectation does. */
const usualShare = 1 / 8
const costShare = 1 / 32
const largest = 2 ** 50
const largestStep = 2 ** 32 - 1
/** Measured in steps of their own: a fan's speed is a number of turns in a fixed time. */
const stepped = /rpm$/i

/**
 * One column over the devices of a frame, or over the samples of one device: whole numbers at the column's own decimals and steps, each as
 * the difference to what is expected. Which expectation does best is learnt; writer and reader learn the same.
 */
export class Column {
  readonly #stepped: boolean
  #scale = 0
  /** 0: none is known yet, for there was nothing but zeros. */
  #step = 1
  readonly #later = new Differences()
  readonly #first = new Differences()
  #last: Float64Array = new Float64Array(4).fill(Number.NaN)
  #before: Float64Array = new Float64Array(4)
  #usual: Float64Array = new Float64Array(4)
  #calm = new Uint8Array(4)
  /** The last changes of each device, once there was one. */
  #changes: Float64Array | undefined
  readonly #forecast = new Forecast()
  #onward = 0
  #neighbour = 0
  readonly #costs = new Float64Array(expectations)
  #expected = 0
  #known = false
  #double = Number.NaN

  constructor(name = '') {
    this.#stepped = stepped.test(name)
    if (this.#stepped) this.#step = 0
  }

  /** `hint`: what other columns say that it should be, or by how much it should change; NaN if they say nothing. */
  write(to: RangeEncoder, device: number, value: number, hint = Number.NaN, asChange = false): void {
    this.#reserve(device)
    const scale = scaleFor(value, this.#scale)
    const calm = this.#calm[device]!
    const differences = Number.isNaN(this.#last[device]) ? this.#first : this.#later
    if (scale === noScale) {
      differences.writeDouble(to, value, calm)
      return
    }
    if (scale !== this.#scale) {
      differences.writeScale(to, scale, calm)
      this.#rescale(scale)
    }
    const whole = Math.round(value * powers[scale]!)
    if (this.#stepped && whole !== 0 && (this.#step === 0 || whole % this.#step !== 0)) {
      const common = gcd(this.#step, Math.abs(whole))
      const step = common <= largestStep ? common : 1
      // A change of scale may have cost the device its past.
      const inUse = Number.isNaN(this.#last[device]) ? this.#first : this.#later
      inUse.writeStep(to, step, calm)
      this.#restep(step)
    }
    const steps = this.#step === 0 ? 0 : whole / this.#step
    const steppedHint = this.#expect(device, hint, asChange)
    const inUse = this.#known ? this.#later : this.#first
    inUse.write(to, steps - this.#expected, calm)
    this.#learn(device, steps, steppedHint)
  }

  read(from: RangeDecoder, device: number, hint = Number.NaN, asChange = false): number {
    this.#reserve(device)
    for (let attempt = 0; attempt < 3; attempt++) {
      const differences = Number.isNaN(this.#last[device]) ? this.#first : this.#later
      const steppedHint = this.#expect(device, hint, asChange)
      this.#double = Number.NaN
      const difference = differences.read(from, this.#calm[device]!, this.#other)
      if (!Number.isNaN(difference)) {
        const steps = this.#expected + difference
        this.#learn(device, steps, steppedHint)
        return (steps * this.#step) / powers[this.#scale]!
      }
      if (!Number.isNaN(this.#double)) return this.#double
    }
    throw damaged('a column changes its scale too often')
  }

  /** By how much the device's last value differs from the one before it. */
  change(device: number): number {
    return ((this.#last[device]! - this.#before[device]!) * this.#step) / powers[this.#scale]!
  }

  readonly #other = {
    scale: (scale: number) => {
      if (scale <= this.#scale || scale >= noScale) throw damaged('a column has an impossible scale')
      this.#rescale(scale)
    },
    step: (step: number) => {
      if (!this.#stepped || step < 1 || (this.#step !== 0 && this.#step % step !== 0))
        throw damaged('a column has an impossible step')
      this.#restep(step)
    },
    double: (value: number) => {
      if (Number.isNaN(value)) throw damaged('a number is none')
      this.#double = value
    },
  }

  /** Answers the hint in steps. */
  #expect(device: number, hint: number, asChange: boolean): number {
    const last = this.#last[device]!
    const steppedHint = (asChange ? last : 0) + Math.round((hint * powers[this.#scale]!) / (this.#step || 1))
    const hinted = Math.abs(steppedHint) < largest
    this.#known = !Number.isNaN(last)
    if (!this.#known) {
      this.#expected = hinted ? steppedHint : this.#neighbour
      return steppedHint
    }
    const costs = this.#costs
    let best = asBefore
    if (costs[onward]! < costs[best]!) best = onward
    if (costs[usual]! < costs[best]!) best = usual
    if (hinted && costs[derived]! < costs[best]!) best = derived
    this.#onward = this.#goOn(device, last)
    if (best === asBefore) this.#expected = last
    else if (best === onward) this.#expected = Math.round(this.#onward)
    else if (best === usual) this.#expected = Math.round(this.#usual[device]!)
    else this.#expected = steppedHint
    return steppedHint
  }

  #goOn(device: number, last: number): number {
    if (!this.#changes) return last
    const to = last + this.#forecast.change(this.#changes, device * taps)
    return Math.abs(to) < largest ? to : last
  }

  #learn(device: number, steps: number, steppedHint: number): void {
    const hit = steps === this.#expected
    if (this.#known) {
      const last = this.#last[device]!
      const costs = this.#costs
      costs[asBefore]! += (sizeOf(steps - last) - costs[asBefore]!) * costShare
      costs[onward]! += (sizeOf(steps - Math.round(this.#onward)) - costs[onward]!) * costShare
      costs[usual]! += (sizeOf(steps - Math.round(this.#usual[device]!)) - costs[usual]!) * costShare
      if (!Number.isNaN(steppedHint)) costs[derived]! += (sizeOf(steps - steppedHint) - costs[derived]!) * costShare
      this.#usual[device]! += (steps - this.#usual[device]!) * usualShare
      this.#before[device] = last
      this.#remember(device, steps - last, steps - this.#onward)
    } else {
      this.#before[device] = steps
      this.#usual[device] = steps
    }
    this.#last[device] = steps
    this.#neighbour = steps
    this.#calm[device] = ((this.#calm[device]! << 1) & 3) | (hit ? 1 : 0)
  }

  #remember(device: number, change: number, error: number): void {
    if (!this.#changes) {
      if (change === 0) return
      this.#changes = new Float64Array(this.#last.length * taps)
    }
    const changes = this.#changes
    const at = device * taps
    this.#forecast.learn(changes, at, error)
    for (let tap = taps - 1; tap > 0; tap--) changes[at + tap] = changes[at + tap - 1]!
    changes[at] = change
  }

  #rescale(scale: number): void {
    this.#inUnits((powers[scale - this.#scale]! as number) * (this.#step || 1))
    this.#scale = scale
    if (this.#step !== 0) this.#step = 1
  }

  #restep(step: number): void {
    this.#inUnits(this.#step / step)
    this.#step = step
  }

  /** All that is known is now so many times as many units. */
  #inUnits(factor: number): void {
    for (const values of [this.#last, this.#before, this.#usual, this.#changes]) {
      for (let at = 0; values && at < values.length; at++) values[at]! *= factor
    }
    for (let device = 0; device < this.#last.length; device++) {
      // Too far for exact differences: begun anew.
      if (Math.abs(this.#last[device]!) >= largest || Math.abs(this.#before[device]!) >= largest)
        this.#last[device] = Number.NaN
    }
    const neighbour = this.#neighbour * factor
    this.#neighbour = Math.abs(neighbour) < largest ? neighbour : 0
  }

  #reserve(device: number): void {
    if (device < this.#last.length) return
    const length = Math.max(device + 1, this.#last.length * 2)
    const known = this.#last.length
    this.#last = grown(this.#last, length).fill(Number.NaN, known)
    this.#before = grown(this.#before, length)
    this.#usual = grown(this.#usual, length)
    if (this.#changes) this.#changes = grown(this.#changes, length * taps)
    const calm = new Uint8Array(length)
    calm.set(this.#calm)
    this.#calm = calm
  }
}

function grown(values: Float64Array, length: number): Float64Array {
  const all = new Float64Array(length)
  all.set(values)
  return all
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b]
  return a
}

/** About the bits that a difference takes. */
function sizeOf(difference: number): number {
  const magnitude = Math.abs(difference)
  if (magnitude === 0) return 0
  return magnitude < 2 ** 31 ? 33 - Math.clz32(magnitude) : 40
}
