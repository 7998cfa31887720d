import type { DeviceRecord, Event, Tuning } from '#model'
import { errorKey } from './record.js'

/** What happened to a device between two of its records. */
export function changesBetween(before: DeviceRecord, after: DeviceRecord, at: number): Event[] {
  const events: Event[] = []
  const name = after.name ?? after.id
  const deviceId = after.id
  if (before.status !== after.status) {
    const why = after.statusReason ? `: ${after.statusReason}` : ''
    events.push({
      at,
      type: 'status',
      deviceId,
      message: `${name} is ${after.status}, was ${before.status}${why}`,
      data: { from: before.status, to: after.status, reason: after.statusReason ?? null },
    })
  }
  if (before.errors.length === 0 && after.errors.length === 0) return events
  const old = new Set(before.errors.map(errorKey))
  const now = new Set(after.errors.map(errorKey))
  for (const error of after.errors) {
    if (old.has(errorKey(error))) continue
    events.push({ at, type: 'error-raised', deviceId, message: `${name}: ${error.message}`, data: { error } })
  }
  for (const error of before.errors) {
    if (now.has(errorKey(error))) continue
    events.push({
      at,
      type: 'error-cleared',
      deviceId,
      message: `${name}: no longer: ${error.message}`,
      data: { error },
    })
  }
  return events
}

export interface Settings {
  pools?: { index: number; url: string; user: string; priority: number | null }[]
  tuning?: Partial<Tuning>
  network?: unknown
}

/**
 * What somebody has set on the device, without what it measures and without secrets. What could not be read this time is taken from
 * `known`: it did not change because of that.
 */
export function settingsOf(record: DeviceRecord, known: Settings | undefined): Settings {
  const settings: Settings = {}
  const pools = record.missing.pools
    ? known?.pools
    : record.pools
        .filter((pool) => !pool.devFee)
        .map(({ index, url, user, priority }) => ({ index, url, user, priority: priority ?? null }))
        .sort((a, b) => a.index - b.index)
  if (pools && pools.length > 0) settings.pools = pools
  const tuning = record.tuning && chosen(record.tuning)
  if (tuning && Object.keys(tuning).length > 0) settings.tuning = tuning
  if (record.network) settings.network = record.network
  return settings
}

/** The tuning without what it reached by itself. */
function chosen({ tuned: _, ...rest }: Tuning): Partial<Tuning> {
  return rest
}

const parts = ['pools', 'tuning', 'network'] as const

/** The parts of the settings that differ, by name. */
export function changedSettings(before: Settings, after: Settings): string[] {
  return parts.filter((part) => !isSame(before[part], after[part]))
}

/** Of plain values, field by field: runs on every poll, where texts to compare would cost ten times as much. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  for (const key in left) if (!isSame(left[key], right[key])) return false
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false
  return true
}
