import { fingerprintOf, type Grant, type Held, type Key, verifyGrant } from '#keys'
import { type Clock, SdkError } from '#model'
import type { FleetRecord } from '#replication'
import type { Caller } from '#rpc'
import type { Membership } from './membership.js'

/** What is asked of the record: who is a member, and who no longer. */
export interface Roll {
  member(key: Key): { readonly name: string; readonly grant: Grant } | undefined
  /** Nothing of the record is here yet. */
  isEmpty(): boolean
  /** Of a key or a grant's id. */
  isRevoked(keyOrGrantId: string): boolean
  /** When the copy was last known to be current, ms; null: never. */
  currentAt(): number | null
}

/** A node's own copy of the record, asked at every question anew. */
export function rollOf(record: FleetRecord): Roll {
  return {
    isEmpty: () => record.fleet === undefined,
    member: record.member.bind(record),
    isRevoked: record.isRevoked.bind(record),
    currentAt: () => record.currentAt,
  }
}

export interface StandingOptions {
  readonly roll: Roll
  readonly membership: Membership
  readonly clock: Clock
  /** A copy of the record older than this is not trusted for more than reading: who was revoked meanwhile is not known. */
  readonly maxAgeMs: number
}

/** Who may connect, and what each may do: decided from the own copy of the record, at every question anew. */
export interface Standing {
  /** Whether the key may connect at all; else the word why not. */
  admits(key: Key): true | 'unknown' | 'revoked' | 'not-valid'
  /** Throws UNAUTHENTICATED or FORBIDDEN with the reason, UNAVAILABLE while nothing of the record is here. */
  held(key: Key): Held
  /** Who calls, as the guards want it; what is thrown is an SdkError. */
  callerOf(key: Key): Caller
  /** Whether the key may read what is recorded at the site. */
  mayRead(key: Key, site: string): boolean
  /** Whether the key is of one that serves its devices and asks nothing of others. */
  onlyServes(key: Key): boolean
}

const tooOld = (maxAgeMs: number) =>
  `the copy of the fleet's record here has not been current for ${Math.round(maxAgeMs / 3_600_000)} h, so nobody knows who was revoked meanwhile; connect this node to an aggregator; if it is one itself, to another one, or put out those that are lost for good (miningsdk members revoke)`

const notHereYet =
  "the fleet's record is not here yet, so nobody is known; it comes from an aggregator, and last of all when many join at once"

/** Members whose grants are remembered. */
const maxGenuine = 10_000

export function createStanding({ roll, membership, clock, maxAgeMs }: StandingOptions): Standing {
  /** Signatures cost a quarter of a millisecond: what was genuine once stays so, and only time and revocation are asked each time. */
  const genuine = new Map<Key, { readonly grant: Grant; readonly held: Held; readonly until: number }>()

  const held = (key: Key): Held => {
    const member = roll.member(key)
    if (!member && roll.isEmpty()) throw new SdkError('UNAVAILABLE', notHereYet)
    if (!member) throw new SdkError('UNAUTHENTICATED', `${fingerprintOf(key)} is no member of ${membership.name}`)
    const { grant } = member
    const known = genuine.get(key)
    if (known?.grant.id === grant.id && clock.now() < known.until && !roll.isRevoked(key)) return known.held
    genuine.delete(key)
    const verified = verifyGrant(grant, {
      fleet: membership.fleet,
      subject: key,
      now: clock.now(),
      revoked: (keyOrId) => roll.isRevoked(keyOrId),
    })
    if (genuine.size >= maxGenuine) genuine.clear()
    genuine.set(key, { grant, held: verified, until: verified.until ?? Number.POSITIVE_INFINITY })
    return verified
  }
  const heldOrNothing = (key: Key): Held | undefined => {
    try {
      return held(key)
    } catch {
      return undefined
    }
  }
  const isOld = () => {
    const at = roll.currentAt()
    return at === null || clock.now() - at > maxAgeMs
  }

  return {
    held,
    admits(key) {
      if (heldOrNothing(key)) return true
      // Before the first copy of the record is here, those are known from whom it comes.
      if (roll.isEmpty() && membership.hosts.includes(key)) return true
      if (roll.isRevoked(key)) return 'revoked'
      return roll.member(key) ? 'not-valid' : 'unknown'
    },
    callerOf(key) {
      const { scope, sites, libraries, devices } = held(key)
      return {
        id: fingerprintOf(key),
        key,
        ...(isOld() && scope !== 'member' ? { scope: 'read', because: tooOld(maxAgeMs) } : { scope }),
        ...(sites ? { sites } : {}),
        ...(libraries ? { libraries } : {}),
        ...(devices ? { devices } : {}),
      }
    },
    mayRead(key, site) {
      const found = heldOrNothing(key)
      if (!found || found.scope === 'member') return false
      return !found.sites || found.sites.includes(site)
    },
    onlyServes: (key) => heldOrNothing(key)?.scope === 'member',
  }
}
