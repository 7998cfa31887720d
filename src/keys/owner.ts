import { dirname } from 'node:path'
import { SdkError } from '#model'
import { fingerprintOf, type Key, type KeyPair, keyOf, type Random, seedBytes, random as systemRandom } from './key.js'
import { readKeyFile, type StoredKey, storedKey, writeKeyFile } from './key-file.js'
import { makeSecretFolder } from './secret-file.js'

/** The usual name of the owner's key file. It may lie anywhere: it is needed only to make grants, never to run. */
export const ownerFile = 'owner.key'

/** The root of a fleet: its public key names the fleet, its signature begins every chain of grants. */
export interface OwnerKey {
  readonly fleet: Key
  readonly fingerprint: string
  /** For `issueGrant`. */
  readonly keyPair: KeyPair
}

/**
 * Makes the root key of a new fleet in a file of its own (mode 0600), sealed if there is a passphrase; it can be moved to a place that is
 * not online. Throws CONFLICT if there is a file already.
 */
export async function makeOwnerKey(
  path: string,
  passphrase?: string,
  random: Random = systemRandom,
): Promise<OwnerKey> {
  await makeSecretFolder(dirname(path), { keep: true })
  const made = storedKey(random(seedBytes), 'owner')
  if (!(await writeKeyFile(path, 'owner', made, passphrase)))
    throw new SdkError('CONFLICT', `${path} is there already: it may be the only key of a fleet, and is never replaced`)
  return ownerOf(made)
}

/** Throws NOT_FOUND, SECRET_EXPOSED, SECRET_DAMAGED, or PASSPHRASE_WRONG (also if one is needed and none is given). */
export async function openOwnerKey(path: string, passphrase?: string): Promise<OwnerKey> {
  const found = await readKeyFile(path, 'owner', passphrase)
  if (!found) throw new SdkError('NOT_FOUND', `there is no owner key at ${path}`)
  return ownerOf(found)
}

function ownerOf({ keyPair }: StoredKey): OwnerKey {
  const fleet = keyOf(keyPair)
  return Object.freeze({ fleet, fingerprint: fingerprintOf(fleet), keyPair })
}
