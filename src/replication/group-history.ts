import { countedKind, type DeviceRecord, fields, type Kind, type Metric, SdkError } from '#model'
import { Crowded, isTooEarly } from './crowded.js'
import { intervalsOf } from './history.js'
import { matcher } from './match.js'
import { joinedMisses } from './missing.js'
import { grouped } from './totals.js'
import {
  type FleetView,
  type HistoryQuery,
  type Missing,
  type Reader,
  type Series,
  type Span,
  stepMs,
} from './types.js'

type Query = Parameters<FleetView['groupHistory']>[0]
type Read = (query: HistoryQuery) => Promise<Series>

/** Values that one answer may be made of; what is beyond would hold up everything else. */
const maxValues = 50_000_000
const readsAtOnce = 16
const wholeFleet = 'all'
/** So much of a feed's groups is read at once, about a table of them: a year in rows of five minutes would be 100,000 of each group. */
const stretchMs = 30 * stepMs['1d']

/** What the devices of a group make together, per interval: added up, averaged or the highest. */
class Combined {
  readonly #metrics: readonly Metric[]
  readonly #counted: readonly (Kind | undefined)[]
  readonly #values: Float64Array[]
  readonly #counts: Uint32Array[]

  /** `kinds` are those of the group: of some metrics only the values of one kind count. */
  constructor(metrics: readonly Metric[], points: number, kinds: ReadonlySet<Kind>) {
    this.#metrics = metrics
    this.#counted = metrics.map((name) => countedKind(name, (kind) => kinds.has(kind)))
    this.#values = metrics.map(() => new Float64Array(points))
    this.#counts = metrics.map(() => new Uint32Array(points))
  }

  add({ series }: Series, kind: Kind): void {
    this.#metrics.forEach((name, index) => {
      if ((this.#counted[index] ?? kind) !== kind) return
      const max = fields[name].group === 'max'
      const values = this.#values[index]!
      const counts = this.#counts[index]!
      series[name]?.forEach((value, point) => {
        if (value === null) return
        values[point] =
          max && counts[point]! > 0 ? Math.max(values[point]!, value) : max ? value : values[point]! + value
        counts[point]!++
      })
    })
  }

  /** Null where nobody reported, in a last interval that is `running` and heard too early, and for metrics that do not combine. */
  column(name: Metric, running = false): (number | null)[] {
    const index = this.#metrics.indexOf(name)
    const { group } = fields[name]
    const counts = this.#counts[index]!
    const last = counts.length - 1
    return Array.from(this.#values[index]!, (value, point) => {
      const count = counts[point]!
      if (count === 0 || group === 'none') return null
      if (running && point === last && isTooEarly(count, counts[point - 1])) return null
      return group === 'mean' ? value / count : value
    })
  }
}

/**
 * The history of groups at a step, from what they made together in each five minutes: sums and means are averaged over the step, counters
 * show the last of it, maxima the highest. Undefined if some of what is asked for is not kept like that: a step that is shorter, other
 * groups, a filter that cuts through them.
 */
export async function readCrowdGroups(
  { groupBy, filter = {}, metrics, from, to, step }: Query,
  readers: readonly Reader[],
  now: number,
): Promise<{ key: string; series: Series }[] | undefined> {
  const length = stepMs[step]
  const by = groupBy === 'model' || groupBy === 'container' ? groupBy : 'all'
  const dimension = groupBy === 'model' || groupBy === 'container' ? [groupBy] : []
  const known = new Set<string>(['site', 'worker', 'kind', ...dimension])
  const cut = Object.entries(filter).some(([name, value]) => value !== undefined && !known.has(name))
  if (length < stepMs['5m'] || cut || groupBy === 'rack' || groupBy === 'tag') return undefined
  const among = (list: readonly string[] | undefined, value: string) => !list || list.includes(value)
  const at = intervalsOf(from, to, length)
  const asked = [...new Set(metrics)]
  const end = at.length === 0 ? from : at.at(-1)! + length
  const groups = new Map<string, Crowded>()
  const groupOf = (key: string): Crowded => {
    let group = groups.get(key)
    if (!group) {
      group = new Crowded(asked, at, length, now)
      groups.set(key, group)
    }
    return group
  }
  const fits = matcher(filter)
  const missing: Missing[] = []
  const asking = readers.filter(({ site, worker }) => among(filter.site, site) && among(filter.worker, worker))
  const stretches = stretchesOf(at[0] ?? from, end)
  for (const { reader, stretch } of asking.flatMap((reader) => stretches.map((stretch) => ({ reader, stretch })))) {
    const crowds = await reader.crowds?.({ by, metrics: asked, ...stretch })
    if (!crowds) return undefined
    missing.push(...crowds.missing)
    // Of whom nothing can be read, they still are there, and all of it is a gap.
    if (groupBy && crowds.missing.length > 0)
      for (const [key] of grouped(groupBy, reader.records().filter(fits))) groupOf(key)
    for (const row of crowds.rows) {
      if (!among(filter.kind, row.kind)) continue
      if (groupBy && dimension.length > 0 && !among(filter[groupBy as 'model' | 'container'], row.key)) continue
      const key =
        groupBy === 'site' ? reader.site : groupBy === 'worker' ? reader.worker : groupBy ? row.key : wholeFleet
      groupOf(key).add(row)
    }
  }
  if (!groupBy) groupOf(wholeFleet)
  const said = saidMissing(missing, { from, to })
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, group]) => {
      const series = Object.fromEntries(asked.map((name) => [name, group.column(name)]))
      return { key, series: { from, to, step, at, series, ...said } }
    })
}

