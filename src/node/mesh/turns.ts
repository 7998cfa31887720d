import type { Clock } from '#model'

/** Those who came within this time are counted. */
const lookBackMs = 2_000
/** So many begin at once; those who come beside them have to wait. */
const few = 4
/** Between two of those who waited: while others come, and once they no longer do. */
const gapMs = { rush: 2_000, calm: 100 }

export interface Turns {
  /** Begins at once where few come, later where many do; the answer gives the turn back. */
  take(begin: () => void): () => void
  close(): void
}

/**
 * Who begins to copy the record, and when. A first copy costs its node and the one that serves it more than all else of a joining; when
 * hundreds come at once, each is let in and announced first, and has its copy when the others are in.
 */
export function createTurns(clock: Clock): Turns {
  const queue = new Set<() => void>()
  /** When the last of them came. */
  let came: number[] = []
  let begunAt = Number.NEGATIVE_INFINITY
  let stop: (() => void) | undefined

  const latest = (now: number) => {
    came = came.filter((at) => now - at < lookBackMs)
    return came.length
  }
  const next = () => {
    const now = clock.hr()
    const [begin] = queue
    if (begin && now - begunAt >= (latest(now) > 1 ? gapMs.rush : gapMs.calm)) {
      queue.delete(begin)
      begunAt = now
      begin()
    }
    stop = queue.size > 0 ? clock.after(gapMs.calm, next) : undefined
  }

  return {
    take(begin) {
      const now = clock.hr()
      came.push(now)
      if (queue.size === 0 && latest(now) <= few) {
        begin()
        return () => {}
      }
      const turn = () => begin()
      queue.add(turn)
      stop ??= clock.after(gapMs.calm, next)
      return () => void queue.delete(turn)
    },
    close() {
      queue.clear()
      stop?.()
    },
  }
}
