import { damaged } from './bytes.js'
import { Column } from './column.js'
import type { Rows } from './frame.js'
import { emptyRows } from './frame.js'
import { Differences } from './numbers.js'
import { Odds, type RangeDecoder, type RangeEncoder } from './range.js'
import type { Shape } from './shape.js'

const maxRows = 1_000_000
const rowsInTurn = 32

// Flags of a row
const readAt = 0
const otherShapeAt = 1
const neverAskedAt = 2
const noLatencyAt = 3

/** Row by row; column by column; or so that a column in which nothing changed is told in a bit: what a device is set to hardly ever does. */
export type RowOrder = 'rows' | 'columns' | 'changed columns'

/**
 * What the frames of a group know of each other: devices by number, and columns that go on from frame to frame. First comes which devices
 * there are and when they were asked, then column after column, each value as the difference to what is expected of it. Writer and reader
 * come to the same.
 */
export class Group {
  readonly ids: string[] = []
  readonly #numbers = new Map<string, number>()
  readonly #shapeOf: number[] = []
  readonly #shapes: { shape: Shape; columns: Column[] }[] = []
  readonly #shapeNumbers = new Map<Shape, number>()
  readonly #columns = new Map<string, Column>()
  readonly #devices: number
  readonly #at: Column
  readonly #askedAt: Column
  readonly #latencyMs: Column
  readonly #flags = new Odds(4)
  readonly #counts = new Differences()
  readonly #steps = new Differences()
  readonly #shapeChoice = new Differences()
  #count = 0

  /** `before`: the group that this one follows; the devices are probably the same. */
  constructor(before?: Group) {
    this.#devices = Math.max(1, before?.ids.length ?? 0)
    this.#at = new Column('', this.#devices)
    this.#askedAt = new Column('', this.#devices)
    this.#latencyMs = new Column('', this.#devices)
  }

  /** The number of a device; a new one if it has none. */
  numberOf(id: string): number {
    const known = this.#numbers.get(id)
    if (known !== undefined) return known
    this.#numbers.set(id, this.ids.length)
    return this.ids.push(id) - 1
  }

  learnIds(ids: readonly string[]): void {
    for (const id of ids) this.numberOf(id)
  }

  /** The number of a shape; a new one if it has none. */
  shapeNumber(shape: Shape): number {
    const known = this.#shapeNumbers.get(shape)
    if (known !== undefined) return known
    const number = this.#shapes.push({ shape, columns: shape.names.map((name) => this.#column(name)) }) - 1
    this.#shapeNumbers.set(shape, number)
    return number
  }

  get shapes(): number {
    return this.#shapes.length
  }

  #column(name: string): Column {
    let column = this.#columns.get(name)
    if (!column) {
      column = new Column(name, this.#devices)
      this.#columns.set(name, column)
    }
    return column
  }

  /** Whoever writes gives the reader the ids and shapes that are new. Pauses after each column. */
  *writing(to: RangeEncoder, rows: Rows, at: number): Generator<undefined, void> {
    const order = Array.from(rows.ids, (id, row) => ({ number: this.numberOf(id), row }))
    order.sort((a, b) => a.number - b.number)
    const members = new Members<readonly number[]>()
    this.#counts.write(to, rows.count - this.#count, 0)
    this.#count = rows.count
    let before = -1
    for (const { number, row } of order) {
      this.#steps.write(to, number - before - 1, 0)
      before = number
      const read = rows.read[row]!
      to.bit(this.#flags, readAt, read)
      this.#writeTimes(to, number, rows, row, at)
      if (read === 1) members.add(this.#writeShape(to, number, rows.rows[row]!.shape), number, rows.rows[row]!.values)
    }
    for (const [shapeNumber, { numbers, values }] of members.all) {
      for (let place = 0; place < this.#shapes[shapeNumber]!.columns.length; place++) {
        yield
        this.#writeColumn(to, shapeNumber, place, numbers, values)
      }
    }
  }

  /** A column of a shape with room for all devices, and what other values of a row say of its own: the change of one, or a value. */
  #expecting(shapeNumber: number, place: number) {
    const { shape, columns } = this.#shapes[shapeNumber]!
    const column = columns[place]!
    column.reserve(this.ids.length)
    const hint = shape.hints[place]
    const input = hint?.kind === 'change' ? columns[hint.inputs[0]!]! : undefined
    const saidOf = (number: number, values: readonly number[]) => (input ? input.change(number) : hint?.of(values))
    return { column, isChange: input !== undefined, saidOf }
  }

  #writeColumn(
    to: RangeEncoder,
    shapeNumber: number,
    place: number,
    numbers: readonly number[],
    values: readonly (readonly number[])[],
  ): void {
    const { column, isChange, saidOf } = this.#expecting(shapeNumber, place)
    if (column.writeStill(to, numbers, values, place)) return
    for (let row = 0; row < numbers.length; row++) {
      const said = saidOf(numbers[row]!, values[row]!)
      column.write(to, numbers[row]!, values[row]![place]!, said, isChange)
    }
  }

