import type Hypercore from 'hypercore'
import type { Base } from './base.js'

/**
 * Keeps all of the record here, not only what was read once: a copy that caught up in one step has gaps, and a writer that is cut off with
 * gaps cannot take in even its own words. The record is small, and it is what a site goes on with alone.
 */
export class FullCopy {
  readonly #base: Base
  #ranges: ReturnType<Hypercore['download']>[] = []

  constructor(base: Base) {
    this.#base = base
    this.begin()
  }

  /** Anew, after the library took up other logs. */
  begin(): void {
    this.close()
    const logs = [this.#base.view.core, this.#base.core]
    this.#ranges = logs.map((log) => log.download({ start: 0, end: -1 }))
  }

  close(): void {
    for (const range of this.#ranges) range.destroy()
    this.#ranges = []
  }
}
