import test from 'brittle'
import { countedKind, fields, type Kind, type Metric } from '#model'
import { type CrowdRow, fleetView, type Reader, type Step, stepMs } from '#replication'
import { Crowded } from '../../src/replication/crowded.js'
import { showsLast } from '../../src/replication/rollup.js'

const five = stepMs['5m']
const day = stepMs['1d']
const first = Math.floor(1_800_000_000_000 / day) * day
const metrics = ['hashrateThs', 'powerW', 'chipTempMaxC', 'fanDutyPct', 'acceptedShares', 'efficiencyJTh'] as const
const kinds: readonly Kind[] = ['miner', 'powermeter']

/** The same numbers in every run. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** What one feed says, with gaps, of all kinds. */
function rowsOf(seed: number, count: number): CrowdRow[] {
  const next = random(seed)
  return kinds.flatMap((kind) =>
    Array.from({ length: count }, (_, index): CrowdRow => {
      const counts = metrics.map(() => (next() < 0.2 ? 0 : 1 + Math.floor(next() * 3)))
      const values = metrics.map((_, metric) => (counts[metric] === 0 ? Number.NaN : Math.floor(next() * 1000)))
      const pairThs = next() < 0.3 ? 0 : 1 + Math.floor(next() * 10)
      const pairW = pairThs * 30
      return { kind, key: '', start: first + index * five, samples: 3, pairW, pairThs, values, counts }
    }).filter(() => next() > 0.2),
  )
}

/** From all rows at once: each five minutes of all feeds together, then those of a step. */
function naive(rows: readonly CrowdRow[], name: Metric, at: readonly number[], length: number, now: number) {
  const index = metrics.indexOf(name as (typeof metrics)[number])
  const paired = name === 'efficiencyJTh'
  const counted = countedKind(name, (kind) => rows.some((row) => row.kind === kind))
  const fives = new Map<number, { over: number; under: number; max: number }>()
  for (const row of rows) {
    const [over, under] = paired ? [row.pairW, row.pairThs] : [row.values[index]!, row.counts[index]!]
    if ((counted !== undefined && row.kind !== counted) || under === 0) continue
    const known = fives.get(row.start) ?? { over: 0, under: 0, max: Number.NEGATIVE_INFINITY }
    const max = Math.max(known.max, over)
    fives.set(row.start, { over: known.over + over, under: known.under + under, max })
  }
  for (const [start, { under }] of fives)
    if (!paired && start + five > now && under < (fives.get(start - five)?.under ?? 0)) fives.delete(start)
  return at.map((begin) => {
    const all = [...fives].filter(([start]) => start >= begin && start < begin + length).sort(([a], [b]) => a - b)
    const sum = (of: 'over' | 'under') => all.reduce((total, [, each]) => total + each[of], 0)
    if (all.length === 0) return null
    if (paired || fields[name].group === 'mean') return sum('over') / sum('under')
    if (fields[name].group === 'max') return Math.max(...all.map(([, { max }]) => max))
    return showsLast(name) ? all.at(-1)![1].over : sum('over') / all.length
  })
}

/** Feeds of which only the groups are asked, and how many rows they gave at most in one answer. */
function feeds(count: number, rowsEach: number) {
  const all = Array.from({ length: count }, (_, index) => rowsOf(index + 1, rowsEach))
  const seen = { most: 0, asked: 0 }
  const readers = all.map(
    (rows, index): Reader => ({
      worker: `w${index}`,
      site: 'home',
      intervalMs: 60_000,
      records: () => [],
      record: () => undefined,
      history: () => Promise.reject(new Error('no device is asked')),
      crowds: async (query) => {
        const place = (name: Metric) => metrics.indexOf(name as (typeof metrics)[number])
        const found = rows
          .filter(({ start }) => start >= query.from && start <= query.to)
          .map((row) => ({
            ...row,
            values: query.metrics.map((name) => row.values[place(name)]!),
            counts: query.metrics.map((name) => row.counts[place(name)]!),
          }))
        seen.asked++
        seen.most = Math.max(seen.most, found.length)
        return { rows: found, missing: [] }
      },
      events: async () => [],
      settings: async () => [],
      watch: () => () => {},
    }),
  )
  return { readers, rows: all.flat(), seen }
}

const near = (column: readonly (number | null)[]) => column.map((value) => value && Number(value.toFixed(6)))

test('groups in steps are what all of their five minutes make, of every kind and feed, also of the one that is not over', async (t) => {
  const { readers, rows } = feeds(3, 700)
  const end = first + 700 * five
  for (const now of [end + day, end - 1, end - 2 * five]) {
    const clock = { now: () => now, hr: () => 0, after: () => () => {} }
    const view = fleetView({ readers: () => readers }, { clock })
    for (const step of ['5m', '1h', '1d'] as const satisfies readonly Step[]) {
      const [group] = await view.groupHistory({ metrics, from: first, to: end, step })
      const { at, series } = group!.series
      for (const name of metrics)
        t.alike(near(series[name]!), near(naive(rows, name, at, stepMs[step], now)), `${name} in ${step}`)
    }
    view.close()
  }
})

test('a year of groups is read a stretch at a time, and nothing of it is held but its steps', async (t) => {
  const inYear = (365 * day) / five
  const { readers, rows, seen } = feeds(2, inYear)
  const now = first + 365 * day + 1
  const clock = { now: () => now, hr: () => 0, after: () => () => {} }
  const view = fleetView({ readers: () => readers }, { clock })
  const asked = ['hashrateThs'] as const
  const [group] = await view.groupHistory({ metrics: asked, from: first, to: first + 365 * day, step: '1d' })
  t.is(group?.series.at.length, 365)
  t.ok(seen.most <= (kinds.length * 31 * day) / five, `${seen.most} of ${rows.length} rows at once`)
  t.is(seen.asked, 2 * 13)
  const crowded = new Crowded(metrics, group!.series.at, day, now)
  for (const row of rows) crowded.add(row)
  t.ok(crowded.held <= readers.length * kinds.length * 2, `${crowded.held} rows are held as they are`)
  view.close()
})
