import { damaged } from './bytes.js'
import { Column } from './column.js'
import type { Rows } from './frame.js'
import { emptyRows } from './frame.js'
import { Differences } from './numbers.js'
import { Odds, type RangeDecoder, type RangeEncoder } from './range.js'
import type { Row, Shape } from './shape.js'

const maxRows = 1_000_000

// Flags of a row
const readAt = 0
const otherShapeAt = 1
const neverAskedAt = 2
const noLatencyAt = 3

/**
 * What the frames of a group know of each other: devices by number, and columns that go on from frame to frame. Rows are coded one after
 * the other, each value as the difference to what is expected of it. Writer and reader come to the same.
 */
export class Group {
  readonly ids: string[] = []
  readonly #numbers = new Map<string, number>()
  readonly #shapeOf: number[] = []
  readonly #shapes: { shape: Shape; columns: Column[] }[] = []
  readonly #shapeNumbers = new Map<Shape, number>()
  readonly #columns = new Map<string, Column>()
  readonly #at = new Column()
  readonly #askedAt = new Column()
  readonly #latencyMs = new Column()
  readonly #flags = new Odds(4)
  readonly #counts = new Differences()
  readonly #steps = new Differences()
  readonly #shapeChoice = new Differences()
  #count = 0

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
      column = new Column(name)
      this.#columns.set(name, column)
    }
    return column
  }

  /** Whoever writes gives the reader the ids and shapes that are new. */
  write(to: RangeEncoder, rows: Rows, at: number): void {
    const order = Array.from(rows.ids, (id, row) => ({ number: this.numberOf(id), row }))
    order.sort((a, b) => a.number - b.number)
    this.#counts.write(to, rows.count - this.#count, 0)
    this.#count = rows.count
    let before = -1
    for (const { number, row } of order) {
      this.#steps.write(to, number - before - 1, 0)
      before = number
      const read = rows.read[row]!
      to.bit(this.#flags, readAt, read)
      this.#writeTimes(to, number, rows, row, at)
      if (read === 1) this.#writeValues(to, number, rows.rows[row]!)
    }
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

  #writeValues(to: RangeEncoder, number: number, { shape, values }: Row): void {
    const wanted = this.shapeNumber(shape)
    const other = this.#shapeOf[number] !== wanted
    to.bit(this.#flags, otherShapeAt, other ? 1 : 0)
    if (other) this.#shapeChoice.write(to, wanted, 0)
    this.#shapeOf[number] = wanted
    const { columns } = this.#shapes[wanted]!
    for (let place = 0; place < columns.length; place++) {
      const hint = shape.hints[place]
      const asChange = hint?.kind === 'change'
      const said = asChange ? columns[hint.inputs[0]!]!.change(number) : hint?.of(values)
      columns[place]!.write(to, number, values[place]!, said, asChange)
    }
  }

  read(from: RangeDecoder, frameAt: number): Rows {
    this.#count += this.#counts.read(from, 0, never)
    if (!(this.#count >= 0 && this.#count <= Math.min(maxRows, this.ids.length))) throw damaged('it has too many rows')
    const rows = emptyRows(this.#count)
    let number = -1
    for (let row = 0; row < rows.count; row++) {
      number += this.#steps.read(from, 0, never) + 1
      const id = this.ids[number]
      if (id === undefined) throw damaged('it speaks of a device that nothing is known of')
      rows.ids[row] = id
      rows.read[row] = from.bit(this.#flags, readAt)
      this.#readTimes(from, number, rows, row, frameAt)
      if (rows.read[row] === 1) rows.rows[row] = this.#readValues(from, number)
    }
    return rows
  }

  #readTimes(from: RangeDecoder, number: number, rows: Rows, row: number, frameAt: number): void {
    const read = rows.read[row] === 1
    if (read) rows.at[row] = this.#at.read(from, number, frameAt)
    const sampledAt = read ? rows.at[row]! : frameAt
    if (from.bit(this.#flags, neverAskedAt) === 0) rows.askedAt[row] = this.#askedAt.read(from, number, sampledAt)
    if (from.bit(this.#flags, noLatencyAt) === 0)
      rows.latencyMs[row] = this.#latencyMs.read(from, number, sampledAt - rows.askedAt[row]!)
  }

  #readValues(from: RangeDecoder, number: number): Row {
    if (from.bit(this.#flags, otherShapeAt) === 1) this.#shapeOf[number] = this.#shapeChoice.read(from, 0, never)
    const known = this.#shapes[this.#shapeOf[number] ?? -1]
    if (!known) throw damaged('it has a shape that nothing is known of')
    const { shape, columns } = known
    const values = new Float64Array(columns.length)
    for (let place = 0; place < columns.length; place++) {
      const hint = shape.hints[place]
      const asChange = hint?.kind === 'change'
      const said = asChange ? columns[hint.inputs[0]!]!.change(number) : hint?.of(values)
      values[place] = columns[place]!.read(from, number, said, asChange)
    }
    return { shape, values }
  }
}

const refuse = () => {
  throw damaged('a count is none')
}
const never = { scale: refuse, step: refuse, double: refuse }
