import type { Clock } from '#model'

/** More than so many within this time, and those who come have to wait. */
const few = 4
const rushMs = 2_000
/** Nobody waits longer than this for the rush to end. */
const mostMs = 30_000
/** Between two of those who waited. */
const gapMs = 100

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
  const queue = new Set<{ readonly since: number; readonly begin: () => void }>()
  /** When the last of them came. */
  let came: number[] = []
  let stop: (() => void) | undefined

  const isRush = (now: number) => {
    came = came.filter((at) => now - at < rushMs)
    return came.length > few
  }
  const next = () => {
    const now = clock.hr()
    const [first] = queue
    if (first && (!isRush(now) || now - first.since >= mostMs)) {
      queue.delete(first)
      first.begin()
    }
    stop = queue.size > 0 ? clock.after(gapMs, next) : undefined
  }

  return {
    take(begin) {
      const since = clock.hr()
      came.push(since)
      if (queue.size === 0 && !isRush(since)) {
        begin()
        return () => {}
      }
      const turn = { since, begin }
      queue.add(turn)
      stop ??= clock.after(gapMs, next)
      return () => void queue.delete(turn)
    },
    close() {
      queue.clear()
      stop?.()
    },
  }
}
