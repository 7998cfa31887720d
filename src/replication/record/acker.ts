import type { Clock } from '#model'
import { type Base, hexOf } from './base.js'

/** What is not signed although we signed waits for other signers: we say it less and less often, and after so often only in answer. */
const mostInVain = 3
const slowest = 6

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
  /** What the others had said when we last did. */
  #answered = ''

  constructor(base: Base, clock: Clock, ms: number, mayAppend: () => boolean) {
    this.#base = base
    this.#clock = clock
    this.#ms = ms
    this.#mayAppend = mayAppend
  }

  look(): void {
    if (this.#stop || this.#closed || !this.#due()) return
    // One after another, so that each sees what those before it said.
    const ms = this.#ms * 2 ** Math.min(this.#inVain, slowest) * (1 + Math.max(0, this.#turn()) / 3)
    this.#stop = this.#clock.after(ms, () => {
      this.#stop = undefined
      void this.#ack()
    })
  }

  #due(): boolean {
    const { isIndexer, writable, view } = this.#base
    const { length, signedLength } = view.core
    if (!isIndexer || !writable || signedLength >= length || !this.#mayAppend()) return false
    const seen = `${length} ${signedLength}`
    if (seen !== this.#seen) {
      this.#seen = seen
      this.#inVain = 0
    }
    // What another signer has said since is worth an answer: two of three need a few rounds.
    return this.#inVain < mostInVain || this.#others() !== this.#answered
  }

  #others(): string {
    const { system, local } = this.#base
    const heads = (system?.heads ?? []).map(({ key, length }) => `${hexOf(key)}:${length}`)
    return heads.filter((head) => !head.startsWith(hexOf(local.key))).join()
  }

  #turn(): number {
    const { system, local } = this.#base
    return (system?.indexers ?? []).findIndex(({ key }) => hexOf(key) === hexOf(local.key))
  }

  async #ack(): Promise<void> {
    if (this.#closed || !this.#due()) return
    this.#inVain++
    this.#answered = this.#others()
    // A base that closes or stopped has said so elsewhere.
    await this.#base.append(null).catch(() => undefined)
    this.look()
  }

  close(): void {
    this.#closed = true
    this.#stop?.()
  }
}
