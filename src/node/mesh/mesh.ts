import { join } from 'node:path'
import b4a from 'b4a'
import { derive, type Grant, type Identity, type Key, keyOf, makeSecretFolder, roles, verifyGrant } from '#keys'
import { SdkError, Type, toSdkError } from '#model'
import { type Caller, client, fleetContract, registrar as registrarContract, serve, swarmPool, swarmServer } from '#rpc'
import type { Registry } from '../directory.js'
import { openNetwork } from '../network/index.js'
import { type Context, defineService, type Service } from '../service.js'
import { announcer } from './announce.js'
import { createAttendance } from './attendance.js'
import { createCopyQueue } from './copy-queue.js'
import { openFeeds } from './feeds.js'
import { fleetHandlers } from './fleet.js'
import { inviteSeeds } from './invite-seeds.js'
import { awaited, homeFolder, keyPairOf, loadGrant, loadMembership, type Membership } from './membership.js'
import type { MeshOptions } from './options.js'
import { openRecordOf } from './record.js'
import { openRefused } from './refused.js'
import { openRegistrar } from './registrar.js'
import { remoteSource } from './remote.js'
import { openServed } from './served.js'
import { admitSiblings, enrolSiblings } from './siblings.js'
import { createStanding, rollOf } from './standing.js'
import { statsOf } from './stats.js'
import { createVisitors } from './visitors.js'
import { createWriters, firstThatAnswers } from './writers.js'

/** The service that makes a node a peer: named so in every node. */
export const meshName = 'mesh'

/** What the service is given of its node. */
export interface MeshHome {
  readonly identity: Identity
  readonly registry: Registry
  /** The kind of a service of this node. */
  kindOf(service: string): string
}

const defaultMaxRecordAgeMs = 7 * 86_400_000
const pulseMs = 500
const askMs = 3_000

/** Makes the node a peer of its fleet: who it is, whom it knows, what it answers and shares, and what it learns of others. */
export function meshService(options: MeshOptions, home: MeshHome): Service {
  return defineService({
    kind: meshName,
    config: Type.Object({}, { additionalProperties: false }),
    async start(context: Context) {
      const { nodeStorage, clock, signal } = context
      const load = async () => {
        const [membership, grant] = await Promise.all([
          loadMembership(nodeStorage),
          loadGrant(nodeStorage, options.process),
        ])
        return membership && grant ? { membership, grant } : undefined
      }
      const standing = await load()
      if (standing) return startMesh(context, options, home, standing)
      // Another process of the folder makes them; nobody waits for this one meanwhile.
      context.ready('waits to be let into the fleet by the process that runs the gateway or the aggregator')
      void awaited(load, clock, signal).then(
        (found) => startMesh(context, options, home, found),
        () => {},
      )
    },
  })
}

interface Standing {
  readonly membership: Membership
  readonly grant: Grant
}