  #writeShape(to: RangeEncoder, number: number, shape: Shape): number {
    const wanted = this.shapeNumber(shape)
    const other = this.#shapeOf[number] !== wanted
    to.bit(this.#flags, otherShapeAt, other ? 1 : 0)
    if (other) this.#shapeChoice.write(to, wanted, 0)
    this.#shapeOf[number] = wanted
    return wanted
  }

  #writeTimes(
    to: RangeEncoder,
    number: number,
    { at, askedAt, latencyMs, read }: Rows,
    row: number,
    frameAt: number,
  ): void {
    if (read[row] === 1) this.#at.write(to, number, at[row]!, frameAt)
    const sampledAt = read[row] === 1 ? at[row]! : frameAt
    const asked = askedAt[row]!
    to.bit(this.#flags, neverAskedAt, Number.isNaN(asked) ? 1 : 0)
    if (!Number.isNaN(asked)) this.#askedAt.write(to, number, asked, sampledAt)
    const latency = latencyMs[row]!
    to.bit(this.#flags, noLatencyAt, Number.isNaN(latency) ? 1 : 0)
    if (!Number.isNaN(latency)) this.#latencyMs.write(to, number, latency, sampledAt - asked)
  }

  /** What `writing` wrote, or what earlier versions did. */
  *reading(from: RangeDecoder, frameAt: number, order: RowOrder = 'changed columns'): Generator<undefined, Rows> {
    this.#count += this.#counts.read(from, 0, never)
    if (!(this.#count >= 0 && this.#count <= Math.min(maxRows, this.ids.length))) throw damaged('it has too many rows')
    const rows = emptyRows(this.#count)
    const members = new Members<number[]>()
    let number = -1
    for (let row = 0; row < rows.count; row++) {
      number += this.#steps.read(from, 0, never) + 1
      const id = this.ids[number]
      if (id === undefined) throw damaged('it speaks of a device that nothing is known of')
      rows.ids[row] = id
      rows.read[row] = from.bit(this.#flags, readAt)
      this.#readTimes(from, number, rows, row, frameAt)
      if (rows.read[row] === 0) continue
      const shapeNumber = this.#readShape(from, number)
      const { shape, columns } = this.#shapes[shapeNumber]!
      const values = new Array<number>(columns.length).fill(Number.NaN)
      rows.rows[row] = { shape, values }
      if (order !== 'rows') members.add(shapeNumber, number, values)
      else
        for (let place = 0; place < columns.length; place++)
          this.#readColumn(from, shapeNumber, place, [number], [values])
      if (row % rowsInTurn === 0) yield
    }
    for (const [shapeNumber, { numbers, values }] of members.all) {
      for (let place = 0; place < this.#shapes[shapeNumber]!.columns.length; place++) {
        yield
        if (
          order === 'changed columns' &&
          this.#expecting(shapeNumber, place).column.readStill(from, numbers, values, place)
        )
          continue
        this.#readColumn(from, shapeNumber, place, numbers, values)
      }
    }
    return rows
  }

  #readShape(from: RangeDecoder, number: number): number {
    if (from.bit(this.#flags, otherShapeAt) === 1) this.#shapeOf[number] = this.#shapeChoice.read(from, 0, never)
    const shapeNumber = this.#shapeOf[number] ?? -1
    if (!this.#shapes[shapeNumber]) throw damaged('it has a shape that nothing is known of')
    return shapeNumber
  }

  #readColumn(
    from: RangeDecoder,
    shapeNumber: number,
    place: number,
    numbers: readonly number[],
    values: readonly number[][],
  ): void {
    const { column, isChange, saidOf } = this.#expecting(shapeNumber, place)
    for (let row = 0; row < numbers.length; row++) {
      const said = saidOf(numbers[row]!, values[row]!)
      values[row]![place] = column.read(from, numbers[row]!, said, isChange)
    }
  }

  #readTimes(from: RangeDecoder, number: number, rows: Rows, row: number, frameAt: number): void {
    const read = rows.read[row] === 1
    if (read) rows.at[row] = this.#at.read(from, number, frameAt)
    const sampledAt = read ? rows.at[row]! : frameAt
    if (from.bit(this.#flags, neverAskedAt) === 0) rows.askedAt[row] = this.#askedAt.read(from, number, sampledAt)
    if (from.bit(this.#flags, noLatencyAt) === 0)
      rows.latencyMs[row] = this.#latencyMs.read(from, number, sampledAt - rows.askedAt[row]!)
  }
}

/** Devices and their values by shape, in the order in which shapes and devices come. */
class Members<V extends readonly number[]> {
  readonly all = new Map<number, { numbers: number[]; values: V[] }>()

  add(shape: number, number: number, values: V): void {
    let of = this.all.get(shape)
    if (!of) {
      of = { numbers: [], values: [] }
      this.all.set(shape, of)
    }
    of.numbers.push(number)
    of.values.push(values)
  }
}

const refuse = () => {
  throw damaged('a count is none')
}
const never = { scale: refuse, step: refuse, double: refuse }
