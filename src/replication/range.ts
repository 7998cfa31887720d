import { damaged } from './bytes.js'

/**
 * A binary range coder with adaptive probabilities (after G. N. N. Martin, 1979, in the carry-propagating form that LZMA uses): a bit of
 * which `p` is expected takes about -log2(p) bits. `Odds` learn from what is coded; both sides learn the same.
 */

const precision = 15
const even = 1 << (precision - 1)
/** Odds follow the last so many bits at least: fast while they know little, then ever more steadily. */
const steadiest = 60
const top = 2 ** 24
const wrap = 2 ** 32
const rates = Uint16Array.from({ length: steadiest + 1 }, (_, seen) => Math.round(65536 / (seen + 1.6)))

/** Chances of a zero, each with how much it has seen. */
export class Odds {
  readonly zero: Uint16Array
  readonly seen: Uint8Array

  constructor(count: number) {
    this.zero = new Uint16Array(count).fill(even)
    this.seen = new Uint8Array(count)
  }

  restart(): void {
    this.zero.fill(even)
    this.seen.fill(0)
  }

  learn(index: number, bit: number): void {
    const seen = this.seen[index]!
    const target = bit === 0 ? 32735 : 33
    const odds = this.zero[index]!
    this.zero[index] = odds + (((target - odds) * rates[seen]!) >> 16)
    if (seen < steadiest) this.seen[index] = seen + 1
  }
}

export class RangeEncoder {
  #bytes = new Uint8Array(256)
  #length = 0
  #low = 0
  #range = 0xffffffff
  #cache = 0
  #pending = 0
  #first = true

  restart(): void {
    this.#length = 0
    this.#low = 0
    this.#range = 0xffffffff
    this.#cache = 0
    this.#pending = 0
    this.#first = true
  }

  bit(odds: Odds, index: number, bit: number): void {
    const bound = (this.#range >>> precision) * odds.zero[index]!
    if (bit === 0) {
      this.#range = bound
    } else {
      this.#low += bound
      this.#range -= bound
    }
    odds.learn(index, bit)
    while (this.#range < top) this.#shift()
  }

  /** The lowest `count` bits (at most 16) of a value that nothing is known of. */
  plain(value: number, count: number): void {
    if (count === 0) return
    this.#range = this.#range >>> count
    this.#low += this.#range * value
    while (this.#range < top) this.#shift()
  }

  #shift(): void {
    if (this.#low < 0xff000000 || this.#low >= wrap) {
      const carry = this.#low >= wrap ? 1 : 0
      if (!this.#first) this.#push((this.#cache + carry) & 255)
      this.#first = false
      for (; this.#pending > 0; this.#pending--) this.#push((255 + carry) & 255)
      this.#cache = this.#low >>> 24
    } else {
      this.#pending++
    }
    this.#low = (this.#low & (top - 1)) * 256
    this.#range *= 256
  }

  #push(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const grown = new Uint8Array(this.#length * 2)
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    this.#bytes[this.#length++] = byte
  }

  /** All that was coded. Zeros at the end are left out: who reads on finds zeros there. */
  finish(): Uint8Array {
    // Of all numbers in the range, one with few digits.
    const end = this.#low + this.#range - 1
    for (const unit of [2 ** 24, 2 ** 16, 2 ** 8]) {
      const short = Math.floor(end / unit) * unit
      if (short < this.#low) continue
      this.#low = short
      break
    }
    for (let count = 0; count < 5; count++) this.#shift()
    let length = this.#length
    while (length > 0 && this.#bytes[length - 1] === 0) length--
    return this.#bytes.slice(0, length)
  }
}

export class RangeDecoder {
  readonly #bytes: Uint8Array
  #position = 0
  #range = 0xffffffff
  #code = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    for (let count = 0; count < 4; count++) this.#code = this.#code * 256 + this.#next()
  }

  #next(): number {
    // Encoders leave out zeros; damaged bytes could go on for ever.
    if (this.#position > this.#bytes.length + 2 ** 20) throw damaged('it ends too early')
    return this.#bytes[this.#position++] ?? 0
  }

  bit(odds: Odds, index: number): number {
    const bound = (this.#range >>> precision) * odds.zero[index]!
    let bit = 0
    if (this.#code < bound) {
      this.#range = bound
    } else {
      this.#code -= bound
      this.#range -= bound
      bit = 1
    }
    odds.learn(index, bit)
    while (this.#range < top) this.#shift()
    return bit
  }

  plain(count: number): number {
    if (count === 0) return 0
    this.#range = Math.floor(this.#range / 2 ** count)
    const value = Math.min(Math.floor(this.#code / this.#range), 2 ** count - 1)
    this.#code -= value * this.#range
    while (this.#range < top) this.#shift()
    return value
  }

  #shift(): void {
    this.#code = this.#code * 256 + this.#next()
    this.#range *= 256
  }
}
