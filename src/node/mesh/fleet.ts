import { fingerprintOf, type Held, type Key, roles } from '#keys'
import { type Clock, defined } from '#model'
import { type FleetRecord, type Reason, reasons } from '#replication'
import type { FleetInfo, fleetContract, Handlers, Member, Peer } from '#rpc'
import type { Network, PlaceDiagnosis } from '../network/index.js'
import type { Membership } from './membership.js'
import type { RefusedBook } from './refused.js'

export interface FleetParts {
  readonly membership: Membership
  readonly own: Key
  readonly record: FleetRecord
  readonly network: Network
  readonly clock: Clock
  /** What another member says of itself. */
  ask(key: Key): Promise<FleetInfo>
  held(): Held
  /** How often somebody was turned away here, by reason. */
  refusals(): Readonly<Record<string, number>>
  /** Who was turned away here. */
  readonly refused: Pick<RefusedBook, 'list'>
}

/** Less is the way of the question, and harms nothing. */
const clockDifferenceMs = 10_000

/** What every member tells of the fleet, from its own copy of the record and its own connections. */
export function fleetHandlers({
  membership,
  own,
  record,
  network,
  clock,
  ask,
  held,
  refusals,
  refused,
}: FleetParts): Handlers<(typeof fleetContract)['methods']> {
  const memberOf = ({ key, name, grant, at, revoked }: ReturnType<FleetRecord['members']>[number]): Member => ({
    key,
    fingerprint: fingerprintOf(key),
    name,
    role: grant.role,
    scope: grant.scope ?? roles[grant.role].scope,
    sites: grant.sites ?? null,
    ...defined({ libraries: grant.libraries, devices: grant.devices }),
    until: grant.until ?? null,
    addedAt: at,
    revoked,
    connected: key === own || network.peer(key) !== undefined,
  })
  const peers = (): Peer[] =>
    network.peers().map(({ key, via, rttMs, since, remoteHost, remotePort }) => {
      const member = record.member(key)
      return {
        key,
        fingerprint: fingerprintOf(key),
        name: member?.name ?? null,
        role: member?.grant.role ?? null,
        relayed: via === 'relayed',
        rttMs,
        since,
        address: remoteHost === null ? null : `${remoteHost}:${remotePort}`,
      }
    })

  /** A clock that differs makes grants count too early or too late. */
  const clockOf = async (found: { key: Key; state: string } | undefined): Promise<string[]> => {
    if (found?.state !== 'connected') return []
    const askedAt = clock.now()
    const info = await ask(found.key).catch(() => undefined)
    const aheadMs = info ? info.now - (askedAt + clock.now()) / 2 : 0
    if (Math.abs(aheadMs) < clockDifferenceMs) return []
    return [`its clock is ${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ours`]
  }

  return {
    describe: () => ({
      name: membership.name,
      fleet: membership.fleet,
      key: own,
      role: held().role,
      epoch: record.topic?.epoch ?? 0,
      now: clock.now(),
      members: record.members().filter(({ revoked }) => !revoked).length,
      services: record.services().length,
      currentAt: record.currentAt,
      refusals: refusals(),
    }),
    members: () => record.members().map(memberOf),
    peers,
    services: () =>
      record.services().map(({ member, name, kind, site, version, at }) => ({
        node: member,
        name,
        kind,
        site: site ?? '',
        version: version ?? null,
        announcedAt: at,
        connected: member === own || network.peer(member) !== undefined,
      })),
    invites: async () =>
      (await record.invites()).map(({ id, role, sites, state, at, until, usedBy }) => ({
        id,
        role,
        sites: sites ? [...sites] : null,
        state,
        createdAt: at,
        expiresAt: until,
        usedBy: usedBy === undefined ? null : (record.member(usedBy)?.name ?? fingerprintOf(usedBy)),
      })),
    refused: (query) => refused.list(query),
    async notTaken() {
      const ofLog = new Map(record.members().flatMap(({ key, writers }) => writers.map((log) => [log, key])))
      return Object.entries(await record.refused()).map(([reason, { count, last }]) => ({
        reason,
        why: reasons[reason as Reason],
        count,
        at: last.at ?? null,
        op: last.op ?? null,
        log: last.log,
        key: ofLog.get(last.log) ?? null,
      }))
    },
    recordAudit: async (query) =>
      (await record.audit(query)).map(({ at, op, by, about }) => ({ at, op, by: by ?? null, about })),
    async diagnose({ key }) {
      const { places, key: found } = await network.diagnose(key)
      return {
        key: key ?? own,
        reachable: found ? found.state === 'connected' || found.state === 'self' : places.some(({ online }) => online),
        why: [...(found ? [found.words] : []), ...(await clockOf(found)), ...places.map(inWords)],
      }
    },
  }
}

/** Where this node is in a DHT, for a person. */
function inWords({ place, bound, seenAs, nat, nodes, bootstrap }: PlaceDiagnosis): string {
  const silent = bootstrap.filter(({ ms }) => ms === null).map(({ address }) => address)
  const name = place === 'site' ? "the site's own DHT" : 'the DHT'
  return [
    `in ${name}: bound to ${bound ?? 'nothing'}, seen as ${seenAs ?? 'unknown'}, NAT ${nat}, ${nodes} nodes known`,
    ...(silent.length > 0 ? [`no answer from ${silent.join(', ')}`] : []),
  ].join('; ')
}
