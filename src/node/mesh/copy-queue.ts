import type { Clock } from '#model'

/** Those who came within this time are counted. */
const lookBackMs = 2_000
/** So many begin at once; those who come beside them have to wait. */
const few = 2
/** Between two of those who waited: while others come or this process is behind with its work, and once neither is so. */
const gapMs = { rush: 10_000, calm: 100 }
/** A timer that is called later than this has waited for other work. */
const lateMs = 50

export interface CopyQueue {
  /** Begins at once where few come, later where many do; the answer gives the turn back. */
  take(begin: () => void): () => void
  close(): void
}

/**
 * Who begins to copy the record, and when. A first copy costs its node and the one that serves it more than all else of a joining; when
 * hundreds come at once, each is let in and announced first, and has its copy when the others are in.
 */
export function createCopyQueue(clock: Clock): CopyQueue {
  const queue = new Set<() => void>()
  /** When the last of them came. */
  let came: number[] = []
  let begunAt = Number.NEGATIVE_INFINITY
  let stop: (() => void) | undefined

  const latest = (now: number) => {
    came = came.filter((at) => now - at < lookBackMs)
    return came.length
  }
  const look = () => {
    const due = clock.hr() + gapMs.calm
    stop = clock.after(gapMs.calm, () => {
      const now = clock.hr()
      const rushes = latest(now) > 1 || now - due > lateMs
      const [begin] = queue
      if (begin && now - begunAt >= (rushes ? gapMs.rush : gapMs.calm)) {
        queue.delete(begin)
        begunAt = now
        begin()
      }
      stop = undefined
      if (queue.size > 0) look()
    })
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
      if (!stop) look()
      return () => void queue.delete(turn)
    },
    close() {
      queue.clear()
      stop?.()
    },
  }
}
