import type { Key } from '#keys'
import type { Clock, Log } from '#model'

/** Why a connection or a call of a peer was refused or ended, in the words of the statistics. */
export const reasons = [
  /** Connections: a key that may not call; too many in all; a newer one took its place; too many a minute. */
  'unknown-key',
  'connections',
  'connections-per-key',
  'connects-per-minute',
  /** Connections: never used; no call for long; a message that did not end; replies not taken; gone without a word. */
  'not-opened',
  'idle',
  'slow',
  'unread',
  'silent',
  /** Messages: too long; not what is agreed. */
  'message-size',
  'malformed',
  /** Calls: the key may not call any more; nobody here answers them; too many a second; too many at once; never ended. */
  'caller',
  'unknown-service',
  'calls-per-second',
  'calls-at-once',
  'never-ended',
  /** Calls: refused by the guard of what was called. */
  'forbidden',
] as const
export type Reason = (typeof reasons)[number]

export interface Refusals {
  count(reason: Reason, key: Key): void
  counts(): Record<Reason, number>
}

interface RefusalsOptions {
  readonly clock: Clock
  readonly log: Log
  readonly label: (key: Key) => string
  readonly told: ((reason: Reason, key: Key) => void) | undefined
}

/** One line in the log for a key and a reason in this time: an attack must not fill the disk. */
const quietMs = 60_000
const maxNoted = 1000

/** Counts all refusals and logs the first of a kind. */
export function refusals({ clock, log, label, told }: RefusalsOptions): Refusals {
  const counts = Object.fromEntries(reasons.map((reason) => [reason, 0])) as Record<Reason, number>
  const noted = new Map<string, number>()
  return {
    count(reason, key) {
      counts[reason]++
      told?.(reason, key)
      const what = `${reason} ${key}`
      const now = clock.hr()
      if (now - (noted.get(what) ?? Number.NEGATIVE_INFINITY) < quietMs) return
      if (noted.size >= maxNoted) noted.clear()
      noted.set(what, now)
      log.warn({ peer: label(key), reason, soFar: counts[reason] }, 'refused a peer')
    },
    counts: () => ({ ...counts }),
  }
}
