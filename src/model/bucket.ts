/** Tokens that come back with time. Times are those of `Clock.hr`, ms. */
export interface Bucket {
  /** Takes one; false if there is none. */
  take(now: number): boolean
  /** Whether there is none. */
  empty(now: number): boolean
}

export function bucket(start: number, perSecond: number, burst: number): Bucket {
  let tokens = burst
  let at = start
  const refill = (now: number) => {
    tokens = Math.min(burst, tokens + ((now - at) / 1000) * perSecond)
    at = now
  }
  return {
    take(now) {
      refill(now)
      if (tokens < 1) return false
      tokens--
      return true
    },
    empty(now) {
      refill(now)
      return tokens < 1
    },
  }
}