async function startMesh(
  context: Context,
  options: MeshOptions,
  { identity, registry, kindOf }: MeshHome,
  { membership, grant }: Standing,
) {
  const { nodeStorage: storage, site, clock, log, signal } = context
  const folder = homeFolder(storage, options.process)
  const keyPair = keyPairOf(identity, options.process)
  const own = keyOf(keyPair)
  await makeSecretFolder(folder)

  const encryptionKey = b4a.from(membership.encryptionKey, 'hex')
  const record = context.use(
    await openRecordOf(storage, options.process, {
      key: membership.record,
      encryptionKey,
      identity,
      keyPair,
      clock,
      log,
    }),
  )
  const standing = createStanding({
    roll: rollOf(record),
    membership,
    clock,
    maxAgeMs: options.maxRecordAgeMs ?? defaultMaxRecordAgeMs,
  })
  const { role } = grant
  const relay = options.relay ? identity.keyPair(`relay/${options.process}`) : undefined
  const visitors = relay && createVisitors(record, clock)
  const refused = context.use(await openRefused({ folder, clock, log }))
  const network = context.use(
    await openNetwork({
      keyPair,
      bootstrap: options.bootstrap ?? membership.bootstrap,
      host: options.host,
      port: options.port,
      folder: storage,
      admits: standing.admits,
      onRefused: refused.note,
      announce: role === 'aggregator' || role === 'gateway',
      site: options.site ? { bootstrap: options.site } : undefined,
      relay: {
        serve: relay,
        through: () => record.services().flatMap((service) => service.relay ?? []),
        visits: visitors?.has,
      },
      clock,
      log,
      signal,
    }),
  )
  const callerOf = (key: Key): Caller | SdkError => {
    try {
      return standing.callerOf(key)
    } catch (error) {
      return toSdkError(error)
    }
  }
  const server = context.use(
    await swarmServer({
      network: network.dht,
      keyPair,
      clock,
      log,
      callerOf,
      onRefused: refused.note,
      resolve: registry.resolve,
    }),
  )
  const refusals = () => ({ ...network.refusals(), ...server.stats().refused, ...refused.counts() })
  const pool = context.use(swarmPool({ network: network.dht, keyPair, clock, log }))

  const watchers = new Set<() => void>()
  const changed = () => {
    for (const watcher of [...watchers]) watcher()
  }
  /** Before the record is here, what this node was told when it was let in. */
  const held = () =>
    record.fleet
      ? standing.held(own)
      : verifyGrant(grant, { fleet: membership.fleet, subject: own, now: clock.now(), revoked: () => false })
  const services = () => record.services()
  const feeds = context.use(
    openFeeds({
      folder: join(folder, 'feeds'),
      own,
      keep: options.keep ?? 'live',
      standing,
      held,
      services,
      ownReaders: () => registry.own().readers,
      want: (key) => network.joinPeer(key),
      unwant: (key) => network.leavePeer(key),
      changed,
      clock,
      log,
    }),
  )
  /** Those who keep the record ration it. */
  const copies = roles[role].record
    ? context.use(createCopyQueue(clock, context.use(await openServed(join(folder, 'served.json'), log))))
    : undefined
  const end = (key: Key) => {
    network.drop(key)
    server.drop(key)
    pool.drop(key)
  }
  const attendance = context.use(
    createAttendance({
      standing,
      clock,
      expel(key, why) {
        log.warn({ key, why }, 'a member has no standing any more: its connections end')
        refused.note(why, key)
        end(key)
      },
      reconnect(key) {
        log.info({ key }, 'a member may read less than before: it has to connect anew')
        network.drop(key)
      },
    }),
  )
  context.defer(network.onPeer((key) => attendance.came(key)))
  context.defer(
    network.onPeer((key, stream) => {
      feeds.connected(key, stream)
      const copy = () => void record.replicate(stream)
      // Who only serves its devices can do so before it has the record: it knows those who let it in.
      if (copies && standing.onlyServes(key)) return copies.take(key, copy)
      // Who is known only as a host of the record gives the record, and gets nothing else.
      copy()
      return undefined
    }),
  )
  registry.join(
    remoteSource({
      own,
      services,
      readers: () => feeds.readers,
      readerOf: feeds.readerOf,
      transport: pool.transport,
      watch(listener) {
        watchers.add(listener)
        return () => watchers.delete(listener)
      },
    }),
    signal,
  )
  registry.watch(() => void feeds.update(), signal)

  const meet = () => {
    const { topic } = record
    if (topic) network.setTopic(secretOf(membership, topic.salt), topic.epoch)
  }
  const writers = createWriters({ own, membership, record, network, pool, service: meshName })
  /** With which grant; who comes back with another one is let in anew. */
  const admitted = new Map<Key, string>()
  context.defer(
    record.watch(({ parts, revoked, problem }) => {
      if (problem) context.ready(`the fleet's record: ${problem.message}`)
      if (parts.has('members')) {
        attendance.look()
        // Also what is not a connection yet.
        for (const key of revoked) end(key)
        for (const { key, grant, revoked: out } of record.members()) {
          if (out || admitted.get(key) === grant.id) continue
          admitted.set(key, grant.id)
          network.admit(key)
        }
        writers.call()
      }
      if (parts.has('topic')) meet()
      if (parts.has('invites')) visitors?.look()
      if (parts.has('services') || parts.has('members')) {
        changed()
        void feeds.update()
      }
    }),
  )
  meet()
  visitors?.look()
  writers.call()

  context.provide(
    fleetContract,
    serve(
      fleetContract,
      fleetHandlers({
        membership,
        own,
        record,
        network,
        clock,
        ask: (key) =>
          client(fleetContract, pool.transport(key, fleetContract.name, meshName)).describe({}, { timeoutMs: askMs }),
        held,
        refusals,
        refused,
      }),
      { log, clock },
    ),
  )
  const siblings = options.siblings ?? []
  const keepsRecord = record.writable || roles[role].record
  // A grant that the owner did not sign itself is the last of its chain.
  const admitsSiblings = keepsRecord && grant.parent === undefined
  if (keepsRecord) await keepRegister()
  await feeds.update()

  const announce = announcer({
    site,
    own: () => registry.own(),
    kindOf,
    relay: relay ? keyOf(relay) : null,
    registrars: () => [...(record.writable ? [ownRegistrar()] : []), ...writers.registrars()],
    log,
  })
  context.stats(() => statsOf(network, record, feeds.readers, server.stats(), refusals()))
  let enrolled = admitsSiblings || siblings.length === 0
  /** Who cannot let its other processes in itself has it done by those who can. */
  const enrol = async () => {
    await enrolSiblings({ storage, identity, grant }, siblings, (process) =>
      firstThatAnswers(writers.registrars(), (registrar) => registrar.enrol(process)),
    )
    enrolled = true
  }
  let said: string | null = null
  const say = (reason: string | null) => {
    if (reason !== null && reason !== said) log.warn({}, reason)
    said = reason
    context.ready(reason)
  }
  context.every(pulseMs, async () => {
    context.alive()
    await announce()
      .then(() => (enrolled ? undefined : enrol()))
      .then(
        () => say(null),
        (error) => say(`not all of it is in the fleet yet: ${toSdkError(error).message}`),
      )
  })

  /** Who writes the record lets others in, and takes what they announce. */
  async function keepRegister() {
    if (!record.writable)
      await record.becomeWriter().catch((error) => log.warn({ err: error }, 'does not write the record yet'))
    const register = context.use(
      await openRegistrar({
        record,
        membership,
        keyPair,
        grant,
        network,
        seeds: inviteSeeds(folder),
        onRefused: refused.note,
        clock,
        log,
      }),
    )
    context.provide(registrarContract, serve(registrarContract, register.handlers, { log, clock }))
    if (admitsSiblings) await admitSiblings({ storage, identity, grant, keyPair, record, clock }, siblings)
    context.every(tidyMs, () => register.tidy())
  }

  function ownRegistrar() {
    const caller: Caller = { id: own.slice(0, 12), key: own, scope: 'admin' }
    return client(registrarContract, (bytes, call) => {
      const endpoint = registry.resolve(registrarContract.name, meshName)
      if (!endpoint) throw new SdkError('UNAVAILABLE', 'this node does not write the record now')
      return endpoint(bytes, { ...caller, ...(call.signal ? { signal: call.signal } : {}) })
    })
  }
}

const tidyMs = 60_000

/** What the topic comes from: of the fleet's secret and of what only the record says, so that who is out cannot know the next one. */
function secretOf({ secret }: Membership, salt: string): Uint8Array {
  return derive(b4a.from(secret, 'hex'), `topic/${salt}`)
}
