import type { Grant, Key } from '#keys'
import { type Clock, type Log, SdkError, silentLog, sleep, systemClock, within } from '#model'
import { type FeedAge, type FleetView, fleetView, type Keep } from '#replication'
import { type Client, type Contract, fleetContract, type KnownService, type Methods } from '#rpc'
import { lockFolder } from './lock.js'
import { joinFleet, loadGrant, loadMembership, type Membership, mainProcess, meshName } from './mesh/index.js'
import { namePattern } from './names.js'
import { createNode } from './node.js'
import type { Node } from './service.js'

export interface PeerOptions {
  /** The folder of its key, its grant and its copies; made if need be. No other process may use it meanwhile. */
  readonly storage: string
  /** A code of `miningsdk invite`, for a folder that has not joined a fleet yet; one that has needs none. */
  readonly invite?: string
  /** How this peer is called in the fleet, from when it joins; default `peer`. */
  readonly name?: string
  /** How much of the history is kept here before anybody asks for it; default `live`. */
  readonly keep?: Keep
  /** Where the members find each other; default: as the code says. */
  readonly bootstrap?: 'public' | readonly string[]
  readonly clock?: Clock
  readonly log?: Log
}

/** A peer of a running fleet: its copy of what the workers wrote, and typed calls to their services. */
export interface Connection {
  /** The fleet's name, and who this peer is in it. */
  readonly name: string
  readonly key: Key
  readonly role: Grant['role']
  /** Devices, totals, history, events and the age of each feed, from what is here; what is not is fetched if somebody has it. */
  readonly fleet: FleetView
  /** Every service that was announced, whether it can be reached or not. */
  services(): Promise<KnownService[]>
  /** A typed client of a service; it decides itself what this peer's grant allows. Throws UNAVAILABLE if nobody answers it now. */
  connect<M extends Methods>(contract: Contract<M>, which?: { service?: string; site?: string }): Client<M>
  /** Resolves when all that the feeds hold is here, as far as is known. Throws TIMEOUT with those that are missing. */
  caughtUp(timeoutMs?: number): Promise<void>
  close(): Promise<void>
}

/** A peer that sees and commands nothing: its grant gives it no more, wherever it asks. */
export interface Monitor extends Connection {
  readonly role: 'monitor'
}

const defaultCatchUpMs = 60_000
const lookMs = 50
/** A worker without devices has nothing to say: it counts as read after so long with it. */
const silentMs = 3_000

/**
 * Joins, or goes on as, a member of a fleet of any role; resolves at once, also while nobody can be reached. Throws NOT_FOUND for a folder
 * that belongs to no fleet when there is no invite, what joining throws, STORE_LOCKED, UNAVAILABLE with what keeps the network from opening.
 */
export async function connect(options: PeerOptions): Promise<Connection> {
  return open(options, await memberOf(options))
}

/**
 * A read-only replica of the fleet, which serves what it has also while the sites are away. Throws what `connect` throws, and FORBIDDEN if
 * the grant of the folder is not of the role monitor: a key that could command is not for looking.
 */
export async function openMonitor(options: PeerOptions): Promise<Monitor> {
  const member = await memberOf(options)
  refuseOthers(options.storage, member.grant)
  return (await open(options, member)) as Monitor
}

export interface Member {
  readonly membership: Membership
  readonly grant: Grant
}

/** The member that the folder is, once it has joined with the invite if it had to. */
export async function memberOf({
  storage,
  invite,
  name = 'peer',
  bootstrap,
  clock = systemClock,
}: PeerOptions): Promise<Member> {
  const known = await standing(storage)
  if (known) return known
  if (invite === undefined)
    throw new SdkError('NOT_FOUND', `${storage} belongs to no fleet; join one with a code of \`miningsdk invite\``)
  const unlock = await lockFolder(storage)
  try {
    await joinFleet({ storage, code: invite, name, clock, ...(bootstrap ? { bootstrap } : {}) })
  } finally {
    await unlock()
  }
  return (await standing(storage))!
}

