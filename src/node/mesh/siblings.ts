import b4a from 'b4a'
import {
  bytesOf,
  type Grant,
  type Identity,
  issueGrant,
  type Key,
  type KeyPair,
  keyOf,
  type Role,
  signProof,
  verifyProof,
} from '#keys'
import { type Clock, SdkError } from '#model'
import type { FleetRecord } from '#replication'
import { keyPairOf, loadGrant, saveGrant } from './membership.js'

/** Another process of the same storage folder. */
export interface Sibling {
  readonly process: string
  readonly role: Role
  readonly site: string
}

interface Host {
  readonly storage: string
  readonly identity: Identity
  readonly grant: Grant
  readonly keyPair: KeyPair
  readonly record: FleetRecord
  readonly clock: Clock
}

const purpose = 'miningsdk/enrol/1'

/** That who enrols a process has its key; good for that node and fleet alone. */
export const enrolProof = (process: KeyPair, host: Key, fleet: Key) =>
  signProof(process, purpose, occasion(host, fleet))
export const isEnrolProof = (key: Key, host: Key, fleet: Key, proof: string) =>
  verifyProof(key, purpose, occasion(host, fleet), proof)
const occasion = (host: Key, fleet: Key) => b4a.concat([bytesOf(host), bytesOf(fleet)])

type Enrol = (process: { name: string; role: Role; key: Key; proof: string }) => Promise<{ grant: Grant }>

/**
 * Has the other processes of this storage folder let into the fleet by who writes its record, and leaves them their grants. Throws what it was
 * refused with; those that are in already are not asked for again.
 */
export async function enrolSiblings(
  { storage, identity, grant: { fleet, sites } }: Pick<Host, 'storage' | 'identity' | 'grant'>,
  siblings: readonly Sibling[],
  enrol: Enrol,
): Promise<void> {
  for (const { process: name, role, site } of siblings) {
    const known = await loadGrant(storage, name)
    if (known?.role === role && known.fleet === fleet) continue
    if (sites && !sites.includes(site))
      throw new SdkError('FORBIDDEN', `this machine was invited for ${sites.join(', ')}, and its site is ${site}`)
    const pair = keyPairOf(identity, name)
    const proof = enrolProof(pair, identity.key, fleet)
    const { grant } = await enrol({ name, role, key: keyOf(pair), proof })
    // The process starts when it finds it.
    await saveGrant(storage, name, grant)
  }
}

/**
 * Lets the other processes of this storage folder into the fleet, each with a key of its own that comes from the folder's identity, and
 * leaves them their grants. Those that are in already stay as they are.
 */
export async function admitSiblings(host: Host, siblings: readonly Sibling[]): Promise<void> {
  const { storage, identity, record, clock } = host
  const own = keyOf(host.keyPair)
  for (const { process, role, site } of siblings) {
    const subject = keyOf(keyPairOf(identity, process))
    const known = await loadGrant(storage, process)
    const fits = known?.role === role && known.sites?.includes(site) && known.fleet === host.grant.fleet
    const grant = fits
      ? known
      : issueGrant(host.keyPair, host.grant, { subject, role, sites: [site], from: clock.now() })
    const member = record.member(subject)
    // One that came in as a member by itself stays so.
    const beside = member && member.host === undefined ? {} : { host: own }
    if (member?.grant.id !== grant.id) await record.write({ op: 'addMember', name: process, grant, ...beside })
    // Last: the process starts when it finds it.
    if (!fits) await saveGrant(storage, process, grant)
  }
}
