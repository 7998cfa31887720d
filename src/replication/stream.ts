import { Reading, Writer } from './bytes.js'
import { noScale, powers, scaleFor } from './numbers.js'
import type { Row, Shape } from './shape.js'

const unknown = -1
// What follows a zero where a change is expected: the scale with the whole value (`noScale`: a plain double), or
const escapeUnknown = 15

/** Columns in the order in which their names came: one for all streams that met the same shapes, for names take more than samples. */
class Layout {
  static readonly none = new Layout([])
  readonly names: readonly string[]
  readonly columnOf: ReadonlyMap<string, number>
  readonly #after = new Map<Shape, { layout: Layout; places: Int16Array }>()

  constructor(names: readonly string[]) {
    this.names = names
    this.columnOf = new Map(names.map((name, column) => [name, column]))
  }

  /** The layout with a shape's names, too, and by column where the shape has its value; -1: it has none. */
  with(shape: Shape): { layout: Layout; places: Int16Array } {
    let known = this.#after.get(shape)
    if (!known) {
      const more = shape.names.filter((name) => !this.columnOf.has(name))
      const layout = more.length === 0 ? this : new Layout([...this.names, ...more])
      known = { layout, places: Int16Array.from(layout.names, (name) => shape.placeOf.get(name) ?? -1) }
      this.#after.set(shape, known)
    }
    return known
  }
}

/**
 * The samples of one device that are not in a chunk yet: the time since the last one, which values changed, and by how much. Written a row
 * at a time, read from the start. Only in memory.
 */
export class Stream {
  readonly #bytes = new Writer(128)
  #layout = Layout.none
  #scales: Int8Array = new Int8Array(0)
  #last: Float64Array = new Float64Array(0)
  #shape: Shape | undefined
  /** Where the values of the present shape are, by column. */
  #places: Int16Array = new Int16Array(0)
  #at = 0
  #count = 0

  /** Every name that was reported so far: the columns of what `read` shows. */
  get names(): readonly string[] {
    return this.#layout.names
  }

  get count(): number {
    return this.#count
  }

  get bytes(): number {
    return this.#bytes.length
  }

  columnOf(name: string): number | undefined {
    return this.#layout.columnOf.get(name)
  }

  /** `at` is in whole ms. */
  push(at: number, { shape, values }: Row): void {
    const out = this.#bytes
    out.signed(at - this.#at)
    this.#at = at
    this.#count++
    if (shape !== this.#shape) this.#turnTo(shape)
    const places = this.#places
    out.varint(places.length)
    const map = out.skip((places.length + 7) >> 3)
    for (let column = 0; column < places.length; column++) {
      const place = places[column]!
      if (this.#write(column, place < 0 ? Number.NaN : values[place]!)) out.mark(map + (column >> 3), 1 << (column & 7))
    }
  }

  #turnTo(shape: Shape): void {
    this.#shape = shape
    const { layout, places } = this.#layout.with(shape)
    this.#layout = layout
    this.#places = places
    const known = this.#last.length
    if (known === places.length) return
    this.#scales = extended(this.#scales, new Int8Array(places.length).fill(unknown, known))
    this.#last = extended(this.#last, new Float64Array(places.length))
  }

  #write(column: number, value: number): boolean {
    const out = this.#bytes
    const scale = this.#scales[column]!
    if (Number.isNaN(value)) {
      if (scale === unknown) return false
      out.byte(0)
      out.byte(escapeUnknown)
      this.#scales[column] = unknown
      return true
    }
    const next = scale === noScale ? noScale : scaleFor(value, Math.max(0, scale))
    const whole = next === noScale ? value : Math.round(value * powers[next]!)
    if (next === scale) {
      const change = whole - this.#last[column]!
      if (change === 0) return false
      if (next < noScale) {
        out.signed(change)
        this.#last[column] = whole
        return true
      }
    }
    out.byte(0)
    out.byte(next)
    if (next === noScale) out.float(value)
    else out.signed(whole)
    this.#scales[column] = next
    this.#last[column] = whole
    return true
  }

  /** Shows every row in the order they were pushed; `values` by column, the same array each time, NaN for unknown. */
  read(visit: (at: number, values: Float64Array) => void): void {
    const from = new Reading(this.#bytes.view())
    const columns = this.names.length
    const values = new Float64Array(columns).fill(Number.NaN)
    const last = new Float64Array(columns)
    const scales = new Int8Array(columns)
    let at = 0
    while (from.left > 0) {
      at += from.signed()
      const count = from.varint()
      const map = from.raw((count + 7) >> 3)
      for (let column = 0; column < count; column++) {
        if (!(map[column >> 3]! & (1 << (column & 7)))) continue
        const change = from.signed()
        if (change !== 0) {
          last[column]! += change
        } else {
          const kind = from.byte()
          if (kind === escapeUnknown) {
            values[column] = Number.NaN
            continue
          }
          scales[column] = kind
          last[column] = kind === noScale ? from.float() : from.signed()
        }
        values[column] = scales[column] === noScale ? last[column]! : last[column]! / powers[scales[column]!]!
      }
      visit(at, values)
    }
  }
}

/** The longer array with what the shorter one holds. */
function extended<A extends Int8Array | Float64Array>(shorter: A, longer: A): A {
  longer.set(shorter)
  return longer
}
