import type { Log } from '#model'
import type { Change } from './types.js'

type Listener = (change: Change) => void

/** Who wants to hear of changes; one that throws disturbs nobody. */
export class Listeners {
  readonly #all = new Set<Listener>()
  readonly #log: Log
  readonly #of: string

  constructor(log: Log, of: string) {
    this.#log = log
    this.#of = of
  }

  /** Answers how to stop. */
  add(listener: Listener): () => void {
    const own: Listener = (change) => listener(change)
    this.#all.add(own)
    return () => {
      this.#all.delete(own)
    }
  }

  tell(change: Change): void {
    for (const listener of [...this.#all]) {
      try {
        listener(change)
      } catch (error) {
        this.#log.error({ err: error }, `a listener of ${this.#of} failed`)
      }
    }
  }

  get size(): number {
    return this.#all.size
  }

  clear(): void {
    this.#all.clear()
  }
}
