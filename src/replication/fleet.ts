import { type Clock, type DeviceRecord, type Event, type Log, SdkError, silentLog, systemClock } from '#model'
import { feedAges } from './age.js'
import { readCrowdGroups, readGroups } from './group-history.js'
import { Listeners } from './listeners.js'
import { Listings } from './listing.js'
import { Roster } from './roster.js'
import { grouped, totalsOf } from './totals.js'
import type {
  Change,
  DevicePage,
  DeviceQuery,
  FeedAge,
  FleetEventQuery,
  FleetView,
  Group,
  GroupBy,
  HistoryQuery,
  Reader,
  Series,
  Totals,
} from './types.js'

/** Whose feeds there are now, and when that changes: a node's directory is one. */
export interface FleetSource {
  readers(): readonly Reader[]
  watch?(listener: () => void): () => void
}

const defaultEvents = 100
const maxEvents = 1000
/** Totals and groups that are kept while nothing changes. */
const keptAnswers = 64

/** One view of all devices of all readers, also of readers that come later. Close it to let go of them. */
export function fleetView(source: FleetSource, options: { clock?: Clock; log?: Log } = {}): FleetView {
  return new View(source, options.clock ?? systemClock, options.log ?? silentLog)
}

class View implements FleetView {
  readonly #source: FleetSource
  readonly #clock: Clock
  readonly #roster: Roster
  readonly #listings: Listings
  readonly #followed = new Map<Reader, () => void>()
  readonly #listeners: Listeners
  readonly #answers = new Map<string, { generation: number; answer: unknown }>()
  readonly #unwatch: (() => void) | undefined
  #closed = false

  constructor(source: FleetSource, clock: Clock, log: Log) {
    this.#source = source
    this.#clock = clock
    this.#listeners = new Listeners(log, 'the fleet')
    this.#roster = new Roster(clock, log)
    this.#listings = new Listings(this.#roster, Math.floor(clock.now()))
    this.#unwatch = source.watch?.(() => this.#follow())
    this.#follow()
  }

  /** Takes up new readers and lets go of those that are no longer there. */
  #follow(): void {
    if (this.#closed) return
    const readers = this.#source.readers()
    for (const [reader, stop] of this.#followed) {
      if (readers.includes(reader)) continue
      stop()
      this.#followed.delete(reader)
      this.#roster.remove(reader, readers)
    }
    for (const reader of readers) {
      if (this.#followed.has(reader)) continue
      this.#followed.set(
        reader,
        reader.watch((change) => {
          this.#roster.changed(reader, change)
          if (this.#listeners.size > 0) this.#listeners.tell(this.#heard(reader, change))
        }),
      )
      this.#roster.add(reader)
    }
  }

  #now(): Roster {
    this.#follow()
    this.#roster.refresh()
    return this.#roster
  }

  /** Of a change only what is the feed's to say: nobody hears from one site of the devices of another. */
  #heard(reader: Reader, { records, removed, events }: Change): Change {
    this.#roster.refresh()
    return {
      records: records.filter(({ id }) => this.#roster.get(id)?.reader === reader),
      removed: removed.filter((id) => this.#roster.get(id) === undefined),
      events: events.filter((event) => this.#maySay(reader, event)),
    }
  }

  /** Of a device that another site speaks for, a feed tells no events. */
  #maySay({ site }: Reader, { deviceId }: Event): boolean {
    const row = deviceId === undefined ? undefined : this.#roster.get(deviceId)
    return row === undefined || row.source.site === site
  }

  device(id: string): DeviceRecord | undefined {
    return this.#now().get(id)?.shown
  }

  readerOf(id: string): Reader | undefined {
    return this.#now().get(id)?.reader
  }

  get contested(): number {
    return this.#now().contested
  }

  devices(query: DeviceQuery): DevicePage {
    this.#now()
    return this.#listings.page(query)
  }

  match(filter: DeviceQuery['filter']): DeviceRecord[] {
    this.#now()
    return this.#listings.filtered(filter).map(({ shown }) => shown)
  }

  totals(filter?: DeviceQuery['filter']): Totals {
    return this.#kept(`totals ${JSON.stringify(filter)}`, () => totalsOf(this.match(filter)))
  }

  groups(by: GroupBy, filter?: DeviceQuery['filter']): Group[] {
    return this.#kept(`groups ${by} ${JSON.stringify(filter)}`, () =>
      grouped(by, this.match(filter)).map(([key, records]) => ({ key, totals: totalsOf(records) })),
    )
  }

  #kept<T>(key: string, make: () => T): T {
    const { generation } = this.#now()
    const known = this.#answers.get(key)
    if (known?.generation === generation) return known.answer as T
    const answer = make()
    this.#answers.delete(key)
    this.#answers.set(key, { generation, answer })
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= keptAnswers) break
      this.#answers.delete(oldest)
    }
    return answer
  }

  /** Also of a device that was removed. Throws NOT_FOUND if no feed knows it. */
  async history(query: HistoryQuery): Promise<Series> {
    const { reader } = this.#now().get(query.deviceId) ?? {}
    if (reader) return reader.history(query)
    for (const other of this.#source.readers()) {
      const series = await other.history(query)
      if (Object.values(series.series).some((column) => column.some((value) => value !== null))) return series
    }
    throw new SdkError('NOT_FOUND', `there is no device ${query.deviceId}`)
  }

  async groupHistory(query: Parameters<FleetView['groupHistory']>[0]): Promise<{ key: string; series: Series }[]> {
    const now = this.#clock.now()
    const crowds = await readCrowdGroups(query, this.#source.readers(), now)
    return crowds ?? readGroups(query, this.match(query.filter), (one) => this.history(one), now)
  }

  async events({ sites, ...query }: FleetEventQuery): Promise<Event[]> {
    const limit = Math.min(Math.max(0, query.limit ?? defaultEvents), maxEvents)
    const readers = this.#readersOf(query.deviceId).filter(({ site }) => sites?.includes(site) ?? true)
    const lists = await Promise.all(
      readers.map(async (reader) => {
        const events = await reader.events({ ...query, limit })
        return events.filter((event) => this.#maySay(reader, event))
      }),
    )
    // Each list is newest first already; the sort keeps the order of events of the same moment.
    return lists
      .flat()
      .sort((a, b) => b.at - a.at)
      .slice(0, limit)
  }

  async settings(deviceId: string, limit?: number): Promise<{ at: number; settings: unknown }[]> {
    const lists = await Promise.all(this.#readersOf(deviceId).map((reader) => reader.settings(deviceId, limit)))
    return lists
      .flat()
      .sort((a, b) => b.at - a.at)
      .slice(0, limit)
  }

  /** The feed of the device; all of them if it is not there any more. */
  #readersOf(deviceId: string | undefined): readonly Reader[] {
    const row = deviceId === undefined ? undefined : this.#now().get(deviceId)
    return row ? [row.reader] : this.#source.readers()
  }

  feeds(): FeedAge[] {
    return feedAges(this.#source.readers(), this.#clock)
  }

  watch(listener: (change: Change) => void): () => void {
    return this.#listeners.add(listener)
  }

  close(): void {
    this.#closed = true
    this.#unwatch?.()
    for (const stop of this.#followed.values()) stop()
    this.#followed.clear()
    this.#listeners.clear()
  }
}
