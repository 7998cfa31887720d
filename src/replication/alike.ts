import type { DeviceRecord } from '#model'
import { measuredParts } from './shape.js'

/** Readings of every poll: kept as rows, or not worth a whole record. */
const readings = new Set(['at', 'askedAt', 'latencyMs', 'metrics', 'firstSeenAt', 'lastSeenAt'])
/** Their numbers are readings too. */
const measured = new Set<string>(measuredParts)

/** Whether nothing but readings differs: what a person would call the same state of the same device. */
export function alike(a: DeviceRecord, b: DeviceRecord): boolean {
  return same(a, b, false)
}

/** Null and absent are the same: unknown. `loose`: numbers may differ, also by becoming unknown. */
function same(a: unknown, b: unknown, loose: boolean): boolean {
  if (a === b || (a == null && b == null)) return true
  if (loose && isReading(a) && isReading(b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let index = 0; index < a.length; index++) if (!same(a[index], b[index], loose)) return false
    return true
  }
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  let both = 0
  for (const key in right) {
    const value = right[key]
    if (value == null) continue
    const other = left[key]
    if (other != null) both++
    // What is equal needs no further look: nearly all of it, on nearly every poll.
    if (value === other || readings.has(key)) continue
    if (!same(other, value, loose || measured.has(key))) return false
  }
  // Counted, for a field of another object costs ten times as much as one of the object that is gone through.
  for (const key in left) if (left[key] != null) both--
  if (both === 0) return true
  for (const key in left) {
    if (right[key] == null && !readings.has(key) && !same(left[key], null, loose || measured.has(key))) return false
  }
  return true
}

function isReading(value: unknown): boolean {
  return typeof value === 'number' || value == null
}

/** Whether two devices report the same numbers. */
export function sameMetrics(a: DeviceRecord['metrics'], b: DeviceRecord['metrics']): boolean {
  return same(a, b, false)
}
