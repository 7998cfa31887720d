import type { DeviceRecord } from '#model'
import { type Member, memberOf } from './crowd.js'

/** The last known record of every device, and where its newest whole copy lies. */
export class State {
  readonly #records: DeviceRecord[] = []
  readonly #places = new Map<string, number>()
  /** Segment of the newest whole record by device, and how many devices have theirs in a segment. */
  readonly #whole = new Map<string, number>()
  readonly #counts = new Map<number, number>()
  readonly #removed = new Map<string, Member>()
  #turn = 0

  /** The same array always; whoever gets it does not change it. */
  get records(): readonly DeviceRecord[] {
    return this.#records
  }

  get(id: string): DeviceRecord | undefined {
    const place = this.#places.get(id)
    return place === undefined ? undefined : this.#records[place]
  }

  /** Also of a device that was removed: what it said before counts where it stood. */
  memberOf = (id: string): Member | undefined => {
    const record = this.get(id)
    return record ? memberOf(record) : this.#removed.get(id)
  }

  put(record: DeviceRecord): void {
    const place = this.#places.get(record.id)
    if (place !== undefined) this.#records[place] = record
    else this.#places.set(record.id, this.#records.push(record) - 1)
  }

  /** The last record moves into the gap. */
  remove(id: string): boolean {
    const place = this.#places.get(id)
    if (place === undefined) return false
    this.#removed.set(id, memberOf(this.#records[place]!))
    const last = this.#records.pop()!
    if (last.id !== id) {
      this.#records[place] = last
      this.#places.set(last.id, place)
    }
    this.#places.delete(id)
    this.#count(this.#whole.get(id), -1)
    this.#whole.delete(id)
    return true
  }

  /** A whole record of the device was written into this segment. */
  wrote(id: string, segment: number): void {
    this.#count(this.#whole.get(id), -1)
    this.#whole.set(id, segment)
    this.#count(segment, 1)
  }

  /** Whether there is a whole record of the device in this feed. */
  isWritten(id: string): boolean {
    return this.#whole.has(id)
  }

  /** Whether every device has a whole record in a later segment, so that this one and older ones are not needed for it. */
  needsNothingUpTo(segment: number): boolean {
    for (const counted of this.#counts.keys()) if (counted <= segment) return false
    return true
  }

  /** The next devices in turn, to write a whole record of each once in a while. */
  *inTurn(count: number): Generator<DeviceRecord> {
    for (let given = 0; given < Math.min(count, this.#records.length); given++) {
      this.#turn = (this.#turn + 1) % this.#records.length
      yield this.#records[this.#turn]!
    }
  }

  #count(segment: number | undefined, change: number): void {
    if (segment === undefined) return
    const count = (this.#counts.get(segment) ?? 0) + change
    if (count > 0) this.#counts.set(segment, count)
    else this.#counts.delete(segment)
  }
}
