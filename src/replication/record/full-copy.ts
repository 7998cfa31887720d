import type Hypercore from 'hypercore'
import type { Clock } from '#model'
import type { Base } from './base.js'

/** Even if it never is quiet, what is missing is fetched after so long. */
const maxWaitMs = 600_000

/**
 * Keeps all of the record here, not only what was read once: a copy that caught up in one step has gaps, and a writer that is cut off with
 * gaps cannot take in even its own words. The record is small, and it is what a site goes on with alone. Who only reads fetches the rest when
 * the record has been quiet for a while: when hundreds join at once, each of them has better things to do.
 */
export class FullCopy {
  readonly #base: Base
  readonly #clock: Clock
  readonly #quietMs: number
  readonly #writable: () => boolean
  #ranges: ReturnType<Hypercore['download']>[] = []
  #waitingSince: number | undefined
  #stop: () => void = () => undefined

  constructor(options: { base: Base; clock: Clock; quietMs: number; writable: () => boolean }) {
    this.#base = options.base
    this.#clock = options.clock
    this.#quietMs = options.quietMs
    this.#writable = options.writable
    this.changed()
  }

  /** Something came, or the library took up other logs. */
  changed(): void {
    if (this.#writable()) {
      this.#begin()
      return
    }
    this.#rest()
    const now = this.#clock.hr()
    this.#waitingSince ??= now
    const waitMs = Math.min(this.#quietMs, this.#waitingSince + maxWaitMs - now)
    this.#stop = this.#clock.after(Math.max(0, waitMs), () => this.#begin())
  }

  close(): void {
    this.#rest()
  }

  #begin(): void {
    this.#rest()
    this.#waitingSince = undefined
    const logs = [this.#base.view.core, this.#base.core]
    this.#ranges = logs.map((log) => log.download({ start: 0, end: -1 }))
  }

  #rest(): void {
    this.#stop()
    for (const range of this.#ranges) range.destroy()
    this.#ranges = []
  }
}