async function standing(storage: string): Promise<Member | undefined> {
  const [membership, grant] = await Promise.all([loadMembership(storage), loadGrant(storage, mainProcess)])
  return membership && grant ? { membership, grant } : undefined
}

/** Throws FORBIDDEN unless the grant is a monitor's. */
export function refuseOthers(storage: string, { role }: Grant): void {
  if (role === 'monitor') return
  throw new SdkError(
    'FORBIDDEN',
    `${storage} is a member of the role ${role}; a monitor has a folder of its own, and joins with a code of \`miningsdk invite --role monitor\``,
  )
}

/** Where a peer that serves no site counts to: the first that it may see, else the name of the fleet. */
export function siteOf({ membership, grant }: Member): string {
  if (grant.sites?.[0] !== undefined) return grant.sites[0]
  const name = membership.name.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^[-_]+/, '')
  return new RegExp(namePattern).test(name.slice(0, 63)) ? name.slice(0, 63) : 'fleet'
}

async function open({ storage, keep = 'live', clock = systemClock, log = silentLog }: PeerOptions, member: Member) {
  const site = siteOf(member)
  const node = await createNode({ site, storage, services: [], clock, log, mesh: { process: mainProcess, keep } })
  try {
    await node.ready()
    const mesh = node.services().find(({ name }) => name === meshName)
    if (mesh?.state !== 'running')
      throw new SdkError('UNAVAILABLE', `the network does not open: ${mesh?.lastError ?? mesh?.reason ?? 'unknown'}`)
    return connectionOf(node, member, clock, log)
  } catch (error) {
    await node.close()
    throw error
  }
}

function connectionOf(node: Node, { membership, grant }: Member, clock: Clock, log: Log): Connection {
  const fleet = fleetView(node.directory, { clock, log })
  const own = node.directory.find(fleetContract)[0]!.client
  const isRecordHere = async () => {
    try {
      return (await own.describe({})).currentAt !== null
    } catch (error) {
      // Until the record is here this peer does not find itself in it.
      if (error instanceof SdkError && error.code === 'UNAUTHENTICATED') return false
      throw error
    }
  }
  return {
    name: membership.name,
    key: grant.subject,
    role: grant.role,
    fleet,
    services: () => own.services({}),
    connect(contract, { service, site } = {}) {
      const found = node.directory
        .find(contract)
        .find((one) => (service ?? one.service) === one.service && (site ?? one.site) === one.site)
      if (found) return found.client
      const who = `${service ?? 'nobody'}${site === undefined ? '' : ` at ${site}`}`
      throw new SdkError('UNAVAILABLE', `${who} ${service ? 'does not answer' : 'answers'} ${contract.name} now`)
    },
    async caughtUp(timeoutMs = defaultCatchUpMs) {
      const since = new Map<string, number>()
      let missing = 'the record of the fleet'
      const look = async (): Promise<boolean> => {
        if (!(await isRecordHere())) return false
        const behind = fleet.feeds().filter((feed) => !isHere(feed, since, clock.hr()))
        missing = behind.map(({ worker, site }) => `${worker} of ${site}`).join(', ')
        return behind.length === 0 && fleet.feeds().length > 0
      }
      const limits = { what: 'catching up with the fleet', ms: timeoutMs, signals: [], clock }
      await within(limits, async (signal) => {
        while (!(await look())) await sleep(clock, lookMs, signal())
      }).catch((error: unknown) => {
        if (!(error instanceof SdkError) || error.code !== 'TIMEOUT') throw error
        throw new SdkError('TIMEOUT', `not all is here yet; missing is ${missing || 'any feed'}`, { cause: error })
      })
    },
    async close() {
      fleet.close()
      await node.close()
    },
  }
}

function isHere({ worker, site, at, connections, behind }: FeedAge, since: Map<string, number>, now: number): boolean {
  if (connections === 0 || behind > 0) return false
  if (at !== null) return true
  const key = `${site} ${worker}`
  if (!since.has(key)) since.set(key, now)
  return now - since.get(key)! >= silentMs
}
