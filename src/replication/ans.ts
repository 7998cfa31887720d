import { damaged, type Reading, type Writer } from './bytes.js'

/**
 * Whole numbers in about as many bits as their distribution holds: numbers of one size share a symbol, symbols are coded by how often they
 * come (range asymmetric numeral systems, J. Duda 2009), the digits below as they are. Reading takes some nanoseconds a number.
 *
 * Bytes: first symbol, how many, their frequencies in half octaves (5 bits each); bits of the digits (length, bytes); coded symbols.
 */
const precision = 12
const total = 1 << precision
const lowest = 65_536
/** Numbers below it have a symbol each; beyond, four to an octave. */
const single = 8
const symbols = 256
const codeBits = 5

const even = (value: number) => (value >= 0 ? value * 2 : -value * 2 - 1)
const back = (value: number) => (value % 2 === 0 ? value / 2 : -(value + 1) / 2)
const sizeOf = (value: number) =>
  value < 2 ** 31 ? 31 - Math.clz32(value) : 31 + (31 - Math.clz32(Math.floor(value / 2 ** 31)))

/** `value` is not negative. */
function symbolOf(value: number): number {
  if (value < single) return value
  const size = sizeOf(value)
  return single + (size - 3) * 4 + (Math.floor(value / 2 ** (size - 2)) & 3)
}

/** How often each symbol comes. */
function countsOf(values: ArrayLike<number>): Uint32Array {
  const counts = new Uint32Array(symbols)
  for (let at = 0; at < values.length; at++) counts[symbolOf(even(values[at]!))]!++
  return counts
}

/** About how many bits the numbers take, below 2^51 either way. */
export function bitsOf(values: ArrayLike<number>): number {
  const counts = countsOf(values)
  let bits = 0
  for (let symbol = 0; symbol < symbols; symbol++) {
    const count = counts[symbol]!
    if (count > 0) bits += count * (digitsOf(symbol) + Math.log2(values.length / count)) + codeBits
  }
  return bits
}

function digitsOf(symbol: number): number {
  return symbol < single ? 0 : ((symbol - single) >> 2) + 1
}

/** Frequencies that add up to `total`, from their codes; both sides come to the same. */
function frequenciesOf(codes: Uint8Array): Uint16Array {
  const raw = Array.from(codes, (code) => (code === 0 ? 0 : Math.round(2 ** ((code - 1) / 2))))
  const sum = raw.reduce((all, each) => all + each, 0)
  const found = Uint16Array.from(raw, (each) => (each === 0 ? 0 : Math.max(1, Math.floor((each * total) / sum))))
  let left = total - found.reduce((all, each) => all + each, 0)
  for (; left !== 0; ) {
    let largest = 0
    for (let at = 1; at < found.length; at++) if (found[at]! > found[largest]!) largest = at
    const change = left > 0 ? left : Math.max(left, 1 - found[largest]!)
    if (change === 0) throw damaged('it has too many symbols')
    found[largest]! += change
    left -= change
  }
  return found
}

function startsOf(frequencies: Uint16Array): Uint16Array {
  const starts = new Uint16Array(frequencies.length)
  for (let at = 1; at < starts.length; at++) starts[at] = starts[at - 1]! + frequencies[at - 1]!
  return starts
}

class Bits {
  readonly bytes: number[] = []
  #byte = 0
  #filled = 0

