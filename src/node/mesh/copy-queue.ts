import type { Key } from '#keys'
import type { Clock } from '#model'
import type { Served } from './served.js'

/** Those who came within this time are counted. */
const lookBackMs = 2_000
/** So many begin at once; those who come beside them have to wait. */
const few = 2
/** Between two of those who waited: while others come or this process is behind with its work, and once neither is so. */
const gapMs = { rush: 10_000, calm: 100 }
/** A timer that is called later than this has waited for other work. */
const lateMs = 50

export interface CopyQueue {
  /** Begins at once where few come, later where many do; the answer gives the turn back. Who has had the record before never waits. */
  take(key: Key, begin: () => void): () => void
  close(): void
}

/**
 * Who begins to copy the record, and when. A first copy costs its node and the one that serves it more than all else of a joining; when
 * hundreds come at once, each is let in and announced first, and has its copy when the others are in. A copy that is there takes in only
 * what is new, at once: a revocation among it must not wait for others.
 */
export function createCopyQueue(clock: Clock, served: Pick<Served, 'has' | 'add'>): CopyQueue {
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
    take(key, copy) {
      const begin = () => {
        served.add(key)
        copy()
      }
      if (served.has(key)) {
        copy()
        return () => {}
      }
      const now = clock.hr()
      came.push(now)
      if (queue.size === 0 && latest(now) <= few) {
        begin()
        return () => {}
      }
      queue.add(begin)
      if (!stop) look()
      return () => void queue.delete(begin)
    },
    close() {
      queue.clear()
      stop?.()
    },
  }
}
