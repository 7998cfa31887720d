import {
  BoardSchema,
  type DeviceRecord,
  FanSchema,
  isMetric,
  type Kind,
  kinds,
  metricsOf,
  PoolSchema,
  type TSchema,
} from '#model'
import { type Hint, hintsOf } from './hints.js'

/** Parts of a record whose numbers are readings, as its metrics are. */
export const measuredParts = ['boards', 'fans', 'pools', 'pdus', 'cooling', 'ups', 'readings', 'workers'] as const

/** What lists of parts are made of that every miner has: looked through by name, which takes half as long as to find out what is there. */
export const knownParts = {
  boards: fieldsOf(BoardSchema),
  fans: fieldsOf(FanSchema),
  pools: fieldsOf(PoolSchema),
} as const

/** The names of the readings, and of all else: words, switches, and the numbers that say which part it is. */
function fieldsOf({ properties }: { properties: Readonly<Record<string, TSchema>> }) {
  const isNumber = (schema: TSchema): boolean => {
    const { type, anyOf = [] } = schema as { type?: string; anyOf?: TSchema[] }
    return type === 'number' || anyOf.some(isNumber)
  }
  const names = Object.keys(properties)
  return {
    readings: names.filter((name) => isNumber(properties[name]!)),
    others: names.filter((name) => !isNumber(properties[name]!)),
  }
}

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
  /** Plain numbers: bytes outside of the heap of so short-lived things are given back late, and never quite. */
  readonly values: readonly number[]
}

/** Names so far, and which may follow. */
class ShapeNode {
  readonly #next = new Map<string, ShapeNode>()
  /** The name that followed last, and where it led: nearly always the next one, too. */
  #name: string | undefined
  #node: ShapeNode = this
  #shape: Shape | undefined

  step(name: string): ShapeNode {
    if (name !== this.#name) {
      this.#node = this.#next.get(name) ?? new ShapeNode()
      this.#next.set(name, this.#node)
      this.#name = name
    }
    return this.#node
  }

  /** The shape of the names that lead here. */
  shape(names: readonly string[], count = names.length): Shape {
    this.#shape ??= shapeWith(names.slice(0, count))
    return this.#shape
  }
}

function shapeWith(names: readonly string[]): Shape {
  return { names, hints: hintsOf(names), placeOf: new Map(names.map((name, place) => [name, place])) }
}

const root = new ShapeNode()

/** The one shape of these names in this order. */
export function shapeOf(names: readonly string[]): Shape {
  let node = root
  for (const name of names) node = node.step(name)
  return node.shape(names)
}

export const emptyRow: Row = { shape: shapeOf([]), values: [] }

/** Names by path, so that none is put together twice. */
class PathNode {
  readonly name: string
  /** Whether its number says which part it is. */
  readonly isIdentity: boolean
  readonly #children = new Map<string, PathNode>()
  readonly #places: PathNode[] = []

  constructor(name: string, key = '') {
    this.name = name
    this.isIdentity = identity.has(key)
  }

  child(key: string): PathNode {
    let child = this.#children.get(key)
    if (!child) {
      child = new PathNode(this.name === '' ? key : `${this.name}.${key}`, key)
      this.#children.set(key, child)
    }
    return child
  }

  /** The child of a place in a list. */
  at(index: number): PathNode {
    let child = this.#places[index]
    if (!child) {
      child = this.child(`${index}`)
      this.#places[index] = child
    }
    return child
  }
}

const paths = new PathNode('')
const listPaths = Object.entries(knownParts).map(([part, { readings }]) => ({
  part: part as keyof typeof knownParts,
  readings,
  /** The names by place in the list. */
  names: [] as string[][],
}))
const otherPaths = measuredParts
  .filter((part) => !Object.hasOwn(knownParts, part))
  .map((part) => ({ part, path: paths.child(part) }))
const partSet = new Set<string>(measuredParts)
/** These follow from others, and come last. */
const late = ['hashrateThs', 'psuInputCurrentA', 'efficiencyJTh'] as const
const inOrder = Object.fromEntries(
  kinds.map((kind) => [kind, [...metricsOf(kind).filter((name) => !late.some((each) => each === name)), ...late]]),
) as unknown as Record<Kind, readonly (keyof DeviceRecord['metrics'])[]>

