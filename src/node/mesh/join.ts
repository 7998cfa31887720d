import { decodeInvite, inviteKeys, openIdentity } from '#keys'
import { type Clock, SdkError } from '#model'
import { dialDoor } from '../network/index.js'
import { ask } from './door.js'
import { loadMembership, type Membership, mainProcess, saveGrant, saveMembership } from './membership.js'

export interface JoinPlan {
  readonly storage: string
  readonly code: string
  /** How this node is called in the fleet. */
  readonly name: string
  /** Default: what the code says, else the public DHT. */
  readonly bootstrap?: 'public' | readonly string[] | undefined
  readonly host?: string | undefined
  readonly clock: Clock
}

/**
 * Makes this storage folder's node a member of the fleet that the code invites to. Throws BAD_REQUEST for a code that is none, CONFLICT if
 * it was used or the folder belongs to a fleet (the caller holds it), FORBIDDEN if it ended or was taken back, UNAVAILABLE if nobody answers for it.
 */
export async function joinFleet(plan: JoinPlan): Promise<Membership> {
  const { storage, name, clock } = plan
  const { seed, bootstrap: named } = decodeInvite(plan.code)
  const known = await loadMembership(storage)
  if (known) throw new SdkError('CONFLICT', `${storage} belongs to the fleet ${known.name} already`)
  const identity = await openIdentity(storage)
  const { door, guest, visitor } = inviteKeys(seed)
  const bootstrap = plan.bootstrap ?? (named && [...named]) ?? 'public'
  const addresses = bootstrap === 'public' ? [] : bootstrap
  const way = await dialDoor({ bootstrap: addresses, host: plan.host, door, guest, visitor, clock })
  try {
    const { membership, grant } = await ask(way.stream, identity, name, clock)
    const own: Membership = { ...membership, bootstrap: bootstrap === 'public' ? bootstrap : [...bootstrap] }
    await saveGrant(storage, mainProcess, grant)
    await saveMembership(storage, own)
    return own
  } finally {
    await way.close()
  }
}
