import type { Clock } from '#model'
import type { Base } from './base.js'

/** What is not signed although we signed waits for other signers: no use to say it again and again. */
const mostInVain = 3

/**
 * Who signs says so in its log, and the library does it by itself only where writers met. A reader from outside sees what is signed: so
 * once it is quiet we append an empty block that signs what is new.
 */
export class Acker {
  readonly #base: Base
  readonly #clock: Clock
  readonly #ms: number
  #stop: (() => void) | undefined
  #closed = false
  #inVain = 0
  #signed = -1

  constructor(base: Base, clock: Clock, ms: number) {
    this.#base = base
    this.#clock = clock
    this.#ms = ms
    base.on('update', () => this.look())
  }

  look(): void {
    if (this.#stop || this.#closed || !this.#due()) return
    this.#stop = this.#clock.after(this.#ms, () => {
      this.#stop = undefined
      void this.#ack()
    })
  }

  #due(): boolean {
    const { isIndexer, writable, view } = this.#base
    if (!isIndexer || !writable || view.core.signedLength >= view.core.length) return false
    if (view.core.signedLength > this.#signed) {
      this.#signed = view.core.signedLength
      this.#inVain = 0
    }
    return this.#inVain < mostInVain
  }

  async #ack(): Promise<void> {
    if (this.#closed || !this.#due()) return
    this.#inVain++
    // A base that closes or stopped has said so elsewhere.
    await this.#base.append(null).catch(() => undefined)
    this.look()
  }

  /** Something new to sign. */
  reset(): void {
    this.#inVain = 0
    this.look()
  }

  close(): void {
    this.#closed = true
    this.#stop?.()
  }
}
