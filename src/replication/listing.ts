import { type DeviceFilter, type DeviceRecord, isMetric, SdkError } from '#model'
import { matcher } from './match.js'
import type { Roster, Row } from './roster.js'
import type { DevicePage, DeviceQuery } from './types.js'

const defaultLimit = 100
const maxLimit = 1000
/** Sorted lists that are kept for the next page; an older cursor goes on from its place in a new list. */
const keptListings = 32

type Value = string | number | null | undefined

const recordFields = {
  id: ({ id }) => id,
  name: ({ name }) => name,
  kind: ({ kind }) => kind,
  make: ({ make }) => make,
  model: ({ model }) => model,
  site: ({ site }) => site,
  worker: ({ worker }) => worker,
  address: ({ address }) => address,
  serial: ({ serial }) => serial,
  mac: ({ mac }) => mac,
  status: ({ status }) => status,
  health: ({ health }) => health,
  firmware: ({ firmware }) => firmware.version,
  at: ({ at }) => at,
  askedAt: ({ askedAt }) => askedAt,
  latencyMs: ({ latencyMs }) => latencyMs,
  container: ({ location }) => location.container,
  rack: ({ location }) => location.rack,
  slot: ({ location }) => location.slot,
  errors: ({ errors }) => errors.length,
} satisfies Record<string, (record: DeviceRecord) => Value>

function sortValue(sort: string): (record: DeviceRecord) => Value {
  if (isMetric(sort)) return ({ metrics }) => metrics[sort]
  if (Object.hasOwn(recordFields, sort)) return recordFields[sort as keyof typeof recordFields]
  throw new SdkError('BAD_REQUEST', `devices cannot be sorted by ${JSON.stringify(sort)}`)
}

/** Numbers before words, unknown values last whatever the direction. */
function compare(a: Value, b: Value, direction: number): number {
  if (a == null || b == null) return a == null ? (b == null ? 0 : 1) : -1
  if (typeof a !== typeof b) return typeof a === 'number' ? -direction : direction
  return a < b ? -direction : a > b ? direction : 0
}

interface Listing {
  readonly number: number
  readonly generation: number
  readonly key: string
  readonly rows: readonly Row[]
}

/** Where a page ended: in which list and at which place, and after which value, for when that list is gone. */
type Cursor = [key: number, view: number, listing: number, place: number, value: Value, id: string]

/** Filtered and sorted pages of a roster. The lists are kept while nothing changes, and for cursors that point into them. */
export class Listings {
  readonly #roster: Roster
  /** Tells this view's lists from those before a restart. */
  readonly #view: number
  readonly #kept = new Map<string, Listing>()
  readonly #byNumber = new Map<number, Listing>()
  #next = 0

  constructor(roster: Roster, view: number) {
    this.#roster = roster
    this.#view = view
  }

  /** Throws BAD_REQUEST for a sort or a cursor that is none. */
  page({ filter = {}, sort = 'id', limit = defaultLimit, cursor }: DeviceQuery): DevicePage {
    const key = JSON.stringify([filter, sort])
    const from = cursor === undefined ? undefined : readCursor(cursor, key)
    const kept = from && from[1] === this.#view ? this.#used(from[2]) : undefined
    const listing = kept ?? this.#listing(key, filter, sort)
    let place = kept && from ? from[3] : from ? placeAfter(listing.rows, sort, from[4], from[5]) : 0
    const data: DeviceRecord[] = []
    const count = Math.max(1, Math.min(limit, maxLimit))
    const still = matcher(filter)
    const changed = listing.generation !== this.#roster.generation
    let last: Row | undefined
    for (; place < listing.rows.length && data.length < count; place++) {
      const row = this.#present(listing.rows[place]!)
      // The list is of the first page's moment: what left it since is not shown.
      if (!row || (changed && !still(row.shown))) continue
      data.push(row.shown)
      last = row
    }
    const more = place < listing.rows.length && last !== undefined
    const nextCursor = more
      ? writeCursor([
          hash(key),
          this.#view,
          listing.number,
          place,
          sortValue(bare(sort))(last!.shown) ?? null,
          last!.id,
        ])
      : null
    return { data, nextCursor, total: listing.rows.length }
  }

