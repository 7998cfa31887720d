import type { DeviceRecord } from '#model'
import { type Hint, hintsOf } from './hints.js'

/** Parts of a record whose numbers are readings, as its metrics are. */
export const measuredParts = ['boards', 'fans', 'pools', 'pdus', 'cooling', 'ups', 'readings', 'workers'] as const
/** Numbers that say which part it is. */
const identity = new Set(['slot', 'index'])
/** More numbers of one device than these are kept in whole records alone. */
const maxColumns = 2048

/** Which numbers a device reports, in the order in which they are coded: what others may be expected from comes first. */
export interface Shape {
  /** `boards.0.hashrateThs`, `hashrateThs` ... */
  readonly names: readonly string[]
  readonly hints: readonly (Hint | undefined)[]
  /** Places of the names. */
  readonly placeOf: ReadonlyMap<string, number>
}

/** A shape and its values, one a name; none is unknown. */
export interface Row {
  readonly shape: Shape
  readonly values: Float64Array
}

class ShapeNode {
  readonly next = new Map<string, ShapeNode>()
  shape: Shape | undefined
}

const root = new ShapeNode()

function shapeAt(node: ShapeNode, names: readonly string[]): Shape {
  node.shape ??= { names, hints: hintsOf(names), placeOf: new Map(names.map((name, place) => [name, place])) }
  return node.shape
}

/** The one shape of these names in this order. */
export function shapeOf(names: readonly string[]): Shape {
  let node = root
  for (const name of names) node = stepTo(node, name)
  return shapeAt(node, [...names])
}

function stepTo(node: ShapeNode, name: string): ShapeNode {
  let next = node.next.get(name)
  if (!next) {
    next = new ShapeNode()
    node.next.set(name, next)
  }
  return next
}

export const emptyRow: Row = { shape: shapeOf([]), values: new Float64Array(0) }

/** Names by path, so that none is put together twice. */
class PathNode {
  readonly name: string
  readonly #children = new Map<string, PathNode>()

  constructor(name: string) {
    this.name = name
  }

  child(key: string): PathNode {
    let child = this.#children.get(key)
    if (!child) {
      child = new PathNode(this.name === '' ? key : `${this.name}.${key}`)
      this.#children.set(key, child)
    }
    return child
  }
}

const paths = new PathNode('')
const partPaths = measuredParts.map((part) => ({ part, path: paths.child(part) }))
const partSet = new Set<string>(measuredParts)
/** These follow from others, and come last. */
const late = ['hashrateThs', 'psuInputCurrentA', 'efficiencyJTh']
const lateSet = new Set(late)

const scratch = new Float64Array(maxColumns)
let filled = 0
const names: string[] = []
let place = root

function put(name: string, value: unknown): void {
  if (typeof value !== 'number' || !Number.isFinite(value) || filled === maxColumns) return
  names[filled] = name
  scratch[filled++] = value
  place = stepTo(place, name)
}

function walk(path: PathNode, value: unknown): void {
  if (typeof value === 'number') put(path.name, value)
  else if (Array.isArray(value))
    for (let index = 0; index < value.length; index++) walk(path.child(`${index}`), value[index])
  else if (typeof value === 'object' && value !== null) {
    const fields = value as Record<string, unknown>
    for (const key in fields) {
      const field = fields[key]
      if (field != null && typeof field !== 'string' && typeof field !== 'boolean' && !identity.has(key))
        walk(path.child(key), field)
    }
  }
}

/** The numbers of a record that every poll reads. What is not a finite number is unknown. */
export function rowOf(record: DeviceRecord): Row {
  filled = 0
  place = root
  for (const { part, path } of partPaths) {
    const value = record[part]
    if (value != null) walk(path, value)
  }
  const metrics = record.metrics as Record<string, unknown>
  for (const name in metrics) if (!lateSet.has(name)) put(name, metrics[name])
  for (const name of late) put(name, metrics[name])
  return { shape: place.shape ?? shapeAt(place, names.slice(0, filled)), values: scratch.slice(0, filled) }
}

/** The record with the numbers of a row: those that the row does not have are unknown. */
export function withRow(record: DeviceRecord, { shape, values }: Row): DeviceRecord {
  const metrics: Record<string, number> = {}
  const parts: Record<string, unknown> = {}
  for (const part of measuredParts) if (record[part] != null) parts[part] = withoutNumbers(record[part])
  shape.names.forEach((name, at) => {
    const value = values[at]!
    const path = name.split('.')
    if (path.length === 1) metrics[name] = value
    else if (partSet.has(path[0]!)) set(parts, path, value)
  })
  return { ...record, metrics, ...parts }
}

function withoutNumbers(value: unknown): unknown {
  if (typeof value === 'number') return null
  if (Array.isArray(value)) return value.map(withoutNumbers)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, identity.has(key) ? field : withoutNumbers(field)]),
  )
}

/** Only into what is there: which parts there are, the whole record says. */
function set(parts: Record<string, unknown>, path: readonly string[], value: number): void {
  let into: unknown = parts
  for (let at = 0; at < path.length - 1; at++)
    into = Object.hasOwn(into as object, path[at]!) ? (into as Record<string, unknown>)[path[at]!] : undefined
  if (typeof into === 'object' && into !== null) (into as Record<string, unknown>)[path.at(-1)!] = value
}

/** A name that could stand in a shape; damaged bytes could say anything. */
export function isColumnName(name: unknown): name is string {
  return typeof name === 'string' && name.length < 200 && !/__proto__|constructor|prototype/.test(name)
}
