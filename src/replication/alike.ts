import { type DeviceRecord, DeviceRecordSchema } from '#model'
import { knownParts, measuredParts } from './shape.js'

/** Readings of every poll: kept as rows, or not worth a whole record. */
const readings = new Set(['at', 'askedAt', 'latencyMs', 'metrics', 'firstSeenAt', 'lastSeenAt'])
/** Their numbers are readings too. */
const measured = new Set<string>(measuredParts)

/** What is looked at, and how. */
const told = (Object.keys(DeviceRecordSchema.properties) as (keyof DeviceRecord)[])
  .filter((name) => !readings.has(name))
  .map((name) => ({
    name,
    others: (knownParts as Readonly<Record<string, { others: readonly string[] }>>)[name]?.others,
    loose: measured.has(name),
  }))

/** Whether nothing but readings differs: what a person would call the same state of the same device. Runs on every poll. */
export function alike(a: DeviceRecord, b: DeviceRecord): boolean {
  for (let at = 0; at < told.length; at++) {
    const { name, others, loose } = told[at]!
    const left = a[name]
    const right = b[name]
    if (left === right) continue
    const areSame = others ? sameParts(others, left as object[], right as object[]) : same(left, right, loose)
    if (!areSame) return false
  }
  return true
}

/** Parts of a list in all that is no reading of theirs. */
function sameParts(others: readonly string[], a: readonly object[], b: readonly object[]): boolean {
  if (a.length !== b.length) return false
  for (let index = 0; index < a.length; index++) {
    const left = a[index] as Readonly<Record<string, unknown>>
    const right = b[index] as Readonly<Record<string, unknown>>
    for (let at = 0; at < others.length; at++) {
      if ((left[others[at]!] ?? null) !== (right[others[at]!] ?? null)) return false
    }
  }
  return true
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