  put(value: number, count: number): void {
    for (let at = count - 1; at >= 0; at--) {
      this.#byte = (this.#byte << 1) | (Math.floor(value / 2 ** at) & 1)
      if (++this.#filled === 8) this.#flush()
    }
  }

  #flush(): void {
    this.bytes.push(this.#byte & 255)
    this.#byte = 0
    this.#filled = 0
  }

  finish(): Uint8Array {
    if (this.#filled > 0) {
      this.#byte <<= 8 - this.#filled
      this.#flush()
    }
    return Uint8Array.from(this.bytes)
  }
}

/** Whole numbers between -2^51 and 2^51; at least one. */
export function writeNumbers(to: Writer, values: ArrayLike<number>): void {
  const counts = countsOf(values)
  let first = 0
  while (counts[first] === 0) first++
  let last = symbols - 1
  while (counts[last] === 0) last--
  const used = last - first + 1
  const codes = new Uint8Array(used)
  for (let at = 0; at < used; at++) {
    const count = counts[first + at]!
    if (count > 0) codes[at] = 1 + Math.max(0, Math.round(2 * Math.log2((count * total) / values.length)))
  }
  to.byte(first)
  to.byte(used)
  const heads = new Bits()
  for (const code of codes) heads.put(code, codeBits)
  to.raw(heads.finish())
  const digits = new Bits()
  const all = new Uint8Array(values.length)
  for (let at = 0; at < values.length; at++) {
    const value = even(values[at]!)
    const symbol = symbolOf(value)
    all[at] = symbol - first
    const count = digitsOf(symbol)
    if (count > 0) digits.put(value % 2 ** count, count)
  }
  const written = digits.finish()
  to.varint(written.length)
  to.raw(written)
  if (used > 1) writeSymbols(to, all, frequenciesOf(codes))
}

/** From the last one to the first: they are read the other way round. */
function writeSymbols(to: Writer, all: Uint8Array, frequencies: Uint16Array): void {
  const starts = startsOf(frequencies)
  const words: number[] = []
  let state = lowest
  for (let at = all.length - 1; at >= 0; at--) {
    const frequency = frequencies[all[at]!]!
    // The state stays below 2^32 after the symbol is in it.
    if (state >= frequency * 2 ** (32 - precision)) {
      words.push(state % 65_536)
      state = Math.floor(state / 65_536)
    }
    state = Math.floor(state / frequency) * total + starts[all[at]!]! + (state % frequency)
  }
  to.varint(state)
  for (let at = words.length - 1; at >= 0; at--) {
    to.byte(words[at]! >> 8)
    to.byte(words[at]! & 255)
  }
}

/** Reads what `writeNumbers` wrote, one after the other. */
export class Numbers {
  readonly #digits: Uint8Array
  readonly #coded: Uint8Array
  readonly #first: number
  readonly #symbolAt: Uint8Array | undefined
  readonly #frequencies: Uint16Array
  readonly #starts: Uint16Array
  #state = 0
  #place = 0
  #bits = 0

  /** Throws STORE_FAILED if the bytes are none of it. */
  constructor(from: Reading) {
    this.#first = from.byte()
    const used = from.byte()
    if (used === 0 || this.#first + used > symbols) throw damaged('its symbols are none')
    const heads = from.raw(Math.ceil((used * codeBits) / 8))
    const codes = Uint8Array.from({ length: used }, (_, at) => bitsAt(heads, at * codeBits, codeBits))
    if (codes.every((code) => code === 0)) throw damaged('its symbols are none')
    this.#digits = from.raw(from.varint())
    this.#frequencies = frequenciesOf(codes)
    this.#starts = startsOf(this.#frequencies)
    if (used > 1) {
      this.#symbolAt = new Uint8Array(total)
      for (let at = 0; at < used; at++) {
        const start = this.#starts[at]!
        this.#symbolAt.fill(at, start, start + this.#frequencies[at]!)
      }
      this.#state = from.varint()
      if (this.#state >= 2 ** 32) throw damaged('its state is none')
    }
    this.#coded = from.raw(from.left)
  }

  next(): number {
    let symbol = this.#first
    if (this.#symbolAt) {
      const slot = this.#state & (total - 1)
      const place = this.#symbolAt[slot]!
      symbol += place
      let state = this.#frequencies[place]! * (this.#state >>> precision) + slot - this.#starts[place]!
      if (state < lowest) {
        const at = this.#place
        this.#place = at + 2
        state = state * 65_536 + (this.#coded[at] ?? 0) * 256 + (this.#coded[at + 1] ?? 0)
      }
      this.#state = state
    }
    if (symbol < single) return symbol & 1 ? -(symbol + 1) >> 1 : symbol >> 1
    const count = ((symbol - single) >> 2) + 1
    const high = 4 + ((symbol - single) & 3)
    const digits = bitsAt(this.#digits, this.#bits, count)
    this.#bits += count
    return back(high * 2 ** count + digits)
  }
}

/** `count` bits from a place in the bytes, the highest first; zeros beyond their end. */
function bitsAt(bytes: Uint8Array, place: number, count: number): number {
  let at = place >> 3
  let left = count
  let value = 0
  const skipped = place & 7
  if (skipped > 0 && left > 0) {
    const has = 8 - skipped
    const taken = Math.min(has, left)
    value = ((bytes[at++] ?? 0) >> (has - taken)) & ((1 << taken) - 1)
    left -= taken
  }
  for (; left >= 8; left -= 8) value = value * 256 + (bytes[at++] ?? 0)
  if (left > 0) value = value * 2 ** left + ((bytes[at] ?? 0) >> (8 - left))
  return value
}
