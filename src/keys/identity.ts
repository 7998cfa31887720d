import { join } from 'node:path'
import { SdkError } from '#model'
import {
  derive,
  deriveKeyPair,
  fingerprintOf,
  type Key,
  type KeyPair,
  keyOf,
  type Random,
  seedBytes,
  random as systemRandom,
} from './key.js'
import { readKeyFile, type StoredKey, storedKey, writeKeyFile } from './key-file.js'
import { makeSecretFolder } from './secret-file.js'

export const identityFile = 'identity.key'

/** Who a node is, and what is derived from its one secret. */
export interface Identity {
  readonly key: Key
  readonly fingerprint: string
  /** The node's own key pair; with a name another one, the same at every start. */
  keyPair(name?: string): KeyPair
  /** 32 secret bytes for one purpose (`feeds`, `vault`, ...), the same at every start. */
  seed(name: string): Uint8Array
}

/**
 * The identity of a storage folder, made there if there is none. Throws SECRET_EXPOSED if others may read it, SECRET_DAMAGED if it cannot
 * be understood; a file that is there is never replaced.
 */
export async function openIdentity(folder: string, random: Random = systemRandom): Promise<Identity> {
  await makeSecretFolder(folder)
  const path = join(folder, identityFile)
  const found = await readKeyFile(path, 'node')
  if (found) return identityOf(found)
  const made = storedKey(random(seedBytes), 'node')
  if (await writeKeyFile(path, 'node', made)) return identityOf(made)
  // Another process was faster.
  const other = await readKeyFile(path, 'node')
  if (!other) throw new SdkError('STORE_FAILED', `${path} comes and goes: another process is at work in this folder`)
  return identityOf(other)
}

function identityOf({ seed, keyPair }: StoredKey): Identity {
  const key = keyOf(keyPair)
  return Object.freeze({
    key,
    fingerprint: fingerprintOf(key),
    keyPair: (name?: string) => (name === undefined ? keyPair : deriveKeyPair(seed, `named/${name}`)),
    seed: (name: string) => derive(seed, `seed/${name}`),
  })
}
