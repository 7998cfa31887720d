import type { DeviceRecord, Metrics } from '#model'
import { type Metric, metricNames } from '#model'
import {
  type HistoryQuery,
  type LocalStore,
  openStore,
  type Series,
  type Store,
  type StoreLimits,
  type StoreOptions,
  stepMs,
} from '#replication'

export const start = 1_800_000_000_000
export const intervalMs = 10_000

/** A device that was read at `at`. */
export function record(
  id: string,
  at: number | null,
  metrics: Metrics = {},
  rest: Partial<DeviceRecord> = {},
): DeviceRecord {
  return {
    id,
    kind: 'miner',
    make: 'MicroBT',
    model: 'M56S',
    firmware: { family: 'stock', version: '1' },
    site: 'home',
    worker: 'wm',
    address: '10.0.0.1:4028',
    tags: [],
    location: {},
    simulated: true,
    status: 'mining',
    health: 'ok',
    at,
    askedAt: at,
    metrics,
    boards: [],
    fans: [],
    pools: [],
    errors: [],
    missing: {},
    capabilities: [],
    ...rest,
  }
}

interface Closing {
  teardown(close: () => unknown): void
}

/** A store that is closed with the test, if it still is open. */
export async function open(
  t: Closing,
  path: string,
  limits: Partial<StoreLimits> = {},
  rest: Partial<StoreOptions> = {},
): Promise<Store> {
  const store = await openStore({ path, worker: 'wm', site: 'home', intervalMs, limits, ...rest })
  t.teardown(() => store.close())
  return store
}

/** Gives finished segments the ticks they need to become chunks, and full volumes those that they need to become days. */
export async function tidy(store: LocalStore, count = 8): Promise<void> {
  for (let round = 0; round < count; round++) {
    await store.append({ at: 0, records: [] })
    await store.getDocument('none')
    while (store.stats().merging) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** What history has to be: every sample by device and time, the last word counts. */
export class Naive {
  readonly #samples = new Map<string, Map<number, Metrics>>()

  add(record: DeviceRecord): void {
    if (record.at === null) return
    const samples = this.#samples.get(record.id) ?? new Map<number, Metrics>()
    this.#samples.set(record.id, samples.set(record.at, record.metrics))
  }

  #sorted(id: string): [number, Metrics][] {
    return [...(this.#samples.get(id) ?? [])].sort(([a], [b]) => a - b)
  }

  raw({
    deviceId,
    metrics,
    from,
    to,
  }: Pick<HistoryQuery, 'deviceId' | 'metrics' | 'from' | 'to'>): Pick<Series, 'at' | 'series'> {
    const rows: [number, Metrics][] = []
    for (const [at, values] of this.#sorted(deviceId)) {
      if (at < from || at > to) continue
      const last = rows.at(-1)?.[0]
      if (last !== undefined && at - last > 3 * intervalMs) rows.push([last + intervalMs, {}])
      rows.push([at, values])
    }
    const column = (name: Metric) => rows.map(([, values]) => values[name] ?? null)
    return { at: rows.map(([at]) => at), series: Object.fromEntries(metrics.map((name) => [name, column(name)])) }
  }

  steps({
    deviceId,
    metrics,
    from,
    to,
    step,
  }: HistoryQuery & { step: keyof typeof stepMs }): Pick<Series, 'at' | 'series'> {
    const length = stepMs[step]
    const at: number[] = []
    for (let time = Math.floor(from / length) * length; time < to; time += length) at.push(time)
    const samples = this.#sorted(deviceId)
    const column = (name: Metric) =>
      at.map((begin) => {
        const known = samples
          .filter(([time]) => time >= begin && time < begin + length)
          .map(([, values]) => values[name])
          .filter((value): value is number => value != null)
        if (known.length === 0) return null
        return lastOnes.has(name) ? known.at(-1)! : known.reduce((sum, value) => sum + value, 0) / known.length
      })
    return { at, series: Object.fromEntries(metrics.map((name) => [name, column(name)])) }
  }
}

const lastOnes = new Set<Metric>([
  'uptimeS',
  'miningUptimeS',
  'acceptedShares',
  'rejectedShares',
  'staleShares',
  'hwErrors',
  'bestShare',
])

/** Undefined if the two agree up to the dust of adding in another order; else what differs. */
export function difference(
  actual: Pick<Series, 'at' | 'series'>,
  expected: Pick<Series, 'at' | 'series'>,
): string | undefined {
  if (actual.at.join() !== expected.at.join()) return `at: ${actual.at} instead of ${expected.at}`
  for (const name of metricNames) {
    const [left, right] = [actual.series[name] ?? [], expected.series[name] ?? []]
    if (left.length !== right.length) return `${name}: ${left.length} points instead of ${right.length}`
    for (let point = 0; point < left.length; point++) {
      const [a, b] = [left[point] ?? null, right[point] ?? null]
      const equal =
        a === null || b === null ? a === b : Math.abs(a - b) <= 1e-9 * Math.max(1e-9, Math.abs(a), Math.abs(b))
      if (!equal) return `${name} at ${actual.at[point]}: ${a} instead of ${b}`
    }
  }
  return undefined
}
