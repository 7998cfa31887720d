import { statfs } from 'node:fs/promises'
import type { Clock, Log } from '#model'

/** Room on the disk that a folder is on, bytes. */
export interface Room {
  readonly free: number
  readonly total: number
}

/** So often the disk is looked at. */
const lookMs = 30_000
/** Nearly full: less than this share of the disk is free, and less than these bytes. It is over when there is clearly more. */
const share = 0.05
const leastFree = 2 * 1024 ** 3
const clearly = 1.2

export async function roomIn(path: string): Promise<Room> {
  const { bavail, blocks, bsize } = await statfs(path)
  return { free: bavail * bsize, total: blocks * bsize }
}

interface Parts {
  readonly room: () => Promise<Room>
  readonly clock: Clock
  readonly log: Log
  /** It has become nearly full, or is no longer. */
  readonly changed: (trouble: string | null) => void
}

/** Knows when the disk is nearly full. */
export class Space {
  readonly #parts: Parts
  #lookedAt = Number.NEGATIVE_INFINITY
  /** What to tell people; null: there is room. */
  trouble: string | null = null

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Looks, if it is time. `now`: something was given back. */
  async look(now = false): Promise<void> {
    const { room, clock, log, changed } = this.#parts
    if (!now && clock.hr() - this.#lookedAt < lookMs) return
    this.#lookedAt = clock.hr()
    let found: Room
    try {
      found = await room()
    } catch (error) {
      log.debug({ err: error }, 'how much room there is on the disk cannot be seen')
      return
    }
    const least = Math.min(found.total * share, leastFree)
    const full = found.free < (this.trouble ? least * clearly : least)
    if (full === (this.trouble !== null)) return
    const left = `${Math.floor(found.free / 1024 ** 2)} MiB`
    this.trouble = full
      ? `the disk is nearly full (${left} left): the oldest raw history is dropped first; free some space, or keep less (\`keep\`)`
      : null
    changed(this.trouble)
  }
}
