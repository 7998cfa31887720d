import type { Clock } from '#model'
import type { Base } from './base.js'

/**
 * Sees when the record takes nothing in although there is something: a block that hangs, or one whose forerunners nobody here has. Says it
 * once, gives the library a push, and says when it goes on.
 */
export class Watchdog {
  stuck = false
  readonly #options: Options
  #mark = ''
  #since: number
  #stop: () => void = () => undefined

  constructor(options: Options) {
    this.#options = options
    this.#since = options.clock.hr()
    this.#wait()
  }

  /** Blocks that are here and not taken in. */
  get waiting(): number {
    let count = 0
    for (const { core, length } of this.#options.base.activeWriters) count += Math.max(0, core.length - length)
    return count
  }

  #wait(): void {
    const { clock, everyMs } = this.#options
    this.#stop = clock.after(everyMs, () => {
      this.#look()
      this.#wait()
    })
  }

  #look(): void {
    const { base, clock, stuckMs, applying, said } = this.#options
    const { waiting } = this
    const now = clock.hr()
    const mark = `${waiting} ${base.length} ${applying()}`
    if (mark !== this.#mark || (waiting === 0 && !applying())) {
      this.#mark = mark
      this.#since = now
      if (this.stuck) said(undefined)
      this.stuck = false
      return
    }
    if (now - this.#since < stuckMs) return
    if (!this.stuck) {
      this.stuck = true
      said(
        applying()
          ? 'a block hangs while it is taken in'
          : `${waiting} blocks wait for others that no connected peer has`,
      )
    }
    // Not awaited: what hangs would hang us.
    void base.update().catch(() => undefined)
  }

  close(): void {
    this.#stop()
  }
}

interface Options {
  readonly base: Base
  readonly clock: Clock
  readonly everyMs: number
  readonly stuckMs: number
  /** Since when a block is being taken in, as a mark that changes with each; 0: none is. */
  readonly applying: () => number
  /** Why it is stuck; undefined: it goes on. */
  readonly said: (why: string | undefined) => void
}
