import { clockToleranceMs, covers, type Held, type Key } from '#keys'
import type { Clock } from '#model'
import type { Standing } from './standing.js'

export interface AttendanceOptions {
  readonly standing: Standing
  readonly clock: Clock
  /** It has no standing any more: why, in the words of the door. */
  readonly expel: (key: Key, why: 'unknown' | 'revoked' | 'not-valid') => void
  /** It may read less than when it came: with a new connection it has what it may have now. */
  readonly reconnect: (key: Key) => void
}

/** Who is here, each looked at again when what it may can have changed: the door asks only those who come. */
export interface Attendance {
  /** A peer is here; the answer is for when it is gone. */
  came(key: Key): () => void
  /** The record says something new of members. */
  look(): void
  close(): void
}

/** Looked at again so soon at the latest: a clock may be set meanwhile, and no timer waits for months. */
const mostMs = 3_600_000

export function createAttendance({ standing, clock, expel, reconnect }: AttendanceOptions): Attendance {
  /** With what each was let in or last seen; undefined: as a host of a record that is not here yet. */
  const present = new Map<Key, Held | undefined>()
  let stop = () => {}
  let lookAt = Number.POSITIVE_INFINITY

  const heldBy = (key: Key): Held | undefined => {
    try {
      return standing.held(key)
    } catch {
      return undefined
    }
  }

  /** One timer, for the grant that ends first. */
  const plan = (until: number | undefined) => {
    const endsAt = until === undefined ? Number.POSITIVE_INFINITY : until + clockToleranceMs
    if (endsAt >= lookAt) return
    stop()
    lookAt = endsAt
    stop = clock.after(Math.min(endsAt - clock.now(), mostMs), look)
  }

  const lookOne = (key: Key, before: Held | undefined) => {
    const verdict = standing.admits(key)
    if (verdict !== true) {
      // A host that the record does not name yet stays: the part of the record that does may be on its way.
      if (verdict === 'unknown' && !before) return
      present.delete(key)
      return expel(key, verdict)
    }
    const now = heldBy(key)
    if (before && now && readsLess(before, now)) {
      present.delete(key)
      return reconnect(key)
    }
    present.set(key, now)
    plan(now?.until)
  }

  const look = () => {
    stop()
    lookAt = Number.POSITIVE_INFINITY
    for (const [key, before] of [...present]) lookOne(key, before)
  }

  return {
    came(key) {
      const held = heldBy(key)
      present.set(key, held)
      plan(held?.until)
      return () => void present.delete(key)
    },
    look,
    close() {
      stop()
      present.clear()
    },
  }
}

/** The sites where it may read; undefined: all. */
const readable = ({ scope, sites }: Held) => (covers(scope, 'read') ? sites : [])

function readsLess(before: Held, now: Held): boolean {
  const left = readable(now)
  return left !== undefined && !(readable(before)?.every((site) => left.includes(site)) ?? false)
}
