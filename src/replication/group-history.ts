import { countedKind, type DeviceRecord, fields, type Kind, type Metric, SdkError } from '#model'
import { intervalsOf } from './history.js'
import { grouped } from './totals.js'
import { type FleetView, type HistoryQuery, type Series, stepMs } from './types.js'

type Query = Parameters<FleetView['groupHistory']>[0]
type Read = (query: HistoryQuery) => Promise<Series>

/** Values that one answer may be made of; what is beyond would hold up everything else. */
const maxValues = 50_000_000
const readsAtOnce = 16
const wholeFleet = 'all'

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

  /** Null where nobody reported, and for metrics that do not combine. */
  column(name: Metric): (number | null)[] {
    const index = this.#metrics.indexOf(name)
    const { group } = fields[name]
    return Array.from(this.#values[index]!, (value, point) => {
      const count = this.#counts[index]![point]!
      if (count === 0 || group === 'none') return null
      return group === 'mean' ? value / count : value
    })
  }
}

/**
 * The history of groups at a step. Efficiency is that of the group: power over hashrate, of the devices that report both. Throws TOO_LARGE if
 * it would take too many values.
 */
export async function readGroups(
  query: Query,
  records: readonly DeviceRecord[],
  read: Read,
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
    return { key, all: new Combined(asked, at.length, kinds), both: new Combined(asked, at.length, kinds) }
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
      }
    }
  }
  await Promise.all(Array.from({ length: readsAtOnce }, readNext))
  return made.map(({ key, all, both }) => {
    const column = (name: Metric) =>
      name === 'efficiencyJTh' ? ratio(both.column('powerW'), both.column('hashrateThs')) : all.column(name)
    return {
      key,
      series: { from, to, step, at, series: Object.fromEntries(metrics.map((name) => [name, column(name)])) },
    }
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
