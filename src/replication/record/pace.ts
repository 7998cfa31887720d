import type { Clock } from '#model'
import type { Base } from './base.js'

const fewPeers = 16
const msAPeer = 5
const mostMs = 1_500

/** Every copy takes in every change by itself: the more copies there are, the longer changes are gathered, to be taken in together. */
export function restMs(peers: number): number {
  return Math.min(mostMs, msAPeer * Math.max(0, peers - fewPeers))
}

interface PaceOptions {
  readonly base: Base
  readonly clock: Clock
  readonly members: () => number
  /** Who writes takes in everything at once. */
  readonly reads: () => boolean
}

/** After each change a reader rests. */
export class Pace {
  readonly #options: PaceOptions
  #stop: (() => void) | undefined

  constructor(options: PaceOptions) {
    this.#options = options
  }

  updated(): void {
    const { base, clock, members, reads } = this.#options
    const ms = reads() ? restMs(members()) : 0
    if (ms === 0 || this.#stop) return
    base.pause()
    this.#stop = clock.after(ms, () => this.close())
  }

  close(): void {
    if (!this.#stop) return
    this.#stop()
    this.#stop = undefined
    this.#options.base.resume()
  }
}