/** One after the other, the last one maybe shorter. */
function stretchesOf(from: number, end: number): Span[] {
  const count = Math.max(1, Math.ceil((end - from) / stretchMs))
  return Array.from({ length: count }, (_, index) => {
    const begin = from + index * stretchMs
    return { from: begin, to: Math.min(begin + stretchMs, end) - 1 }
  })
}

function saidMissing(missing: Iterable<Missing>, span: Span): Pick<Series, 'missing'> {
  const all = joinedMisses(missing, span)
  return all.length > 0 ? { missing: all } : {}
}

/**
 * The history of groups at a step. Efficiency is that of the group: power over hashrate, of the devices that report both. Throws TOO_LARGE if
 * it would take too many values.
 */
export async function readGroups(
  query: Query,
  records: readonly DeviceRecord[],
  read: Read,
  now: number,
): Promise<{ key: string; series: Series }[]> {
  const { from, to, step, metrics } = query
  const at = intervalsOf(from, to, stepMs[step])
  const asked = [
    ...new Set([...metrics, ...(metrics.includes('efficiencyJTh') ? (['powerW', 'hashrateThs'] as const) : [])]),
  ]
  if (at.length * asked.length * records.length > maxValues) {
    throw new SdkError(
      'TOO_LARGE',
      'too many devices and points; ask for fewer devices, a shorter span or a longer step',
    )
  }
  const groups: [string, DeviceRecord[]][] = query.groupBy
    ? grouped(query.groupBy, records)
    : [[wholeFleet, [...records]]]
  const made = groups.map(([key, members]) => {
    const kinds = new Set(members.map(({ kind }) => kind))
    const [all, both] = [new Combined(asked, at.length, kinds), new Combined(asked, at.length, kinds)]
    return { key, all, both, missing: [] as Missing[] }
  })
  const memberships = new Map<string, { kind: Kind; ofGroups: number[] }>()
  groups.forEach(([, members], group) => {
    for (const { id, kind } of members) {
      const known = memberships.get(id)
      if (known) known.ofGroups.push(group)
      else memberships.set(id, { kind, ofGroups: [group] })
    }
  })
  const left = [...memberships]
  const readNext = async () => {
    for (let next = left.pop(); next; next = left.pop()) {
      const [deviceId, { kind, ofGroups }] = next
      const series = await read({ deviceId, metrics: asked, from, to, step })
      const paired = onlyPairs(series)
      for (const group of ofGroups) {
        made[group]!.all.add(series, kind)
        made[group]!.both.add(paired, kind)
        if (series.missing) made[group]!.missing.push(...series.missing)
      }
    }
  }
  await Promise.all(Array.from({ length: readsAtOnce }, readNext))
  const running = (at.at(-1) ?? to) + stepMs[step] > now
  return made.map(({ key, all, both, missing }) => {
    const column = (name: Metric) =>
      name === 'efficiencyJTh' ? ratio(both.column('powerW'), both.column('hashrateThs')) : all.column(name, running)
    const series = Object.fromEntries(metrics.map((name) => [name, column(name)]))
    return { key, series: { from, to, step, at, series, ...saidMissing(missing, { from, to }) } }
  })
}

/** Power and hashrate where both are known. */
function onlyPairs({ series, ...rest }: Series): Series {
  const { powerW = [], hashrateThs = [] } = series
  const known = (point: number) => powerW[point] != null && hashrateThs[point] != null
  return {
    ...rest,
    series: {
      powerW: powerW.map((value, point) => (known(point) ? value : null)),
      hashrateThs: hashrateThs.map((value, point) => (known(point) ? value : null)),
    },
  }
}

function ratio(over: readonly (number | null)[], under: readonly (number | null)[]): (number | null)[] {
  return over.map((value, point) => {
    const by = under[point] ?? null
    return value === null || by === null || by === 0 ? null : value / by
  })
}