const scratch: number[] = []
let filled = 0
const names: string[] = []
let place = root

function put(name: string, value: number): void {
  if (!Number.isFinite(value) || filled === maxColumns) return
  names[filled] = name
  scratch[filled++] = value
  place = place.step(name)
}

function walk(path: PathNode, value: object): void {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) visit(path.at(index), value[index])
    return
  }
  const fields = value as Record<string, unknown>
  for (const key in fields) {
    const field = fields[key]
    if (typeof field === 'number' || typeof field === 'object') visit(path.child(key), field)
  }
}

function visit(path: PathNode, value: unknown): void {
  if (path.isIdentity) return
  if (typeof value === 'number') put(path.name, value)
  else if (typeof value === 'object' && value !== null) walk(path, value)
}

function putList({ part, readings, names }: (typeof listPaths)[number], list: readonly object[]): void {
  for (let index = 0; index < list.length; index++) {
    const fields = list[index] as Readonly<Record<string, unknown>>
    if (!names[index]) names[index] = readings.map((name) => `${part}.${index}.${name}`)
    const paths = names[index]!
    for (let at = 0; at < readings.length; at++) {
      const value = fields[readings[at]!]
      if (typeof value === 'number') put(paths[at]!, value)
    }
  }
}

/** The numbers of a record that every poll reads. What is not a finite number is unknown. */
export function rowOf(record: DeviceRecord): Row {
  filled = 0
  place = root
  for (let at = 0; at < listPaths.length; at++) putList(listPaths[at]!, record[listPaths[at]!.part])
  for (const { part, path } of otherPaths) visit(path, record[part])
  const { metrics } = record
  const all = inOrder[record.kind]
  for (let at = 0; at < all.length; at++) {
    const value = metrics[all[at]!]
    if (typeof value === 'number') put(all[at]!, value)
  }
  return { shape: place.shape(names, filled), values: scratch.slice(0, filled) }
}

/** How the numbers of a shape go into a record: kept, for it is asked for with every row. */
interface Plan {
  /** All metrics of the shape. Objects that are copied from one stay compact; built up name by name they would take three times as much. */
  readonly metrics: Readonly<Record<string, number>>
  readonly ofMetrics: readonly (readonly [name: string, place: number])[]
  readonly ofParts: readonly (readonly [path: readonly string[], place: number])[]
}

const plans = new WeakMap<Shape, Plan>()

function planOf(shape: Shape): Plan {
  const known = plans.get(shape)
  if (known) return known
  const all = shape.names.map((name, place) => [name.split('.'), place] as const)
  const ofMetrics = all.flatMap(([path, place]) => (path.length === 1 ? [[path[0]!, place] as const] : []))
  const plan: Plan = {
    metrics: JSON.parse(JSON.stringify(Object.fromEntries(ofMetrics.map(([name]) => [name, 0.5])))),
    ofMetrics,
    ofParts: all.filter(([path]) => path.length > 1 && partSet.has(path[0]!)),
  }
  plans.set(shape, plan)
  return plan
}

/** The record with the numbers of a row: those that the row does not have are unknown. */
export function withRow(record: DeviceRecord, { shape, values }: Row): DeviceRecord {
  const plan = planOf(shape)
  const metrics: Record<string, number> = { ...plan.metrics }
  for (const [name, place] of plan.ofMetrics) metrics[name] = values[place]!
  const parts: Record<string, unknown> = {}
  for (const part of measuredParts) if (record[part] != null) parts[part] = withoutNumbers(record[part])
  for (const [path, place] of plan.ofParts) set(parts, path, values[place]!)
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

const measuredOf = new WeakMap<Shape, { shape: Shape; places: readonly number[] }>()

/** The metrics of a row alone: what history is asked for. */
export function metricsOnly({ shape, values }: Row): Row {
  let known = measuredOf.get(shape)
  if (!known) {
    const places = shape.names.flatMap((name, place) => (isMetric(name) ? [place] : []))
    known = { shape: shapeOf(places.map((place) => shape.names[place]!)), places }
    measuredOf.set(shape, known)
  }
  return { shape: known.shape, values: known.places.map((place) => values[place]!) }
}
