import { damaged } from './bytes.js'
import { Forecast, taps } from './forecast.js'
import { Differences, noScale, powers, scaleFor } from './numbers.js'
import { Odds, type RangeDecoder, type RangeEncoder } from './range.js'

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
// What is known of a device, side by side: a frame goes through the devices one by one, and through all columns for each.
const last = 0
const before = 1
const usually = 2
/** Whether the last two values were as expected, a bit each. */
const calm = 3
const facts = 4
const largest = 2 ** 50
const growth = 1.25
const largestStep = 2 ** 32 - 1
/** Measured in steps of their own: a fan's speed is a number of turns in a fixed time. */
const stepped = /rpm$/i

/**
 * One column over the devices of a frame, or over the samples of one device: whole numbers at the column's own decimals and steps, each as
 * the difference to what is expected. Which expectation does best is learnt; writer and reader learn the same.
 */
export class Column {
  #stepped = false
  #scale = 0
  /** 0: none is known yet, for there was nothing but zeros. */
  #step = 1
  /** Of one value, as of a constant, neither these nor a forecast are needed. */
  #later: Differences | undefined
  readonly #first = new Differences()
  /** By device, as many as there are facts. */
  #past: Float64Array
  /** The last changes of each device, once there was one. */
  #changes: Float64Array | undefined
  #forecast: Forecast | undefined
  #onward = 0
  #neighbour = 0
  readonly #costs = new Float64Array(expectations)
  readonly #stillness = new Odds(1)
  #expected = 0
  /** The hint in steps; NaN without one. Kept here, like the others: a double that is handed on is allocated anew. */
  #hint = Number.NaN
  #known = false
  #double = Number.NaN

  /** `devices`: how many there probably are. */
  constructor(name = '', devices = 1) {
    this.#past = new Float64Array(devices * facts)
    this.restart(name)
  }

