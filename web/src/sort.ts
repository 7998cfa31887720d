import type { Metric } from '#model'
import type { DeviceRow } from './client.js'
import { modelOf, nameOf } from './filter.js'
import { share } from './format.js'
import { statusOrder, worst } from './status.js'

type Key = string | number | null | undefined

const metric =
  (name: Metric) =>
  (record: DeviceRow): Key =>
    record.metrics[name]

/** What each column sorts by. */
const keys: Record<string, (record: DeviceRow) => Key> = {
  name: (record) => natural(nameOf(record)),
  status: (record) => statusOrder.indexOf(record.status),
  model: (record) => natural(modelOf(record)),
  address: (record) => natural(record.address),
  worker: (record) => record.worker,
  firmware: (record) => record.firmware.version,
  location: (record) => natural(Object.values(record.location).join('/')) || null,
  errors: (record) => worst(record.errors) * 100 + record.errors.length,
  at: (record) => record.at,
  performance: (record) =>
    share(record.metrics.hashrateThs, record.metrics.expectedHashrateThs ?? record.metrics.nominalHashrateThs),
  hashrate: metric('hashrateThs'),
  power: metric('powerW'),
  efficiency: metric('efficiencyJTh'),
  boardTemp: metric('boardTempMaxC'),
  chipTemp: metric('chipTempMaxC'),
  fan: metric('fanMaxRpm'),
  uptime: metric('uptimeS'),
  reject: metric('poolRejectPct'),
}

export const sortable = (column: string): boolean => Object.hasOwn(keys, column)

/**
 * The records in the order of `sort` (a column, `-` in front for descending). What is not known comes last both ways; equal ones keep
 * the order of their ids, so that rows do not swap places from one update to the next.
 */
export function sorted(records: readonly DeviceRow[], sort: string): DeviceRow[] {
  const down = sort.startsWith('-')
  const keyOf = keys[down ? sort.slice(1) : sort] ?? keys.name!
  const sign = down ? -1 : 1
  const entries = records.map((record) => ({ record, key: keyOf(record) ?? null }))
  entries.sort((a, b) => {
    if (a.key === b.key) return a.record.id < b.record.id ? -1 : 1
    if (a.key === null) return 1
    if (b.key === null) return -1
    return (a.key < b.key ? -1 : 1) * sign
  })
  return entries.map(({ record }) => record)
}

/** The next state of a column's header: ascending, descending, ascending ... Numbers start with the largest. */
export function nextSort(sort: string, column: string, numeric: boolean): string {
  if (sort === column) return `-${column}`
  if (sort === `-${column}`) return column
  return numeric ? `-${column}` : column
}

const remembered = new Map<string, string>()
const rememberedMax = 50_000

/** Text so that `c2` sorts before `c10` and `10.0.0.9` before `10.0.0.10`. */
function natural(text: string): string {
  let key = remembered.get(text)
  if (key === undefined) {
    if (remembered.size >= rememberedMax) remembered.clear()
    key = text.toLowerCase().replace(/\d+/g, (number) => number.padStart(8, '0'))
    remembered.set(text, key)
  }
  return key
}
