import { EventSchema, type Metric, metricNames, Type } from '#model'
import { type Digest, joinedMisses, type Series, type Step, stepMs } from '#replication'
import {
  badParameter,
  filterOf,
  parseSpan,
  parseTime,
  type RollupStep,
  rollupFor,
  stepFor,
  TimeSchema,
} from '../query.js'
import { route } from '../route.js'
import { seenBy } from '../sight.js'
import { groupByQuery } from './fleet.js'
import { filterQuery, IdParams, listOf, nullable, strict } from './shapes.js'

const rollups = Object.keys(stepMs) as RollupStep[]
const steps: readonly Step[] = ['raw', ...rollups]

const span = { from: Type.Optional(TimeSchema), to: Type.Optional(TimeSchema) }
const metrics = Type.Optional(Type.Array(Type.Enum(metricNames), { maxItems: 20 }))
const defaultMetrics = ['hashrateThs', 'powerW'] as const

const digestNames = ['min', 'max', 'mean', 'last', 'count'] as const satisfies readonly (keyof Digest)[]
type DigestName = (typeof digestNames)[number]
/** With digests an answer has at most so many points: each is up to five more numbers a metric. */
const digestPoints = 10_000

const columns = {
  at: Type.Array(Type.Number()),
  /** One column a metric; a gap is null. */
  series: Type.Record(Type.String(), Type.Array(nullable(Type.Number()))),
}
const axis = { from: Type.Number(), to: Type.Number(), step: Type.Enum(steps) }
/** What was stored of the span, and cannot be read now; absent if all could be read. */
const missing = Type.Optional(
  Type.Array(
    Type.Object({
      from: Type.Number(),
      to: Type.Number(),
      /** Whose feed it stands in. */
      worker: Type.String(),
      site: Type.String(),
      reason: Type.Enum(['absent', 'damaged'], {
        description: '`absent`: neither here nor with anybody who can be reached now; `damaged`: it makes no sense',
      }),
    }),
    { description: 'Stretches that were stored and cannot be read now, by feed; absent if all could be read' },
  ),
)
const limit = (maximum: number) => Type.Optional(Type.Integer({ minimum: 1, maximum }))

export const historyRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/devices/{id}/history',
    group: 'history',
    scope: 'read',
    summary: 'Metrics of one device over time; the last 24 h, at a step that suits the span, unless told otherwise',
    params: IdParams,
    query: Type.Object(
      {
        ...span,
        metrics,
        step: Type.Optional(Type.Enum(steps)),
        digest: Type.Optional(
          Type.Array(Type.Enum(digestNames), {
            maxItems: digestNames.length,
            description: 'What else is wanted of the samples of each interval, in `digests`; not with the step `raw`',
          }),
        ),
      },
      strict,
    ),
    reply: Type.Object({
      ...axis,
      ...columns,
      missing,
      /** By metric and digest, if they were asked for; an interval without a sample is null. */
      digests: Type.Optional(
        Type.Record(Type.String(), Type.Record(Type.String(), Type.Array(nullable(Type.Number())))),
      ),
    }),
    async handle({ fleet, clock }, { params, query, caller }) {
      const over = parseSpan(query, clock.now())
      const { digest } = query
      if (digest && query.step === 'raw') throw badParameter('digest', 'is of intervals; ask for a step other than raw')
      const found = await seenBy(fleet, caller).history({
        deviceId: params.id,
        metrics: query.metrics ?? defaultMetrics,
        ...over,
        step: query.step ?? (digest ? rollupFor(over) : stepFor(over)),
        ...(digest && { digests: true, maxPoints: digestPoints }),
      })
      const { from, to, step, at, missing } = found
      return {
        from,
        to,
        step,
        ...(missing && { missing: [...missing] }),
        at,
        series: found.series as Record<string, (number | null)[]>,
        ...(digest && { digests: digestColumns(found, digest) }),
      }
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/history',
    group: 'history',
    scope: 'read',
    summary: 'Metrics of all devices of a filter together, or of each group of them, over time',
    query: Type.Object(
      {
        ...filterQuery,
        ...span,
        metrics,
        step: Type.Optional(Type.Enum(rollups)),
        groupBy: Type.Optional(groupByQuery),
      },
      strict,
    ),
    reply: Type.Object({ ...axis, missing, data: Type.Array(Type.Object({ key: Type.String(), ...columns })) }),
    async handle({ fleet, clock }, { query, caller }) {
      const over = parseSpan(query, clock.now())
      const step = query.step ?? rollupFor(over)
      const groups = await seenBy(fleet, caller).groupHistory({
        ...(query.groupBy ? { groupBy: query.groupBy } : {}),
        filter: filterOf(query),
        metrics: query.metrics ?? defaultMetrics,
        ...over,
        step,
      })
      const data = groups.map(({ key, series: { at, series } }) => ({
        key,
        at,
        series: series as Record<string, (number | null)[]>,
      }))
      const gaps = joinedMisses(
        groups.flatMap(({ series }) => series.missing ?? []),
        over,
      )
      return { ...over, step, ...(gaps.length > 0 && { missing: gaps }), data }
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/events',
    group: 'history',
    scope: 'read',
    summary: 'What happened, newest first',
    query: Type.Object({ ...span, limit: limit(1000) }, strict),
    reply: listOf(EventSchema),
    handle: async ({ fleet, clock }, { query, caller }) => ({
      data: await seenBy(fleet, caller).events(eventSpan(query, clock.now())),
    }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/devices/{id}/events',
    group: 'history',
    scope: 'read',
    summary: 'What happened to one device, newest first',
    params: IdParams,
    query: Type.Object({ ...span, limit: limit(1000) }, strict),
    reply: listOf(EventSchema),
    handle: async ({ fleet, clock }, { params, query, caller }) => ({
      data: await seenBy(fleet, caller).events({ deviceId: params.id, ...eventSpan(query, clock.now()) }),
    }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/devices/{id}/settings',
    group: 'history',
    scope: 'read',
    summary: 'The settings of one device each time they changed, newest first',
    params: IdParams,
    query: Type.Object({ limit: limit(500) }, strict),
    reply: listOf(Type.Object({ at: Type.Number(), settings: Type.Unknown() })),
    handle: async ({ fleet }, { params, query, caller }) => ({
      data: await seenBy(fleet, caller).settings(params.id, query.limit),
    }),
  }),
]

function digestColumns({ at, series, digests = {} }: Series, names: readonly DigestName[]) {
  const columnsOf = (of: readonly (Digest | null)[] = []) =>
    Object.fromEntries(names.map((name) => [name, at.map((_, index) => of[index]?.[name] ?? null)]))
  return Object.fromEntries((Object.keys(series) as Metric[]).map((metric) => [metric, columnsOf(digests[metric])]))
}

/** Events have no default span: the newest are wanted, however old. */
function eventSpan(query: { from?: string; to?: string; limit?: number }, now: number) {
  const from = query.from === undefined ? undefined : parseTime(query.from, now, 'from')
  const to = query.to === undefined ? undefined : parseTime(query.to, now, 'to')
  if (from !== undefined && to !== undefined && from >= to) throw badParameter('from', 'must be before `to`')
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(query.limit === undefined ? {} : { limit: query.limit }),
  }
}
