import type { Clock } from '#model'

/** Tokens that come back with time. */
export interface Bucket {
  /** Takes one; false if there is none. */
  take(): boolean
  /** Whether there is none now. */
  empty(): boolean
}

export function bucket(clock: Clock, perSecond: number, burst: number): Bucket {
  let tokens = burst
  let at = clock.hr()
  const refill = () => {
    const now = clock.hr()
    tokens = Math.min(burst, tokens + ((now - at) / 1000) * perSecond)
    at = now
  }
  return {
    take() {
      refill()
      if (tokens < 1) return false
      tokens--
      return true
    },
    empty() {
      refill()
      return tokens < 1
    },
  }
}
