/** Of plain values, field by field: runs on every poll, where texts to compare would cost ten times as much. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let at = 0; at < a.length; at++) if (!isSame(a[at], b[at])) return false
    return true
  }
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  let surplus = 0
  for (const key in left) {
    if (!isSame(left[key], right[key])) return false
    if (left[key] !== undefined) surplus--
  }
  for (const key in right) if (right[key] !== undefined) surplus++
  return surplus === 0
}

/**
 * The new value, or the one before it if they are the same. What did not change is then kept once, need not be compared again, and what was
 * read anew is gone at once: thousands of records that are all new on every poll are what a garbage collector is slow with.
 */
export function kept<T>(before: unknown, now: T): T {
  return isSame(before, now) ? (before as T) : now
}
