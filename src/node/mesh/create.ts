import b4a from 'b4a'
import { issueGrant, type Key, makeOwnerKey, openIdentity, random } from '#keys'
import { type Clock, type Log, SdkError } from '#model'
import type { Bootstrap } from '../environment.js'
import { loadMembership, type Membership, mainProcess, saveGrant, saveMembership } from './membership.js'
import { openRecordOf } from './record.js'

export interface FleetPlan {
  readonly storage: string
  /** What people call the fleet. */
  readonly name: string
  /** How this node is called in it. */
  readonly member: string
  readonly bootstrap: Bootstrap
  /** Where the owner's key is made; it can be taken offline afterwards. */
  readonly ownerFile: string
  readonly passphrase?: string | undefined
  readonly clock: Clock
  readonly log: Log
}

const hex = (bytes: Uint8Array) => b4a.toString(bytes, 'hex')

/**
 * Makes a fleet, and this storage folder's node its first aggregator: the owner's key signs that node's grant, the record begins with
 * both. The caller holds the folder. Throws CONFLICT if it belongs to a fleet already.
 */
export async function createFleet(plan: FleetPlan): Promise<Membership> {
  const { storage, name, member, bootstrap, clock, log } = plan
  const known = await loadMembership(storage)
  if (known) throw new SdkError('CONFLICT', `${storage} belongs to the fleet ${known.name} already`)
  const identity = await openIdentity(storage)
  const owner = await makeOwnerKey(plan.ownerFile, plan.passphrase)
  const grant = issueGrant(owner.keyPair, undefined, {
    subject: identity.key,
    role: 'aggregator',
    scope: 'admin',
    from: clock.now(),
  })
  const encryptionKey = random(32)
  const record = await openRecordOf(storage, mainProcess, {
    encryptionKey,
    identity,
    keyPair: identity.keyPair(),
    clock,
    log,
  })
  let key: Key
  try {
    await record.write({ op: 'createFleet', root: owner.fleet, name, member, grant, salt: hex(random(32)) })
    key = record.key
  } finally {
    await record.close()
  }
  const membership: Membership = {
    version: 1,
    name,
    fleet: owner.fleet,
    record: key,
    encryptionKey: hex(encryptionKey),
    secret: hex(random(32)),
    hosts: [identity.key],
    bootstrap: typeof bootstrap === 'string' ? bootstrap : [...bootstrap],
  }
  await saveGrant(storage, mainProcess, grant)
  // Last: with this the folder belongs to the fleet.
  await saveMembership(storage, membership)
  return membership
}
