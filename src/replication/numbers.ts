import { damaged } from './bytes.js'
import { Odds, type RangeDecoder, type RangeEncoder } from './range.js'

/** Powers of ten by which decimals become whole numbers; with more decimals than that a value is kept as a plain double. */
export const powers = [1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7, 1e8] as const
export const noScale = powers.length
/** Whole numbers stay below this, so that a difference of two is exact. */
const largest = 2 ** 50

/** The smallest scale from `from` on at which the value is a whole number and comes back exactly; `noScale` if there is none. */
export function scaleFor(value: number, from = 0): number {
  for (let scale = from; scale < noScale; scale++) {
    const whole = Math.round(value * powers[scale]!)
    if (Math.abs(whole) >= largest) return noScale
    if (whole / powers[scale]! === value) return scale
  }
  return noScale
}

// Sizes of a difference: the length of its magnitude in bits, and beyond those
const restepped = 61
const rescaled = 62
const asDouble = 63
const sizeBits = 6

const zeroAt = 0
const signAt = 4
const sizeAt = 6
const firstAt = sizeAt + 64
const secondAt = firstAt + 64
const oddsCount = secondAt + 128

const scratch = new DataView(new ArrayBuffer(8))

export function sizeOf(magnitude: number): number {
  return magnitude < 2 ** 31 ? 32 - Math.clz32(magnitude) : 32 + sizeOf(Math.floor(magnitude / 2 ** 32))
}

/** What a reader makes of what is no difference. */
interface Other {
  scale(scale: number): void
  step(step: number): void
  double(value: number): void
}

/** Codes the differences of one column; `calm`: 0 to 3, how unlikely a difference is here. */
export class Differences {
  readonly #odds = new Odds(oddsCount)

  restart(): void {
    this.#odds.restart()
  }

  write(to: RangeEncoder, difference: number, calm: number): void {
    const odds = this.#odds
    to.bit(odds, zeroAt + calm, difference === 0 ? 0 : 1)
    if (difference === 0) return
    const magnitude = Math.abs(difference)
    const size = sizeOf(magnitude)
    this.#writeSize(to, size)
    to.bit(odds, signAt, difference < 0 ? 1 : 0)
    let left = size - 1
    if (left === 0) return
    const first = bitsOf(magnitude, --left, 1)
    to.bit(odds, firstAt + size, first)
    if (left === 0) return
    to.bit(odds, secondAt + size * 2 + first, bitsOf(magnitude, --left, 1))
    while (left > 0) {
      const count = left < 16 ? left : 16
      left -= count
      to.plain(bitsOf(magnitude, left, count), count)
    }
  }

  /** From here on the column has this scale. */
  writeScale(to: RangeEncoder, scale: number, calm: number): void {
    to.bit(this.#odds, zeroAt + calm, 1)
    this.#writeSize(to, rescaled)
    to.plain(scale, 4)
  }

  /** From here on the column has whole numbers of this step. */
  writeStep(to: RangeEncoder, step: number, calm: number): void {
    to.bit(this.#odds, zeroAt + calm, 1)
    this.#writeSize(to, restepped)
    to.plain(Math.floor(step / 2 ** 16), 16)
    to.plain(step % 2 ** 16, 16)
  }

  /** A value as it is. */
  writeDouble(to: RangeEncoder, value: number, calm: number): void {
    to.bit(this.#odds, zeroAt + calm, 1)
    this.#writeSize(to, asDouble)
    scratch.setFloat64(0, value)
    for (let at = 0; at < 8; at += 2) to.plain(scratch.getUint16(at), 16)
  }

  /** The difference; or, if the encoder wrote one of the others, what `other` makes of it. */
  read(from: RangeDecoder, calm: number, other: Other): number {
    const odds = this.#odds
    if (from.bit(odds, zeroAt + calm) === 0) return 0
    const size = this.#readSize(from)
    if (size === restepped) {
      other.step(from.plain(16) * 2 ** 16 + from.plain(16))
      return Number.NaN
    }
    if (size === rescaled) {
      other.scale(from.plain(4))
      return Number.NaN
    }
    if (size === asDouble) {
      for (let at = 0; at < 8; at += 2) scratch.setUint16(at, from.plain(16))
      other.double(scratch.getFloat64(0))
      return Number.NaN
    }
    if (size === 0 || size > 53) throw damaged('a number has an impossible size')
    const negative = from.bit(odds, signAt) === 1
    let magnitude = 1
    let left = size - 1
    if (left > 0) {
      const first = from.bit(odds, firstAt + size)
      magnitude = 2 + first
      if (--left > 0) {
        magnitude = magnitude * 2 + from.bit(odds, secondAt + size * 2 + first)
        left--
      }
    }
    while (left > 0) {
      const count = Math.min(16, left)
      left -= count
      magnitude = magnitude * 2 ** count + from.plain(count)
    }
    return negative ? -magnitude : magnitude
  }

  #writeSize(to: RangeEncoder, size: number): void {
    let node = 1
    for (let shift = sizeBits - 1; shift >= 0; shift--) {
      const bit = (size >> shift) & 1
      to.bit(this.#odds, sizeAt + node, bit)
      node = node * 2 + bit
    }
  }

  #readSize(from: RangeDecoder): number {
    let node = 1
    for (let count = 0; count < sizeBits; count++) node = node * 2 + from.bit(this.#odds, sizeAt + node)
    return node - 2 ** sizeBits
  }
}

/** So many bits, at most 16, from a place on. In integers where they fit: powers and remainders of doubles cost ten times as much. */
function bitsOf(magnitude: number, place: number, count: number): number {
  return magnitude < 2 ** 31
    ? (magnitude >> place) & ((1 << count) - 1)
    : Math.floor(magnitude / 2 ** place) % 2 ** count
}
