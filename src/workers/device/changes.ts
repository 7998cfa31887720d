import type { DeviceRecord, Event, Pool, Tuning } from '#model'
import { errorKey } from './record.js'
import { isSame } from './same.js'

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

/** Whether the parts of two records that settings are made of are the same: then nothing needs to be made and compared. */
export function hasSameSettings(before: DeviceRecord, after: DeviceRecord): boolean {
  return (
    before.tuning === after.tuning && before.network === after.network && arePoolsSetAlike(before.pools, after.pools)
  )
}

/** In all that `settingsOf` takes of them: what they counted since is no setting. */
function arePoolsSetAlike(before: readonly Pool[], after: readonly Pool[]): boolean {
  if (before === after) return true
  if (before.length !== after.length) return false
  for (let at = 0; at < after.length; at++) {
    const [old, now] = [before[at]!, after[at]!]
    if (old.url !== now.url || old.user !== now.user || old.index !== now.index) return false
    if ((old.priority ?? null) !== (now.priority ?? null) || old.devFee !== now.devFee) return false
  }
  return true
}

const parts = ['pools', 'tuning', 'network'] as const

/** The parts of the settings that differ, by name. */
export function changedSettings(before: Settings, after: Settings): string[] {
  return parts.filter((part) => !isSame(before[part], after[part]))
}
