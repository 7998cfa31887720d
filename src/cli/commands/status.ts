import type { FeedAge, Totals } from '#replication'
import type { FleetInfo, Peer, ServiceHealth } from '#rpc'
import type { CliCommand } from '../command.js'
import { isInDoubt } from '../doubt.js'
import { exit } from '../failure.js'
import { age, aligned, fixed, hashrate, power } from '../output.js'

interface Fleet {
  site: string
  simulated: boolean
  totals: Totals
}

interface Mesh {
  fleet: FleetInfo | null
  peers: Peer[]
}

export const status: CliCommand = {
  usage: '',
  summary: 'the site at a glance: totals, services',
  async run({ out, site }) {
    const client = await site()
    const [fleet, services, mesh, feeds] = await Promise.all([
      client.get<Fleet>('/api/v1/fleet'),
      client.get<{ data: ServiceHealth[] }>('/api/v1/services'),
      client.get<Mesh>('/api/v1/mesh'),
      client.get<{ data: FeedAge[] }>('/api/v1/feeds'),
    ])
    const broken = services.data.filter((service) => !service.ready)
    out.value(
      { url: client.url, ...fleet, services: services.data, mesh, feeds: feeds.data },
      summary({ fleet, services: services.data, mesh, feeds: feeds.data }, client.url, out.width),
    )
    return broken.length > 0 ? exit.failed : exit.ok
  },
}

export function totalsLines({ site, simulated, totals }: Fleet, url: string): string[] {
  const states = Object.entries(totals.byStatus).filter(([, count]) => count > 0)
  return [
    `site        ${site}${simulated ? ' (simulated devices)' : ''}  ${url}`,
    `devices     ${totals.devices}: ${states.map(([state, count]) => `${count} ${state}`).join(', ') || 'none'}`,
    `hashrate    ${hashrate(totals.hashrateThs)} of ${hashrate(totals.expectedHashrateThs)}`,
    `power       ${power(totals.powerW)}, ${fixed(totals.efficiencyJTh)} J/TH`,
    `errors      ${
      Object.entries(totals.errors)
        .filter(([, count]) => count > 0)
        .map(([severity, count]) => `${count} ${severity}`)
        .join(', ') || 'none'
    }`,
    `data        ${totals.newestAt === null ? 'none yet' : `newest ${age(totals.newestAt)}, oldest ${age(totals.oldestAt)}`}`,
  ]
}

/** Nothing of a fleet where there is none. */
function meshLines({ fleet, peers }: Mesh): string[] {
  if (!fleet) return []
  const relayed = peers.filter((peer) => peer.relayed).length
  const rtts = peers.flatMap(({ rttMs }) => rttMs ?? [])
  const ways = peers.length === 0 ? '' : ` (${peers.length - relayed} direct, ${relayed} relayed)`
  const slowest = rtts.length === 0 ? '' : `, slowest ${fixed(Math.max(...rtts))} ms`
  return [
    `fleet       ${fleet.name} as ${fleet.role}: ${fleet.members} members, ${peers.length} peers${ways}${slowest}`,
  ]
}

/** Of the workers that nobody is connected with who has their feeds. */
function awayLines(feeds: readonly FeedAge[]): string[] {
  return feeds
    .filter(({ connections, problem }) => connections === 0 || problem !== undefined)
    .map(({ site, worker, at, problem }) => {
      const heard = at === null ? 'never heard of' : `last heard ${age(at)} ago`
      return `away        ${site}/${worker}: ${heard}${problem === undefined ? '' : `; ${problem}`}`
    })
}

interface Parts {
  readonly fleet: Fleet
  readonly services: readonly ServiceHealth[]
  readonly mesh: Mesh
  readonly feeds: readonly FeedAge[]
}

function summary({ fleet, services, mesh, feeds }: Parts, url: string, width: number): string {
  return [
    ...totalsLines(fleet, url),
    ...awayLines(feeds),
    ...meshLines(mesh),
    ...(isInDoubt(mesh.fleet, services)
      ? ['record      in doubt: it waits for a peer before it writes; if there is none: miningsdk fleet trust-copy']
      : []),
    '',
    ...aligned(
      services,
      [
        { title: 'service', get: (service) => service.name },
        { title: 'kind', get: (service) => service.kind },
        { title: 'state', get: (service) => service.state },
        { title: 'ready', get: (service) => (service.ready ? 'yes' : 'no') },
        { title: 'restarts', get: (service) => service.restarts, align: 'right' },
        { title: 'since', get: (service) => age(service.since), align: 'right' },
        { title: 'why', get: (service) => service.reason ?? service.lastError },
      ],
      width,
    ),
  ].join('\n')
}
