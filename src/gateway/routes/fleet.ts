import { type DeviceFilter, Type } from '#model'
import { filterOf } from '../query.js'
import { ownNode } from '../reach.js'
import { route } from '../route.js'
import { seenBy } from '../sight.js'
import { filterQuery, listOf, nullable, strict, TotalsSchema } from './shapes.js'

const GroupSchema = Type.Object({ key: Type.String(), totals: TotalsSchema })

export const FleetSchema = Type.Object({
  site: Type.String(),
  at: Type.Number(),
  totals: TotalsSchema,
  groups: Type.Optional(Type.Array(GroupSchema)),
  /** Some or all of the devices are simulated. */
  simulated: Type.Boolean(),
})

/** When the newest word of it was written, ms, and how long ago that is; null: nothing is here. */
const age = { at: nullable(Type.Number()), ageMs: nullable(Type.Number()) }

const FeedAgeSchema = Type.Object({
  worker: Type.String(),
  site: Type.String(),
  devices: Type.Integer(),
  ...age,
  /** Peers that it is exchanged with now; null: it is this node's own. */
  connections: nullable(Type.Integer()),
  /** Blocks that are known to be there and are not here yet. */
  behind: Type.Integer(),
  problem: Type.Optional(Type.String()),
})

export const groupByQuery = Type.Enum(['site', 'container', 'rack', 'model', 'worker', 'tag'])

export const fleetRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/fleet',
    group: 'fleet',
    scope: 'read',
    summary: 'Totals of the fleet, or of the devices of a filter, and of its groups',
    query: Type.Object({ ...filterQuery, groupBy: Type.Optional(groupByQuery) }, strict),
    reply: FleetSchema,
    handle(gateway, { query, caller }) {
      const sight = seenBy(gateway.fleet, caller)
      const filter: DeviceFilter = filterOf(query)
      const totals = sight.totals(filter)
      return {
        site: gateway.site,
        at: gateway.clock.now(),
        totals,
        ...(query.groupBy ? { groups: sight.groups(query.groupBy, filter) } : {}),
        simulated: gateway.demo || totals.simulated > 0,
      }
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/sites',
    group: 'fleet',
    scope: 'read',
    summary: 'The sites, each with its totals and how old the newest word of it is that is here',
    reply: listOf(Type.Object({ site: Type.String(), totals: TotalsSchema, ...age })),
    handle({ fleet, clock }, { caller }) {
      const sight = seenBy(fleet, caller)
      const feeds = sight.feeds()
      return {
        data: sight.groups('site').map(({ key, totals }) => {
          const times = feeds.flatMap(({ site, at }) => (site === key && at !== null ? at : []))
          const at = times.length > 0 ? Math.max(...times) : null
          return { site: key, totals, at, ageMs: at === null ? null : Math.max(0, clock.now() - at) }
        }),
      }
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/feeds',
    group: 'fleet',
    scope: 'read',
    summary:
      'Where the data comes from: the feed of each worker, how current it is here, and how much of it is missing',
    reply: listOf(FeedAgeSchema),
    handle: ({ fleet }, { caller }) => ({ data: seenBy(fleet, caller).feeds() }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/node',
    group: 'fleet',
    scope: 'read',
    summary: 'The node behind this address: site, version, mode, since when it runs, whether it is the demo',
    reply: Type.Object({
      site: Type.String(),
      version: Type.String(),
      demo: Type.Boolean(),
      mode: Type.String(),
      startedAt: Type.Number(),
      /** By the clock of the site, ms: pages tell ages by it. */
      at: Type.Number(),
    }),
    async handle(gateway) {
      const { site, demo, clock, startedAt } = gateway
      const here = await ownNode(gateway)
      return {
        site,
        version: here?.version ?? 'unknown',
        demo: here?.demo ?? demo,
        mode: here?.mode ?? 'unknown',
        startedAt: here?.startedAt ?? startedAt,
        at: clock.now(),
      }
    },
  }),
]
