import type { Clock } from '#model'

export interface LimiterOptions {
  /** So many at once from one key. */
  readonly burst: number
  /** So many more each second. */
  readonly perSecond: number
  /** Keys remembered; the one longest unseen is forgotten first. */
  readonly maxKeys?: number
}

export interface Limiter {
  /** Takes one of the key's allowance: 0 if there was one, else the seconds until there is. */
  take(key: string): number
}

/** A token bucket for each key. */
export function createLimiter(clock: Clock, { burst, perSecond, maxKeys = 10_000 }: LimiterOptions): Limiter {
  const buckets = new Map<string, { left: number; at: number }>()
  return {
    take(key) {
      const at = clock.hr()
      const known = buckets.get(key)
      buckets.delete(key)
      const left = known ? Math.min(burst, known.left + ((at - known.at) / 1000) * perSecond) : burst
      buckets.set(key, { left: left >= 1 ? left - 1 : left, at })
      if (buckets.size > maxKeys) buckets.delete(buckets.keys().next().value as string)
      return left >= 1 ? 0 : Math.ceil((1 - left) / perSecond)
    },
  }
}
