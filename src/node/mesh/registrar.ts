import {
  encodeInvite,
  fingerprintOf,
  type Grant,
  type GrantFacts,
  inviteKeys,
  issueGrant,
  type Key,
  type KeyPair,
  keyOf,
  newInvite,
  roles,
  verifyGrant,
} from '#keys'
import { type Clock, defined, type ErrorCode, type Log, SdkError } from '#model'
import { type FleetEvent, type FleetRecord, type Intent, packDevices } from '#replication'
import type { AnnouncedService, Caller, Handlers, InviteRequest, registrar } from '#rpc'
import type { Network } from '../network/index.js'
import { claimsOf, conflictOf } from './claims.js'
import { type Admission, receive } from './door.js'
import { createGuests } from './guests.js'
import { afterwordMs, type InviteSeeds, type KeptInvite } from './invite-seeds.js'
import { checkLimits, needUnlimited } from './limits.js'
import type { Membership } from './membership.js'
import { orOwner, say } from './owner-word.js'
import { isEnrolProof } from './siblings.js'
import { upkeepHandlers } from './upkeep.js'

export interface RegistrarOptions {
  readonly record: FleetRecord
  readonly membership: Membership
  /** Who this node is. */
  readonly keyPair: KeyPair
  /** What this node itself holds: it can give no more. */
  readonly grant: Grant
  readonly network: Network
  readonly seeds: InviteSeeds
  /** Told of who announces what is another's, or gets no further than the door. */
  readonly onRefused: (reason: string, key: Key) => void
  readonly clock: Clock
  readonly log: Log
}

const defaultExpiryMs = 3_600_000
const maxOpenInvites = 1_000
/** Events that are told of those that are there; and that are looked at of one moment. */
const maxFolded = 500
const maxOfMoment = 1_000
/** Other processes of one machine. */
const maxBeside = 256
/** Nodes of the fleet's own DHT that a code names: each makes it longer. */
const codeAddresses = 1

