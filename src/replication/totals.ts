import { countedKind, type DeviceRecord, isLive, type Kind } from '#model'
import type { GroupBy, Totals } from './types.js'

/**
 * Sums over the live ones among these records as they are shown now. What nobody reports is null, not 0. Hashrate and power are those of
 * the first kind that is among them (fields.ts `firstOf`): miners, else containers, else meters or pools; nothing is counted twice.
 */
export function totalsOf(devices: Iterable<DeviceRecord>): Totals {
  const records = Array.isArray(devices) ? (devices as DeviceRecord[]) : [...devices]
  const present = new Set<Kind>()
  for (const { kind } of records) present.add(kind)
  const counts = (kind: Kind | undefined) => (record: DeviceRecord) => kind === undefined || record.kind === kind
  const hashing = counts(countedKind('hashrateThs', (kind) => present.has(kind)))
  const drawing = counts(countedKind('powerW', (kind) => present.has(kind)))
  const totals: Totals = {
    devices: 0,
    live: 0,
    byKind: {},
    byStatus: {},
    byHealth: {},
    hashrateThs: null,
    expectedHashrateThs: null,
    nominalHashrateThs: null,
    powerW: null,
    containerPowerW: null,
    sitePowerW: null,
    efficiencyJTh: null,
    reporting: { hashrateThs: 0, powerW: 0 },
    boardTempMaxC: null,
    chipTempMaxC: null,
    errors: {},
    oldestAt: null,
    newestAt: null,
    simulated: 0,
  }
  const both = { powerW: 0, hashrateThs: 0 }
  for (const record of records) {
    totals.devices++
    count(totals.byKind, record.kind)
    count(totals.byStatus, record.status)
    count(totals.byHealth, record.health)
    if (record.simulated) totals.simulated++
    if (!isLive(record.status)) continue
    totals.live++
    const { expectedHashrateThs, nominalHashrateThs, sitePowerW, boardTempMaxC, chipTempMaxC } = record.metrics
    const hashrateThs = hashing(record) ? record.metrics.hashrateThs : null
    const powerW = drawing(record) ? record.metrics.powerW : null
    totals.hashrateThs = plus(totals.hashrateThs, hashrateThs)
    if (hashing(record)) {
      totals.expectedHashrateThs = plus(totals.expectedHashrateThs, expectedHashrateThs)
      totals.nominalHashrateThs = plus(totals.nominalHashrateThs, nominalHashrateThs)
    }
    totals.powerW = plus(totals.powerW, powerW)
    if (record.kind === 'container') totals.containerPowerW = plus(totals.containerPowerW, record.metrics.powerW)
    totals.sitePowerW = plus(totals.sitePowerW, sitePowerW)
    totals.boardTempMaxC = highest(totals.boardTempMaxC, boardTempMaxC)
    totals.chipTempMaxC = highest(totals.chipTempMaxC, chipTempMaxC)
    if (hashrateThs != null) totals.reporting.hashrateThs++
    if (powerW != null) totals.reporting.powerW++
    if (hashrateThs != null && powerW != null) {
      both.hashrateThs += hashrateThs
      both.powerW += powerW
    }
    for (const { severity } of record.errors) count(totals.errors, severity)
    if (record.at === null) continue
    totals.oldestAt = totals.oldestAt === null ? record.at : Math.min(totals.oldestAt, record.at)
    totals.newestAt = highest(totals.newestAt, record.at)
  }
  if (both.hashrateThs > 0) totals.efficiencyJTh = both.powerW / both.hashrateThs
  return totals
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1
}

function plus(sum: number | null, value: number | null | undefined): number | null {
  return value == null ? sum : (sum ?? 0) + value
}

function highest(max: number | null, value: number | null | undefined): number | null {
  if (value == null) return max
  return max === null ? value : Math.max(max, value)
}

/**
 * The groups a device belongs to: one, or one a tag. Racks are told apart by container (`c1/2`). What has no such place is in the group ''.
 */
export const groupKeys: Record<GroupBy, (record: DeviceRecord) => readonly string[]> = {
  site: ({ site }) => [site],
  worker: ({ worker }) => [worker],
  model: ({ model }) => [model ?? ''],
  container: ({ location }) => [location.container ?? ''],
  rack: ({ location: { container, rack } }) => [
    rack === undefined ? '' : container === undefined ? `${rack}` : `${container}/${rack}`,
  ],
  tag: ({ tags }) => (tags.length === 0 ? [''] : [...new Set(tags)]),
}

/** The records of each group, groups in the order of their keys. */
export function grouped(by: GroupBy, records: Iterable<DeviceRecord>): [string, DeviceRecord[]][] {
  const groups = new Map<string, DeviceRecord[]>()
  for (const record of records) {
    for (const key of groupKeys[by](record)) {
      const members = groups.get(key)
      if (members) members.push(record)
      else groups.set(key, [record])
    }
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}
