import { type Clock, type DeviceRecord, isLive, type Log } from '#model'
import { gapIntervals } from './history.js'
import type { Change, Reader, RemoteReader } from './types.js'

/** A device of the fleet; stays the same object while the device is there. */
export interface Row {
  readonly id: string
  /** The feed that had it first, whose it stays; its reader may be away for a moment. */
  first: string
  reader: Reader
  source: DeviceRecord
  /** The record as it is to be shown: `stale` if its poller is late. */
  shown: DeviceRecord
  /** The source that `shown` was made of. */
  shownOf: DeviceRecord
  gone: boolean
}

/** When the record is too old to be believed, ms. What is not live already counts in no sum, and says why: it does not turn stale. */
function expiry({ askedAt, status }: DeviceRecord, { intervalMs }: Reader): number {
  if (askedAt === null || !isLive(status)) return Number.POSITIVE_INFINITY
  return askedAt + gapIntervals * intervalMs
}

/**
 * All devices of all readers, each as it is to be shown at this moment. Costs what has changed since it was last asked. A device stays with
 * the feed that first had it, as long as that one speaks of it: nobody takes over another's by its id.
 */
export class Roster {
  /** Grows with every change of what is shown. */
  generation = 0
  readonly #clock: Clock
  readonly #rows = new Map<string, Row>()
  readonly #changed = new Map<string, Reader>()
  /** Who else speaks of a device, in the order in which they came. */
  readonly #rivals = new Map<string, Set<Reader>>()
  /** Whose a device is that nobody speaks of, because its reader is away. */
  readonly #away = new Map<string, string>()
  /** Feeds whose claims were told of. */
  readonly #noted = new Set<string>()
  readonly #log: Log
  #ordered: Row[] | undefined
  /** Before this time no record that is shown as live becomes stale. */
  #quietUntil = Number.POSITIVE_INFINITY

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** Devices that more than one feed speaks of. */
  get contested(): number {
    return this.#rivals.size
  }

  add(reader: Reader): void {
    for (const { id } of reader.records()) this.#note(id, reader)
  }

  /** What another feed said of the same device is heard first: the order in which they are asked decides nothing. */
  #note(id: string, reader: Reader): void {
    const other = this.#changed.get(id)
    if (other && other !== reader) this.#update(id, other, this.#clock.now())
    this.#changed.set(id, reader)
  }

  remove(reader: Reader, others: readonly Reader[]): void {
    const heirs = others.filter((other) => feedOf(other) === feedOf(reader))
    for (const row of this.#rows.values()) this.#leave(row, reader, heirs)
    for (const [id, from] of this.#changed) {
      if (from !== reader) continue
      const other = holder(id, others)
      if (other) this.#changed.set(id, other)
      else this.#changed.delete(id)
    }
  }

  changed(reader: Reader, { records, removed }: Change): void {
    for (const { id } of records) this.#note(id, reader)
    for (const id of removed) this.#note(id, reader)
  }

  /** Brings what is shown up to now. */
  refresh(): void {
    const now = this.#clock.now()
    for (const [id, reader] of this.#changed) this.#update(id, reader, now)
    this.#changed.clear()
    if (now < this.#quietUntil) return
    this.#quietUntil = Number.POSITIVE_INFINITY
    for (const row of this.#rows.values()) this.#show(row, now)
  }

  #update(id: string, reader: Reader, now: number): void {
    const source = spokenFor(reader, id)
    const row = this.#rows.get(id)
    if (!source) {
      if (row) this.#leave(row, reader)
      return
    }
    if (!row) {
      const first = this.#away.get(id) ?? feedOf(reader)
      const fresh: Row = { id, first, reader, source, shown: source, shownOf: source, gone: false }
      this.#away.delete(id)
      this.#rows.set(id, fresh)
      this.#ordered = undefined
      this.generation++
      this.#show(fresh, now)
      return
    }
    if (row.reader !== reader && spokenFor(row.reader, id)) {
      const isFirst = feedOf(reader) === row.first
      this.#contest(row, isFirst ? row.reader : reader)
      if (!isFirst) return
    }
    this.#give(row, reader, source, now)
  }

  #give(row: Row, reader: Reader, source: DeviceRecord, now: number): void {
    row.reader = reader
    row.source = source
    this.#show(row, now)
  }

  #contest({ id }: Row, rival: Reader): void {
    const rivals = this.#rivals.get(id) ?? new Set()
    this.#rivals.set(id, rivals.add(rival))
    if (this.#noted.has(feedOf(rival))) return
    this.#noted.add(feedOf(rival))
    const { site, worker } = rival
    this.#log.warn(
      { device: id, site, worker },
      "a feed speaks of another feed's device, which stays where it was first",
    )
  }

  /** The reader speaks of the device no more. With `heirs` it is gone itself, and these are of the same feed; it may also come back later. */
  #leave(row: Row, reader: Reader, heirs?: readonly Reader[]): void {
    const { id } = row
    const rivals = this.#rivals.get(id)
    if (row.reader !== reader) {
      if (rivals?.delete(reader) && rivals.size === 0) this.#rivals.delete(id)
      return
    }
    const next = holder(id, [...(heirs ?? []), ...(rivals ?? [])])
    if (!heirs && row.first === feedOf(reader)) row.first = next ? feedOf(next) : ''
    if (!next) {
      if (row.first !== '') this.#away.set(id, row.first)
      this.#drop(id)
      return
    }
    rivals?.delete(next)
    if (rivals?.size === 0) this.#rivals.delete(id)
    this.#give(row, next, spokenFor(next, id)!, this.#clock.now())
  }

  #show(row: Row, now: number): void {
    const until = expiry(row.source, row.reader)
    if (now < until) {
      this.#quietUntil = Math.min(this.#quietUntil, until)
      if (row.shown === row.source) return
      row.shown = row.source
    } else {
      if (row.shown !== row.shownOf && row.shownOf === row.source) return
      row.shown = {
        ...row.source,
        status: 'stale',
        statusReason: 'its worker has not asked it for a while',
        health: 'unknown',
      }
    }
    row.shownOf = row.source
    this.generation++
  }

  #drop(id: string): void {
    const row = this.#rows.get(id)
    if (!row) return
    row.gone = true
    this.#rivals.delete(id)
    this.#rows.delete(id)
    this.#ordered = undefined
    this.generation++
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id)
  }

  /** In the order of ids. */
  ordered(): readonly Row[] {
    this.#ordered ??= [...this.#rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
    return this.#ordered
  }
}

/** What a feed is known by when its reader is opened anew. */
function feedOf(reader: Reader): string {
  return (reader as Partial<RemoteReader>).feed?.main ?? `${reader.site}/${reader.worker}`
}

/** A feed speaks for the devices of its own site; what it says of another's is not heard. */
function spokenFor(reader: Reader, id: string): DeviceRecord | undefined {
  const record = reader.record(id)
  return record?.site === reader.site ? record : undefined
}

function holder(id: string, readers: readonly Reader[]): Reader | undefined {
  return readers.find((reader) => spokenFor(reader, id))
}
