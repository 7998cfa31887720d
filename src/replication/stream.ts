import { type Metric, metricNames } from '#model'
import { Reading, Writer } from './bytes.js'
import { asDouble, scaleOf, scales } from './table.js'

/** Every metric has its place in a row of values; NaN is unknown. Only in memory: what is stored goes by names. */
export const rowWidth = metricNames.length
export const placeOf = new Map<Metric, number>(metricNames.map((name, place) => [name, place]))

const unknown = -1
// What follows a zero where a change is expected: the scale with the whole value, or
const escapeUnknown = 8

/**
 * The samples of one device that are not in a chunk yet, in about 30 bytes each: the time since the last one, which metrics changed,
 * and by how much. Written a row at a time, read from the start.
 */
export class Stream {
  readonly #bytes = new Writer(128)
  readonly #scales = new Int8Array(rowWidth).fill(unknown)
  readonly #last = new Float64Array(rowWidth)
  #at = 0
  #count = 0
  /** Places from here on were never known: most metrics are of other kinds of devices, and cost nothing. */
  #width = 0

  get count(): number {
    return this.#count
  }

  get bytes(): number {
    return this.#bytes.length
  }

  /** Adds the row that starts at `offset`. `at` is in whole ms. */
  push(at: number, values: Float64Array, offset = 0): void {
    const out = this.#bytes
    out.signed(at - this.#at)
    this.#at = at
    this.#count++
    const width = this.#widened(values, offset)
    const mapBytes = (width + 7) >> 3
    out.byte(mapBytes)
    const map = out.skip(mapBytes)
    for (let place = 0; place < width; place++) {
      if (this.#write(place, values[offset + place]!)) out.mark(map + (place >> 3), 1 << (place & 7))
    }
  }

  #widened(values: Float64Array, offset: number): number {
    let last = rowWidth
    while (last > this.#width && Number.isNaN(values[offset + last - 1]!)) last--
    this.#width = last
    return last
  }

  #write(place: number, value: number): boolean {
    const out = this.#bytes
    const scale = this.#scales[place]!
    if (Number.isNaN(value)) {
      if (scale === unknown) return false
      out.byte(0)
      out.byte(escapeUnknown)
      this.#scales[place] = unknown
      return true
    }
    const next = scale === asDouble ? asDouble : scaleOf(value, Math.max(0, scale))
    const whole = next === asDouble ? value : Math.round(value * scales[next]!)
    if (next === scale) {
      const change = whole - this.#last[place]!
      if (change === 0) return false
      if (next < asDouble) {
        out.signed(change)
        this.#last[place] = whole
        return true
      }
    }
    out.byte(0)
    out.byte(next)
    if (next === asDouble) out.float(value)
    else out.signed(whole)
    this.#scales[place] = next
    this.#last[place] = whole
    return true
  }

  /** Shows every row in the order they were pushed; `values` is the same array each time. */
  read(visit: (at: number, values: Float64Array) => void): void {
    const from = new Reading(this.#bytes.view())
    const values = new Float64Array(rowWidth).fill(Number.NaN)
    const last = new Float64Array(rowWidth)
    const scale = new Int8Array(rowWidth)
    let at = 0
    while (from.left > 0) {
      at += from.signed()
      const mapBytes = from.byte()
      const map = from.raw(mapBytes)
      for (let place = 0; place < mapBytes * 8; place++) {
        if (!(map[place >> 3]! & (1 << (place & 7)))) continue
        const change = from.signed()
        if (change !== 0) {
          last[place]! += change
        } else {
          const kind = from.byte()
          if (kind === escapeUnknown) {
            values[place] = Number.NaN
            continue
          }
          scale[place] = kind
          last[place] = kind === asDouble ? from.float() : from.signed()
        }
        values[place] = scale[place] === asDouble ? last[place]! : last[place]! / scales[scale[place]!]!
      }
      visit(at, values)
    }
  }
}
