import type { Clock } from '#model'
import { agenda } from './agenda.js'

/** Decides who is visited when, and how many at once. It knows nothing of devices. */
export interface Poller<T> {
  /** Visits the item at `due` (monotonic, ms); an earlier or later date replaces the one it had. */
  at(item: T, due: number): void
  /** Brings its date forward to `due`, never back. */
  sooner(item: T, due: number): void
  /** Visits it as soon as a place is free, and once more if it is being visited now. */
  soon(item: T): void
  drop(item: T): void
  /** While held no visit starts; those under way end. */
  hold(held: boolean): void
  stats(): Record<string, number>
  close(): void
}

export interface PollerOptions<T> {
  readonly clock: Clock
  /** Visits at once. */
  readonly concurrency: number
  /** Visits beyond it that wait for a slow device: waiting costs a socket, but no work, so the others need not wait too. */
  readonly spare: number
  /** Never throws. Tells `done` once when the item is due next (monotonic, ms), undefined: not at all. */
  readonly visit: (item: T, done: (next: number | undefined) => void) => void
}

/** A visit that takes longer gives its place to the next and waits beside. */
const slowMs = 1000
/** While there is no room beside, the slow ones are looked at again after this, ms. */
const lookAgainMs = 100
/** It wakes up for visits at whole multiples of this, ms: to wake up for each of a thousand a second costs a quarter more of a core than to wake up for many. */
const togetherMs = 100
/** A visit that starts so much after its time was late. */
const lateMs = 1000

function together(due: number): number {
  return Math.ceil(due / togetherMs) * togetherMs
}

/** One visit that is under way. */
interface Visit {
  readonly began: number
  /** The item is to be visited again at once. */
  again: boolean
}

export function openPoller<T>({ clock, concurrency, spare, visit }: PollerOptions<T>): Poller<T> {
  const waiting = agenda<T>()
  /** What is visited now. */
  const inside = new Map<T, Visit>()
  /** The visits that hold a place, the oldest first, and those that wait beside. */
  const working = new Set<Visit>()
  const aside = new Set<Visit>()
  let watching: (() => void) | undefined
  let pumping = false
  let held = false
  let closed = false
  let armedFor = Number.POSITIVE_INFINITY
  let disarm: (() => void) | undefined
  const counts = { polls: 0, latePolls: 0, lagMs: 0, maxLagMs: 0 }

  function pump() {
    // A visit that ends at once is seen by the loop that began it.
    if (pumping) return
    pumping = true
    while (!held && !closed && working.size < concurrency) {
      const now = clock.hr()
      const due = waiting.first()
      const item = waiting.take(now)
      if (item === undefined) break
      begin(item, now, now - due)
    }
    pumping = false
    arm()
  }

  function arm() {
    const due = held || closed || working.size >= concurrency ? Number.POSITIVE_INFINITY : together(waiting.first())
    if (due === armedFor) return
    disarm?.()
    armedFor = due
    disarm =
      due === Number.POSITIVE_INFINITY
        ? undefined
        : clock.after(Math.max(0, Math.ceil(due - clock.hr())), () => {
            armedFor = Number.POSITIVE_INFINITY
            disarm = undefined
            pump()
          })
  }

  function begin(item: T, now: number, lag: number) {
    counts.polls++
    counts.lagMs += (lag - counts.lagMs) / 64
    if (lag > counts.maxLagMs) counts.maxLagMs = lag
    if (lag > lateMs) counts.latePolls++
    const mine: Visit = { began: now, again: false }
    inside.set(item, mine)
    working.add(mine)
    watch()
    visit(item, (next) => end(item, mine, next))
  }

  function end(item: T, mine: Visit, next: number | undefined) {
    if (!working.delete(mine)) aside.delete(mine)
    if (inside.get(item) === mine) {
      inside.delete(item)
      if (!closed && mine.again) waiting.set(item, clock.hr())
      else if (!closed && next !== undefined) waiting.set(item, next)
    }
    pump()
  }

  /** One timer for all visits: it waits for the oldest of them to become slow. */
  function watch() {
    if (watching || closed) return
    for (const { began } of working) {
      const ms = began + slowMs - clock.hr()
      watching = clock.after(ms > 0 ? Math.ceil(ms) : lookAgainMs, setAside)
      return
    }
  }

  function setAside() {
    watching = undefined
    const now = clock.hr()
    for (const visit of working) {
      if (now - visit.began < slowMs || aside.size >= spare) break
      working.delete(visit)
      aside.add(visit)
    }
    pump()
    watch()
  }

  return {
    at(item, due) {
      if (inside.has(item)) return
      waiting.set(item, due)
      pump()
    },
    sooner(item, due) {
      if (inside.has(item) || (waiting.dueOf(item) ?? Number.POSITIVE_INFINITY) <= due) return
      waiting.set(item, due)
      pump()
    },
    soon(item) {
      const state = inside.get(item)
      if (state) {
        state.again = true
        return
      }
      waiting.set(item, clock.hr())
      pump()
    },
    drop(item) {
      waiting.delete(item)
      inside.delete(item)
    },
    hold(now) {
      if (held === now) return
      held = now
      pump()
    },
    stats: () => ({
      polls: counts.polls,
      latePolls: counts.latePolls,
      lagMs: Math.round(counts.lagMs),
      maxLagMs: Math.round(counts.maxLagMs),
      overdueMs: Math.round(Math.max(0, clock.hr() - waiting.first())),
      active: working.size,
      slow: aside.size,
      queued: waiting.size,
    }),
    close() {
      closed = true
      disarm?.()
      watching?.()
    },
  }
}
