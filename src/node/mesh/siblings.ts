import { type Grant, type Identity, issueGrant, type KeyPair, keyOf, type Role } from '#keys'
import type { Clock } from '#model'
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

/**
 * Lets the other processes of this storage folder into the fleet, each with a key of its own that comes from the folder's identity, and
 * leaves them their grants. Those that are in already stay as they are.
 */
export async function admitSiblings(host: Host, siblings: readonly Sibling[]): Promise<void> {
  const { storage, identity, record, clock } = host
  for (const { process, role, site } of siblings) {
    const subject = keyOf(keyPairOf(identity, process))
    const known = await loadGrant(storage, process)
    const fits = known?.role === role && known.sites?.includes(site) && known.fleet === host.grant.fleet
    const grant = fits
      ? known
      : issueGrant(host.keyPair, host.grant, { subject, role, sites: [site], from: clock.now() })
    if (record.member(subject)?.grant.id !== grant.id) await record.write({ op: 'addMember', name: process, grant })
    // Last: the process starts when it finds it.
    if (!fits) await saveGrant(storage, process, grant)
  }
}
