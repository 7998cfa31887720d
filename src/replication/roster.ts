import { type Clock, type DeviceRecord, isLive } from '#model'
import { gapIntervals } from './history.js'
import type { Change, Reader } from './types.js'

/** A device of the fleet; stays the same object while the device is there. */
export interface Row {
  readonly id: string
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

/** All devices of all readers, each as it is to be shown at this moment. Costs what has changed since it was last asked. */
export class Roster {
  /** Grows with every change of what is shown. */
  generation = 0
  readonly #clock: Clock
  readonly #rows = new Map<string, Row>()
  readonly #changed = new Map<string, Reader>()
  #ordered: Row[] | undefined
  /** Before this time no record that is shown as live becomes stale. */
  #quietUntil = Number.POSITIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
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
    for (const row of this.#rows.values())
      if (row.reader === reader) this.#changed.set(row.id, holder(row.id, others) ?? reader)
    for (const [id, from] of this.#changed) {
      if (from !== reader) continue
      const other = holder(id, others)
      if (other) this.#changed.set(id, other)
      else {
        this.#changed.delete(id)
        this.#drop(id)
      }
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
      if (row?.reader === reader) this.#drop(id)
      return
    }
    if (!row) {
      const fresh: Row = { id, reader, source, shown: source, shownOf: source, gone: false }
      this.#rows.set(id, fresh)
      this.#ordered = undefined
      this.generation++
      this.#show(fresh, now)
      return
    }
    // Nobody takes over a device of another site by its id.
    if (row.reader !== reader && row.source.site !== source.site && spokenFor(row.reader, id)) return
    // One device in two feeds: the newer word counts.
    if (row.reader !== reader && (source.askedAt ?? 0) < (row.source.askedAt ?? 0) && spokenFor(row.reader, id)) return
    row.reader = reader
    row.source = source
    this.#show(row, now)
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

/** A feed speaks for the devices of its own site; what it says of another's is not heard. */
function spokenFor(reader: Reader, id: string): DeviceRecord | undefined {
  const record = reader.record(id)
  return record?.site === reader.site ? record : undefined
}

function holder(id: string, readers: readonly Reader[]): Reader | undefined {
  return readers.find((reader) => spokenFor(reader, id))
}
