import { damaged, type Reading, Writer } from './bytes.js'

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

const quick = 2 ** 31

const even = (value: number) => (value >= 0 ? value * 2 : -value * 2 - 1)
const back = (value: number) => (value % 2 === 0 ? value / 2 : -(value + 1) / 2)
const sizeOf = (value: number) =>
  value < quick ? 31 - Math.clz32(value) : 31 + (31 - Math.clz32(Math.floor(value / quick)))

/** `value` is not negative. */
function symbolOf(value: number): number {
  if (value < single) return value
  const size = sizeOf(value)
  // Powers of doubles cost many times as much.
  const next = value < quick ? value >> (size - 2) : Math.floor(value / 2 ** (size - 2))
  return single + (size - 3) * 4 + (next & 3)
}

function symbolsOf(values: ArrayLike<number>): Uint8Array {
  const found = new Uint8Array(values.length)
  for (let at = 0; at < values.length; at++) found[at] = symbolOf(even(values[at]!))
  return found
}

/** How often each symbol comes. */
function countsOf(all: Uint8Array): Uint32Array {
  const counts = new Uint32Array(symbols)
  for (let at = 0; at < all.length; at++) counts[all[at]!]!++
  return counts
}

/** About how many bits the numbers take, below 2^51 either way. */
export function bitsOf(values: ArrayLike<number>): number {
  const counts = countsOf(symbolsOf(values))
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

const sizes = Uint16Array.from({ length: 1 << codeBits }, (_, code) =>
  code === 0 ? 0 : Math.round(2 ** ((code - 1) / 2)),
)

/** Frequencies that add up to `total`, from their codes; both sides come to the same. */
function frequenciesOf(codes: Uint8Array): Uint16Array {
  const raw = Array.from(codes, (code) => sizes[code]!)
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
  readonly #bytes = new Writer(64)
  #word = 0
  #filled = 0

  put(value: number, count: number): void {
    if (count > 16) {
      this.put(Math.floor(value / 65_536), count - 16)
      this.put(value % 65_536, 16)
      return
    }
    this.#word = (this.#word << count) | value
    this.#filled += count
    for (; this.#filled >= 8; this.#filled -= 8) this.#bytes.byte((this.#word >> (this.#filled - 8)) & 255)
    this.#word &= 255
  }

  finish(): Uint8Array {
    if (this.#filled > 0) this.put(0, 8 - this.#filled)
    return this.#bytes.view()
  }
}

/** Whole numbers between -2^51 and 2^51; at least one. */
export function writeNumbers(to: Writer, values: ArrayLike<number>): void {
  const all = symbolsOf(values)
  const counts = countsOf(all)
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
  for (let at = 0; at < values.length; at++) {
    const count = digitsOf(all[at]!)
    all[at]! -= first
    if (count === 0) continue
    const value = even(values[at]!)
    digits.put(value < quick ? value & ((1 << count) - 1) : value % 2 ** count, count)
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

/** Reads what `writeNumbers` wrote, as many numbers as there is room for. Throws STORE_FAILED if the bytes are none of it. */
export function readNumbers(from: Reading, values: Float64Array): void {
  const count = values.length
  const first = from.byte()
  const used = from.byte()
  if (used === 0 || first + used > symbols) throw damaged('its symbols are none')
  const heads = from.raw(Math.ceil((used * codeBits) / 8))
  const codes = Uint8Array.from({ length: used }, (_, at) => bitsAt(heads, at * codeBits, codeBits))
  if (codes.every((code) => code === 0)) throw damaged('its symbols are none')
  const digits = from.raw(from.varint())
  const all = used > 1 ? readSymbols(from, count, frequenciesOf(codes)) : new Uint8Array(count)
  let place = 0
  for (let at = 0; at < count; at++) {
    const symbol = first + all[at]!
    if (symbol < single) {
      values[at] = symbol & 1 ? -(symbol + 1) >> 1 : symbol >> 1
      continue
    }
    const bits = digitsOf(symbol)
    const high = 4 + ((symbol - single) & 3)
    if (bits <= 24) {
      const value = (high << bits) | fewBitsAt(digits, place, bits)
      values[at] = value & 1 ? -(value + 1) >> 1 : value >> 1
    } else values[at] = back(high * 2 ** bits + bitsAt(digits, place, bits))
    place += bits
  }
}

function readSymbols(from: Reading, count: number, frequencies: Uint16Array): Uint8Array {
  const starts = startsOf(frequencies)
  const symbolAt = new Uint8Array(total)
  for (let at = 0; at < starts.length; at++) symbolAt.fill(at, starts[at]!, starts[at]! + frequencies[at]!)
  let state = from.varint()
  if (state >= 2 ** 32) throw damaged('its state is none')
  const coded = from.raw(from.left)
  const found = new Uint8Array(count)
  let place = 0
  for (let at = 0; at < count; at++) {
    const slot = state & (total - 1)
    const symbol = symbolAt[slot]!
    found[at] = symbol
    state = (Math.imul(frequencies[symbol]!, state >>> precision) + slot - starts[symbol]!) >>> 0
    if (state >= lowest) continue
    state = ((state << 16) | (coded[place]! << 8) | coded[place + 1]!) >>> 0
    place += 2
  }
  return found
}

/** At most 24 bits from a place in the bytes, the highest first; zeros beyond their end. */
function fewBitsAt(bytes: Uint8Array, place: number, count: number): number {
  const at = place >> 3
  const word = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  return (word << (place & 7)) >>> (32 - count)
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