/** Writes the record on behalf of others: announcements, invites, members. What each caller may, it checks itself. */
export async function openRegistrar(options: RegistrarOptions) {
  const { record, membership, keyPair, grant, network, seeds, clock, log } = options
  const own = keyOf(keyPair)
  const doors = new Map<string, { close(): unknown }>()
  const guests = createGuests(clock)

  const factsOf = (request: InviteRequest, subject: Key): GrantFacts => {
    const { role, sites, libraries, devices, scope, grantForMs } = request
    const from = clock.now()
    return {
      subject,
      role,
      from,
      ...defined({ scope, sites, libraries, devices }),
      ...(grantForMs === undefined ? {} : { until: from + grantForMs }),
    }
  }

  const admit = async (id: string, { key, name }: { key: Key; name: string }): Promise<Admission> => {
    const kept = await seeds.get(id)
    const invite = await record.invite(id)
    const no = (reason: string, code: ErrorCode, message: string) => {
      options.onRefused(reason, key)
      return new SdkError(code, message)
    }
    if (!kept || !invite) throw no('invite-unknown', 'NOT_FOUND', 'this invite is not known here')
    if (invite.state === 'used') {
      // Its answer was lost on the way: the same machine may hear it again.
      const member = invite.usedBy === key ? record.member(key) : undefined
      if (member) return admission(member.grant)
      throw no('invite-used', 'CONFLICT', 'this invite was used already; every machine needs one of its own')
    }
    if (invite.state === 'revoked') throw no('invite-revoked', 'FORBIDDEN', 'this invite was taken back')
    if (invite.state === 'expired' || clock.now() >= invite.until)
      throw no('invite-expired', 'FORBIDDEN', `this invite ended at ${new Date(invite.until).toISOString()}`)
    if (kept.request.byOwner) return guests.wait(id, { key, name })
    return takeIn(id, name, issueGrant(keyPair, grant, factsOf(kept.request, key)))
  }

  const admission = (given: Grant): Admission => ({ membership: { ...membership, hosts: hosts() }, grant: given })

  const takeIn = async (id: string, name: string, given: Grant): Promise<Admission> => {
    await record.write({ op: 'useInvite', id, name, grant: given })
    log.info({ member: fingerprintOf(given.subject), name, role: given.role }, 'a member joined')
    return admission(given)
  }

  const putInvite = (id: string, { request: { role, sites }, closeAt }: Omit<KeptInvite, 'seed'>): Intent => ({
    op: 'putInvite',
    id,
    role,
    until: closeAt - afterwordMs,
    ...(sites ? { sites } : {}),
  })

  const openDoor = async (id: string, seed: Uint8Array) => {
    const { door, guest } = inviteKeys(seed)
    const only = keyOf(guest)
    /** One guest after the other, so that an invite is used once. */
    let turn: Promise<unknown> = Promise.resolve()
    const inTurn = (who: { key: Key; name: string }) => {
      const run = turn.then(() => admit(id, who))
      turn = run.catch(() => {})
      return run
    }
    const onStranger = (key: Key) => options.onRefused('not-invited', key)
    const listening = network.listen(door, {
      admits(key) {
        if (key !== only) onStranger(key)
        return key === only
      },
      onStream: (stream) => void receive(stream, { admit: inTurn, onStranger, clock, log }),
    })
    doors.set(id, listening)
  }

  /** Those who write the record, this node first. */
  const hosts = (): Key[] => {
    const others = record.members().filter(({ grant: { role }, revoked }) => role === 'aggregator' && !revoked)
    return [...new Set([own, ...others.map(({ key }) => key)])].slice(0, 16)
  }

  const closeDoor = async (id: string) => {
    const door = doors.get(id)
    doors.delete(id)
    await door?.close()
    await seeds.delete(id)
  }

  const needSites = (caller: Caller, sites: readonly string[] | undefined, what: string) => {
    needUnlimited(caller)
    if (caller.sites && !sites?.every((site) => caller.sites!.includes(site)))
      throw new SdkError('FORBIDDEN', `${caller.id} acts at ${caller.sites.join(', ')} only, and ${what}`)
  }

  /** Only what changed is written: the record goes to everybody. */
  const announce = async (member: Key, version: string, services: readonly AnnouncedService[]) => {
    const known = new Map(record.services().flatMap((one) => (one.member === member ? [[one.name, one] as const] : [])))
    const claims = claimsOf(record, clock.now(), member, services)
    const foreign = claims.filter(({ sameMachine }) => !sameMachine)
    const moved = claims.filter(({ sameMachine }) => sameMachine)
    const intents: Intent[] = moved.map(({ other }) => ({
      op: 'withdrawService',
      member: other.member,
      name: other.name,
    }))
    for (const announced of services) {
      const { feed, relay, ...service } = announced
      if (foreign.some((claim) => claim.service === announced)) continue
      const next = {
        ...service,
        version,
        ...(feed ? { feed: feed.main, intervalMs: feed.intervalMs } : {}),
        ...(relay ? { relay } : {}),
      }
      const before = known.get(service.name)
      known.delete(service.name)
      if (before && isSame(before, next)) continue
      intents.push({ op: 'announceService', member, ...next })
    }
    for (const name of known.keys()) intents.push({ op: 'withdrawService', member, name })
    await record.write(intents)
    if (!foreign[0]) return
    // What is its own is announced all the same.
    options.onRefused('name-taken', member)
    throw conflictOf(foreign[0])
  }

  for (const [id, { seed }] of await seeds.all()) await openDoor(id, seed)

  const handlers: Handlers<(typeof registrar)['methods']> = {
    async announce({ version, services }, { caller }) {
      if (!caller.key) throw new SdkError('FORBIDDEN', 'a node announces only itself, over its own connection')
      const foreign = services.find(({ site }) => caller.sites && !caller.sites.includes(site))
      if (foreign) throw new SdkError('FORBIDDEN', `${caller.id} may not speak for the site ${foreign.site}`)
      await announce(caller.key, version, services)
      return {}
    },
    async enrol({ name, role, key, proof }, { caller }) {
      const host = caller.key === undefined ? undefined : record.member(caller.key)
      if (!host || host.host !== undefined)
        throw new SdkError('FORBIDDEN', 'only a machine that joined enrols its processes, over its own connection')
      if (!roles[host.grant.role].beside.includes(role))
        throw new SdkError('FORBIDDEN', `beside a ${host.grant.role} runs no ${role}: invite that machine as one`)
      if (!isEnrolProof(key, host.key, membership.fleet, proof)) {
        options.onRefused('wrong-proof', host.key)
        throw new SdkError('UNAUTHENTICATED', `the caller does not have the key ${fingerprintOf(key)}`)
      }
      const known = record.member(key)
      if (known && known.host !== host.key)
        throw new SdkError('CONFLICT', `${fingerprintOf(key)} is a member by itself`)
      if (known && !known.revoked && known.grant.role === role && known.grant.until === host.grant.until)
        return { grant: known.grant }
      const beside = record.members().filter((one) => one.host === host.key && !one.revoked && one.key !== key)
      if (beside.length >= maxBeside)
        throw new SdkError('RATE_LIMITED', `${host.name} has ${maxBeside} other processes in the fleet already`)
      const { sites, libraries, devices, until } = host.grant
      const given = issueGrant(keyPair, grant, {
        subject: key,
        role,
        from: clock.now(),
        ...defined({ sites, libraries, devices, until }),
      })
      await record.write({ op: 'addMember', name, grant: given, host: host.key })
      log.info({ member: fingerprintOf(key), name, role, host: host.name }, 'another process of a member joined')
      return { grant: given }
    },
    async invite(request, { caller }) {
      needSites(caller, request.sites, 'the invite must name some of them')
      checkLimits(request)
      if (doors.size >= maxOpenInvites)
        throw new SdkError('RATE_LIMITED', `there are ${doors.size} open invites; take some back`)
      const now = clock.now()
      // What cannot be given is said now, and not when somebody stands at the door.
      if (!request.byOwner) await orOwner(() => issueGrant(keyPair, grant, factsOf(request, own)))
      const made = newInvite(network.bootstrap().slice(0, codeAddresses))
      const { id } = inviteKeys(made.seed)
      const expiresAt = now + (request.expiresInMs ?? defaultExpiryMs)
      const kept = { request, closeAt: expiresAt + afterwordMs }
      await seeds.put(id, { seed: made.seed, ...kept })
      if (!request.byOwner) await record.write(putInvite(id, kept))
      await openDoor(id, made.seed)
      return { id, code: encodeInvite(made), expiresAt }
    },
    async confirmInvite({ id, owner }, { caller }) {
      const kept = await seeds.get(id)
      if (!kept) throw new SdkError('NOT_FOUND', `there is no invite ${id} of this node`)
      needSites(caller, kept.request.sites, 'this invite is for others')
      await say(record, putInvite(id, kept), owner)
      return {}
    },
    guest: ({ id }) => guests.at(id)?.guest ?? null,
    async letIn({ id, grant: given }, { caller }) {
      const waiting = guests.at(id)
      if (!waiting) throw new SdkError('NOT_FOUND', 'nobody waits at the door of this invite')
      needSites(caller, given.sites, 'this guest is for others')
      const { key, name } = waiting.guest
      verifyGrant(given, {
        fleet: membership.fleet,
        subject: key,
        now: clock.now(),
        revoked: (name) => record.isRevoked(name),
      })
      waiting.letIn(await takeIn(id, name, given))
      return {}
    },
    async revokeInvite({ id }, { caller }) {
      const invite = await record.invite(id)
      if (!invite) throw new SdkError('NOT_FOUND', `there is no invite ${id}`)
      needSites(caller, invite.sites, 'this invite is for others')
      if (invite.state === 'used')
        throw new SdkError('CONFLICT', 'it was used already; take the membership back: miningsdk members revoke')
      await record.write({ op: 'revokeInvite', id })
      return {}
    },
    async revokeMember({ key, reason, owner }, { caller }) {
      const member = record.member(key)
      if (!member) throw new SdkError('NOT_FOUND', `${fingerprintOf(key)} is no member`)
      needSites(caller, member.grant.sites, 'this member is also of others')
      if (key === own) throw new SdkError('CONFLICT', 'this is the node that would write it; ask another aggregator')
      await say(record, { op: 'revokeMember', key, ...(reason ? { reason } : {}) }, owner)
      return {}
    },
    async putSite({ site, totals }, { caller }) {
      needSites(caller, [site], 'these are of another')
      await record.write({ op: 'putSite', site, totals })
      return {}
    },
    async putDevices({ site, worker, devices }, { caller }) {
      needSites(caller, [site], 'these are of another')
      const service = record.services().find((one) => one.site === site && one.name === worker)
      if (!service) throw new SdkError('NOT_FOUND', `no worker ${worker} of ${site} is announced`)
      const { member } = service
      await record.write(packDevices(devices).map((page) => ({ op: 'putDevices', member, service: worker, ...page })))
      return {}
    },
    async putEvent({ event, site, worker }, { caller }) {
      needSites(caller, [site], 'this happened at another')
      const there = await record.events({ from: event.at, to: event.at, limit: maxOfMoment })
      // Another aggregator was faster: a word that changes nothing need not go to everybody.
      if (there.some((one) => isSameEvent(one, { ...event, site, worker }))) return {}
      await record.write({ op: 'putEvent', event, site, worker })
      return {}
    },
    async foldedEvents(_, { caller }) {
      const newest = await record.events({ limit: maxFolded })
      const events = newest.flatMap(({ site, worker, ...event }) =>
        site !== undefined && worker !== undefined && (caller.sites?.includes(site) ?? true)
          ? [{ site, worker, event }]
          : [],
      )
      return { events, more: newest.length === maxFolded }
    },
    ...upkeepHandlers({
      record,
      fleet: membership.fleet,
      own,
      isConnected: (member) => network.peer(member) !== undefined,
      needAll: (caller) => needSites(caller, undefined, 'this concerns all'),
    }),
  }

  return {
    handlers,
    /** Doors that have nothing more to say are closed. */
    async tidy() {
      for (const [id, { closeAt }] of await seeds.all()) if (clock.now() > closeAt) await closeDoor(id)
    },
    async close() {
      guests.close()
      await Promise.all([...doors.values()].map((door) => door.close()))
    },
  }
}

function isSameEvent(a: FleetEvent, b: FleetEvent): boolean {
  const names = ['at', 'site', 'worker', 'type', 'deviceId', 'message'] as const
  return names.every((name) => a[name] === b[name])
}

/** Whether the record says it already. */
function isSame(before: object, next: object): boolean {
  const known = before as Record<string, unknown>
  return Object.entries(next).every(([name, value]) => JSON.stringify(known[name]) === JSON.stringify(value))
}
