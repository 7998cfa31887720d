import type { CommandJob } from '#rpc'
import type { DeviceRow, Fleet } from './client.js'

/** A value that can be watched. */
export class Cell<T> {
  #value: T
  readonly #listeners = new Set<() => void>()

  constructor(value: T) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return
    this.#value = value
    for (const listener of this.#listeners) listener()
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

export interface Change {
  records: readonly DeviceRow[]
  removed?: readonly string[]
}

/** When the record last changed; records that arrive late do not replace newer ones. */
const stampOf = (record: DeviceRow): number => record.askedAt ?? record.at ?? 0

/** All devices by id. `version` counts the changes, `membership` only those that add or remove devices. */
export class Devices {
  readonly byId = new Map<string, DeviceRow>()
  version = 0
  membership = 0
  readonly #listeners = new Set<() => void>()

  apply({ records, removed = [] }: Change): void {
    for (const record of records) {
      const known = this.byId.get(record.id)
      if (known && stampOf(known) > stampOf(record)) continue
      if (!known) this.membership++
      this.byId.set(record.id, record)
    }
    for (const id of removed) if (this.byId.delete(id)) this.membership++
    this.#changed()
  }

  /** After a full read: forgets what was not in it, unless it has come in since by the stream. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.byId.keys()) if (!ids.has(id) && this.byId.delete(id)) this.membership++
    this.#changed()
  }

  clear(): void {
    this.byId.clear()
    this.membership++
    this.#changed()
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #changed(): void {
    this.version++
    for (const listener of this.#listeners) listener()
  }
}

export const jobsMax = 200

/** The jobs with this one in its place, newest first, at most `jobsMax`. */
export function withJob(jobs: readonly CommandJob[], job: CommandJob): CommandJob[] {
  const others = jobs.filter(({ id }) => id !== job.id)
  return [...others, job].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1)).slice(0, jobsMax)
}

/** `live`: the stream runs. `lost`: it does not; what is shown is frozen and ages. */
export interface Link {
  state: 'connecting' | 'live' | 'lost'
  retryAt: number | null
}

export class Store {
  readonly devices = new Devices()
  readonly fleet = new Cell<Fleet | null>(null)
  readonly jobs = new Cell<readonly CommandJob[]>([])
  readonly link = new Cell<Link>({ state: 'connecting', retryAt: null })
  /** The first full read of all devices is done. */
  readonly loaded = new Cell(false)
}
