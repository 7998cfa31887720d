import { statfs } from 'node:fs/promises'
import type { Clock, Log } from '#model'
import type { Tier } from './layout.js'

/** Room on the disk that a folder is on, bytes. */
export interface Room {
  readonly free: number
  readonly total: number
}

/** So often the disk is looked at; not more often than that history is dropped for it. */
const lookMs = 30_000
/** Nearly full: less than this share of the disk is free, and less than these bytes. It is over when there is clearly more. */
const share = 0.05
const leastFree = 2 * 1024 ** 3
const clearly = 1.2
/** What was dropped has helped if so much of it is free at the next look. */
const helped = 0.5
/** If it has not, the next is dropped only so much later, each time twice as long, at most: somebody else fills the disk. */
const pauseMs = 300_000
const longestPauseMs = 6 * 3_600_000
/** Roll-ups are small, and a year of them is gone for good: one of them gives way if nothing else did for so long. */
const slowlyMs = 3_600_000

const atOnce: readonly Tier[] = ['raw']
const all: readonly Tier[] = ['raw', '1m', '5m']

export async function roomIn(path: string): Promise<Room> {
  const { bavail, blocks, bsize } = await statfs(path)
  return { free: bavail * bsize, total: blocks * bsize }
}

interface Parts {
  readonly room: () => Promise<Room>
  readonly clock: Clock
  readonly log: Log
  /** It has become nearly full, dropping does not help, or there is room again. */
  readonly changed: (trouble: string | null) => void
}

/** Knows when the disk is nearly full, and whether it helps to drop history for it. */
export class Space {
  readonly #parts: Parts
  #lookedAt = Number.NEGATIVE_INFINITY
  #free = 0
  /** Since when it is nearly full, or nothing was dropped for it. */
  #since = 0
  /** Dropped since the last look: of what size, and what was free before. */
  #dropped: { bytes: number; free: number } | undefined
  /** How often in a row it has not helped, and until when nothing is dropped for that. */
  #inVain = 0
  #waitUntil = Number.NEGATIVE_INFINITY
  /** What to tell people; null: there is room. */
  trouble: string | null = null
  #said: keyof typeof words = 'room'

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Of which tiers a day may be dropped now for the disk, in this order. */
  get givingWay(): readonly Tier[] {
    const now = this.#parts.clock.hr()
    if (this.trouble === null || this.#dropped || now < this.#waitUntil) return []
    return now - this.#since >= slowlyMs ? all : atOnce
  }

  /** A day of that size was dropped. At the next look it is seen whether it helped. */
  gaveWay(bytes: number): void {
    this.#since = this.#parts.clock.hr()
    if (bytes > 0) this.#dropped = { bytes, free: this.#free }
  }

  /** Looks, if it is time. */
  async look(): Promise<void> {
    const { room, clock, log } = this.#parts
    const now = clock.hr()
    if (now - this.#lookedAt < lookMs) return
    this.#lookedAt = now
    let found: Room
    try {
      found = await room()
    } catch (error) {
      log.debug({ err: error }, 'how much room there is on the disk cannot be seen')
      return
    }
    const least = Math.min(found.total * share, leastFree)
    this.#free = found.free
    if (found.free >= (this.trouble ? least * clearly : least)) return this.#relieved()
    this.#since = this.trouble ? this.#since : now
    this.#judge(now)
    this.#say(this.#inVain > 0 ? 'in vain' : 'full')
  }

  #relieved(): void {
    this.#dropped = undefined
    this.#inVain = 0
    this.#waitUntil = Number.NEGATIVE_INFINITY
    this.#say('room')
  }

  #judge(now: number): void {
    if (!this.#dropped) return
    const { bytes, free } = this.#dropped
    this.#dropped = undefined
    this.#inVain = this.#free - free >= bytes * helped ? 0 : this.#inVain + 1
    if (this.#inVain > 0) this.#waitUntil = now + Math.min(longestPauseMs, pauseMs * 2 ** (this.#inVain - 1))
  }

  #say(what: keyof typeof words): void {
    if (what === this.#said) return
    this.#said = what
    this.trouble = words[what](`${Math.floor(this.#free / 1024 ** 2)} MiB`)
    this.#parts.changed(this.trouble)
  }
}

const words = {
  room: () => null,
  full: (left: string) =>
    `the disk is nearly full (${left} left): the oldest raw history is dropped first; free some space, or keep less (\`keep\`)`,
  'in vain': (left: string) =>
    `the disk is nearly full (${left} left), and dropping history does not help: something else fills it; free some space. It is tried again later`,
}
