import type { Clock } from '#model'
import { type Base, hexOf } from './base.js'

/** What is not signed although we signed waits for other signers: no use to say it again and again. */
const mostInVain = 3

/**
 * Who signs says so in its log; the library does it by itself only where writers met, and by a timer that knows nothing of a copy in doubt.
 * A reader from outside sees what is signed: so once it is quiet we append an empty block that signs what is new.
 */
export class Acker {
  readonly #base: Base
  readonly #clock: Clock
  readonly #ms: number
  readonly #mayAppend: () => boolean
  #stop: (() => void) | undefined
  #closed = false
  #inVain = 0
  #seen = ''

  constructor(base: Base, clock: Clock, ms: number, mayAppend: () => boolean) {
    this.#base = base
    this.#clock = clock
    this.#ms = ms
    this.#mayAppend = mayAppend
  }

  look(): void {
    if (this.#stop || this.#closed || !this.#due()) return
    this.#stop = this.#clock.after(this.#ms * (1 + Math.max(0, this.#turn()) / 3), () => {
      this.#stop = undefined
      void this.#ack()
    })
  }

  #due(): boolean {
    const { isIndexer, writable, view } = this.#base
    const { length, signedLength } = view.core
    if (!isIndexer || !writable || signedLength >= length || !this.#mayAppend()) return false
    // What another signer has said since is worth an answer: two of three need a few rounds. There are never two of whom one is gone.
    const seen = `${length} ${signedLength} ${this.#others()}`
    if (seen !== this.#seen) {
      this.#seen = seen
      this.#inVain = 0
    }
    return this.#inVain < mostInVain
  }

  #others(): string {
    const { system, local } = this.#base
    const heads = (system?.heads ?? []).map(({ key, length }) => `${hexOf(key)}:${length}`)
    return heads.filter((head) => !head.startsWith(hexOf(local.key))).join()
  }

  /** One after another, so that each sees what those before it said. */
  #turn(): number {
    const { system, local } = this.#base
    return (system?.indexers ?? []).findIndex(({ key }) => hexOf(key) === hexOf(local.key))
  }

  async #ack(): Promise<void> {
    if (this.#closed || !this.#due()) return
    this.#inVain++
    // A base that closes or stopped has said so elsewhere.
    await this.#base.append(null).catch(() => undefined)
    this.look()
  }

  close(): void {
    this.#closed = true
    this.#stop?.()
  }
}
