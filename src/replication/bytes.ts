import { SdkError } from '#model'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const scratch = new DataView(new ArrayBuffer(8))

/** Bytes that grow as they are written. */
export class Writer {
  #bytes: Uint8Array
  #length = 0

  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  /** What was written so far; valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Makes room for so many bytes, zeroed, and answers where they start. */
  skip(count: number): number {
    const start = this.#length
    this.#reserve(count)
    this.#bytes.fill(0, start, start + count)
    this.#length += count
    return start
  }

  /** Sets bits of a byte that was written before. */
  mark(position: number, bits: number): void {
    this.#bytes[position]! |= bits
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  /** A whole number from 0 to 2^53, seven bits a byte, the lowest first. */
  varint(value: number): void {
    this.#reserve(8)
    let rest = value
    while (rest > 0x7fffffff) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest & 127) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
  }

  /** A whole number of either sign: small ones are short (zigzag). */
  signed(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1)
  }

  float(value: number): void {
    scratch.setFloat64(0, value)
    for (let index = 0; index < 8; index++) this.byte(scratch.getUint8(index))
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** UTF-8 with its length in front. */
  text(value: string): void {
    const bytes = encoder.encode(value)
    this.varint(bytes.length)
    this.raw(bytes)
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#length + count, Math.ceil(this.#bytes.length * 1.5)))
    grown.set(this.view())
    this.#bytes = grown
  }
}

/** Reads what a Writer wrote. Throws STORE_FAILED where the bytes end too early. */
export class Reading {
  readonly #bytes: Uint8Array
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#position
  }

  byte(): number {
    if (this.#position >= this.#bytes.length) throw damaged('it ends too early')
    return this.#bytes[this.#position++]!
  }

  varint(): number {
    let value = 0
    for (let factor = 1; factor < 2 ** 56; factor *= 128) {
      const byte = this.byte()
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
    throw damaged('a number has no end')
  }

  signed(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  float(): number {
    for (let index = 0; index < 8; index++) scratch.setUint8(index, this.byte())
    return scratch.getFloat64(0)
  }

  /** A view, not a copy. */
  raw(count: number): Uint8Array {
    if (count > this.left) throw damaged('it ends too early')
    this.#position += count
    return this.#bytes.subarray(this.#position - count, this.#position)
  }

  text(): string {
    return decoder.decode(this.raw(this.varint()))
  }
}

/** The error of a block that cannot be read. */
export function damaged(why: string, cause?: unknown): SdkError {
  return new SdkError('STORE_FAILED', `a stored block is damaged: ${why}`, { cause })
}