  /** The row of the device as it is now, also if it was removed and added again meanwhile. */
  #present(row: Row): Row | undefined {
    return row.gone ? this.#roster.get(row.id) : row
  }

  /** A list that is asked for again is kept longest. */
  #used(number: number): Listing | undefined {
    const listing = this.#byNumber.get(number)
    if (!listing) return undefined
    this.#byNumber.delete(number)
    this.#byNumber.set(number, listing)
    return listing
  }

  #listing(key: string, filter: DeviceFilter, sort: string): Listing {
    const known = this.#kept.get(key)
    if (known?.generation === this.#roster.generation) return known
    const rows = sorted(this.filtered(filter), sort)
    const listing: Listing = { number: this.#next++, generation: this.#roster.generation, key, rows }
    this.#kept.set(key, listing)
    this.#byNumber.set(listing.number, listing)
    for (const [number, old] of this.#byNumber) {
      if (this.#byNumber.size <= keptListings) break
      this.#byNumber.delete(number)
      if (this.#kept.get(old.key) === old) this.#kept.delete(old.key)
    }
    return listing
  }

  filtered(filter: DeviceFilter | undefined): readonly Row[] {
    const rows = this.#roster.ordered()
    if (!filter || Object.keys(filter).length === 0) return rows
    const test = matcher(filter)
    return rows.filter(({ shown }) => test(shown))
  }
}

function bare(sort: string): string {
  return sort.startsWith('-') ? sort.slice(1) : sort
}

/** Rows come in the order of ids and keep it among equals. */
function sorted(rows: readonly Row[], sort: string): readonly Row[] {
  if (sort === 'id') return rows
  const direction = sort.startsWith('-') ? -1 : 1
  const value = sortValue(bare(sort))
  const values = rows.map((row) => value(row.shown))
  const order = byNumber(values, direction) ?? byValue(values, direction)
  return order.map((place) => rows[place]!)
}

function byValue(values: readonly Value[], direction: number): number[] {
  return Array.from(values.keys()).sort((a, b) => compare(values[a], values[b], direction))
}

/** The same order in a fraction of the time, if there is nothing but numbers. */
function byNumber(values: readonly Value[], direction: number): number[] | undefined {
  const keys = new Float64Array(values.length)
  for (let at = 0; at < keys.length; at++) {
    const value = values[at]
    if (typeof value === 'string') return undefined
    keys[at] = value == null ? Number.POSITIVE_INFINITY : direction * value
  }
  return Array.from(keys.keys()).sort((a, b) => keys[a]! - keys[b]! || a - b)
}

/** The first place behind a value and id; there may be nothing there. */
function placeAfter(rows: readonly Row[], sort: string, value: Value, id: string): number {
  const direction = sort.startsWith('-') ? -1 : 1
  const of = sortValue(bare(sort))
  const place = rows.findIndex((row) => {
    const order = compare(of(row.shown), value, direction)
    return order > 0 || (order === 0 && row.id > id)
  })
  return place < 0 ? rows.length : place
}

/** FNV-1a: tells a cursor of another query. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return value >>> 0
}

function writeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url')
}

function readCursor(text: string, key: string): Cursor {
  let cursor: unknown
  try {
    cursor = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    throw new SdkError('BAD_REQUEST', 'the cursor is not one of ours')
  }
  if (!isCursor(cursor)) throw new SdkError('BAD_REQUEST', 'the cursor is not one of ours')
  if (cursor[0] !== hash(key)) throw new SdkError('BAD_REQUEST', 'the cursor belongs to another query')
  return cursor
}

function isCursor(value: unknown): value is Cursor {
  if (!Array.isArray(value) || value.length !== 6) return false
  const [key, view, listing, place, after, id] = value as unknown[]
  const numbers = [key, view, listing, place].every(
    (each) => typeof each === 'number' && Number.isInteger(each) && each >= 0,
  )
  return numbers && typeof id === 'string' && (after === null || typeof after === 'string' || typeof after === 'number')
}