  /** Forgets all, as a new one: what a column learns with takes longer to be made than to be cleared. */
  restart(name = ''): void {
    this.#stepped = stepped.test(name)
    this.#scale = 0
    this.#step = this.#stepped ? 0 : 1
    forget(this.#past)
    this.#changes?.fill(0)
    this.#first.restart()
    this.#later?.restart()
    this.#forecast?.restart()
    this.#costs.fill(0)
    this.#stillness.restart()
    this.#neighbour = 0
  }

  /** `hint`: what other columns say that it should be, or by how much it should change; NaN if they say nothing. */
  write(to: RangeEncoder, device: number, value: number, hint = Number.NaN, asChange = false): void {
    this.reserve(device + 1)
    const scale = scaleFor(value, this.#scale)
    const steady = this.#past[device * facts + calm]!
    if (scale === noScale) {
      this.#differences(device).writeDouble(to, value, steady)
      return
    }
    if (scale !== this.#scale) {
      this.#differences(device).writeScale(to, scale, steady)
      this.#rescale(scale)
    }
    const whole = Math.round(value * powers[scale]!)
    if (this.#stepped && whole !== 0 && (this.#step === 0 || whole % this.#step !== 0)) {
      const common = gcd(this.#step, Math.abs(whole))
      const step = common <= largestStep ? common : 1
      // A change of scale may have cost the device its past.
      this.#differences(device).writeStep(to, step, steady)
      this.#restep(step)
    }
    const steps = this.#step === 0 ? 0 : whole / this.#step
    this.#expect(device, hint, asChange)
    this.#differences(device).write(to, steps - this.#expected, steady)
    this.#learn(device, steps)
  }

  read(from: RangeDecoder, device: number, hint = Number.NaN, asChange = false): number {
    this.reserve(device + 1)
    for (let attempt = 0; attempt < 3; attempt++) {
      const differences = this.#differences(device)
      this.#expect(device, hint, asChange)
      this.#double = Number.NaN
      const difference = differences.read(from, this.#past[device * facts + calm]!, this.#other)
      if (!Number.isNaN(difference)) {
        const steps = this.#expected + difference
        this.#learn(device, steps)
        return (steps * this.#step) / powers[this.#scale]!
      }
      if (!Number.isNaN(this.#double)) return this.#double
    }
    throw damaged('a column changes its scale too often')
  }

  /** Says whether all these devices have their last value still, as is usual of a setting: then no more has to be written. */
  writeStill(
    to: RangeEncoder,
    devices: readonly number[],
    rows: readonly (readonly number[])[],
    place: number,
  ): boolean {
    let row = 0
    while (row < devices.length && this.#value(devices[row]!) === rows[row]![place]!) row++
    const still = row === devices.length
    to.bit(this.#stillness, 0, still ? 0 : 1)
    if (still) this.#rest(devices)
    return still
  }

  /** If all of them have their last value still, it is put into their rows. */
  readStill(from: RangeDecoder, devices: readonly number[], rows: readonly number[][], place: number): boolean {
    if (from.bit(this.#stillness, 0) === 1) return false
    for (let row = 0; row < devices.length; row++) {
      const value = this.#value(devices[row]!)
      if (Number.isNaN(value)) throw damaged('a value goes on that was never there')
      rows[row]![place] = value
    }
    this.#rest(devices)
    return true
  }

  /** As it was read last; NaN before. */
  #value(device: number): number {
    return (this.#past[device * facts + last]! * this.#step) / powers[this.#scale]!
  }

  /** Nothing changed: as much is learnt of that as others go on from. */
  #rest(devices: readonly number[]): void {
    for (let row = 0; row < devices.length; row++) {
      const at = devices[row]! * facts
      this.#past[at + before] = this.#past[at + last]!
    }
  }

  /** By how much the device's last value differs from the one before it. */
  change(device: number): number {
    const at = device * facts
    return ((this.#past[at + last]! - this.#past[at + before]!) * this.#step) / powers[this.#scale]!
  }

  /** The first value of a device is none like the others. */
  #differences(device: number): Differences {
    if (Number.isNaN(this.#past[device * facts + last])) return this.#first
    this.#later ??= new Differences()
    return this.#later
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

  #expect(device: number, hint: number, asChange: boolean): void {
    const now = this.#past[device * facts + last]!
    this.#hint = Number.isNaN(hint)
      ? hint
      : (asChange ? now : 0) + Math.round((hint * powers[this.#scale]!) / (this.#step || 1))
    const hinted = Math.abs(this.#hint) < largest
    this.#known = !Number.isNaN(now)
    if (!this.#known) {
      this.#expected = hinted ? this.#hint : this.#neighbour
      return
    }
    const costs = this.#costs
    let best = asBefore
    if (costs[onward]! < costs[best]!) best = onward
    if (costs[usual]! < costs[best]!) best = usual
    if (hinted && costs[derived]! < costs[best]!) best = derived
    this.#onward = this.#goOn(device, now)
    if (best === asBefore) this.#expected = now
    else if (best === onward) this.#expected = Math.round(this.#onward)
    else if (best === usual) this.#expected = Math.round(this.#past[device * facts + usually]!)
    else this.#expected = this.#hint
  }

  #goOn(device: number, from: number): number {
    if (!this.#changes || !this.#forecast) return from
    const to = from + this.#forecast.change(this.#changes, device * taps)
    return Math.abs(to) < largest ? to : from
  }

  #learn(device: number, steps: number): void {
    const past = this.#past
    const at = device * facts
    if (this.#known) {
      const from = past[at + last]!
      const costs = this.#costs
      costs[asBefore]! += (sizeOf(steps - from) - costs[asBefore]!) * costShare
      costs[onward]! += (sizeOf(steps - Math.round(this.#onward)) - costs[onward]!) * costShare
      costs[usual]! += (sizeOf(steps - Math.round(past[at + usually]!)) - costs[usual]!) * costShare
      if (!Number.isNaN(this.#hint)) costs[derived]! += (sizeOf(steps - this.#hint) - costs[derived]!) * costShare
      past[at + usually]! += (steps - past[at + usually]!) * usualShare
      past[at + before] = from
      this.#remember(device, steps - from, steps - this.#onward)
    } else {
      past[at + before] = steps
      past[at + usually] = steps
    }
    past[at + last] = steps
    this.#neighbour = steps
    past[at + calm] = ((past[at + calm]! << 1) & 3) | (steps === this.#expected ? 1 : 0)
  }

  #remember(device: number, change: number, error: number): void {
    if (!this.#changes) {
      if (change === 0) return
      this.#changes = new Float64Array((this.#past.length / facts) * taps)
    }
    const changes = this.#changes
    const at = device * taps
    this.#forecast ??= new Forecast()
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
    const past = this.#past
    for (let at = 0; at < past.length; at += facts) {
      for (const fact of [last, before, usually]) past[at + fact]! *= factor
      // Too far for exact differences: begun anew.
      if (Math.abs(past[at + last]!) >= largest || Math.abs(past[at + before]!) >= largest) past[at + last] = Number.NaN
    }
    for (let at = 0; this.#changes && at < this.#changes.length; at++) this.#changes[at]! *= factor
    const neighbour = this.#neighbour * factor
    this.#neighbour = Math.abs(neighbour) < largest ? neighbour : 0
  }

  /** Makes room for so many devices: whoever knows how many there are says so, for in steps it takes more than is needed. */
  reserve(devices: number): void {
    const known = this.#past.length / facts
    if (devices <= known) return
    const length = Math.max(devices, Math.ceil(known * growth))
    const past = forget(new Float64Array(length * facts))
    past.set(this.#past)
    this.#past = past
    if (!this.#changes) return
    const changes = new Float64Array(length * taps)
    changes.set(this.#changes)
    this.#changes = changes
  }
}

/** Nothing is known of any device. */
function forget(past: Float64Array): Float64Array {
  past.fill(0)
  for (let at = 0; at < past.length; at += facts) past[at + last] = Number.NaN
  return past
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
