import b4a from 'b4a'
import { check, SdkError, Type } from '#model'
import { deriveKeyPair, fingerprintOf, type KeyPair, keyOf, keyPattern, seedBytes } from './key.js'
import { sealWithPassphrase, unsealWithPassphrase } from './seal.js'
import { createSecretFile, readSecretFile } from './secret-file.js'

/** Whose key a file holds: a node's, or the owner's of a fleet. */
export type KeyKind = 'node' | 'owner'

const words: Readonly<Record<KeyKind, string>> = { node: 'a node', owner: "a fleet's owner" }

export interface StoredKey {
  readonly seed: Uint8Array
  readonly keyPair: KeyPair
}

const strict = { additionalProperties: false }
const common = {
  v: Type.Literal(1),
  kind: Type.Union([Type.Literal('node'), Type.Literal('owner')]),
  /** The public key: shows at once whose file it is, and whether the seed is still the one that was written. */
  key: Type.String({ pattern: keyPattern }),
}
const KeyFileSchema = Type.Union([
  Type.Object({ ...common, seed: Type.String({ pattern: '^[0-9a-f]{64}$' }) }, strict),
  Type.Object({ ...common, sealed: Type.String({ maxLength: 1024 }) }, strict),
])
const mostBytes = 4096

/** The key pair that a seed stands for. */
export function storedKey(seed: Uint8Array, kind: KeyKind): StoredKey {
  return { seed, keyPair: deriveKeyPair(seed, kind) }
}

/** Writes the key to a new file of mode 0600, sealed if there is a passphrase. Answers false if there is a file already, and leaves it. */
export async function writeKeyFile(
  path: string,
  kind: KeyKind,
  { seed, keyPair }: StoredKey,
  passphrase?: string,
): Promise<boolean> {
  const head = { v: 1, kind, key: keyOf(keyPair) }
  const secret =
    passphrase === undefined
      ? { seed: b4a.toString(seed, 'hex') }
      : { sealed: b4a.toString(await sealWithPassphrase(seed, passphrase, contextOf(kind)), 'base64') }
  return createSecretFile(path, `${JSON.stringify({ ...head, ...secret }, null, 2)}\n`)
}

/**
 * The key in a file, or undefined if there is no file. Throws SECRET_EXPOSED, SECRET_DAMAGED (also for a file of another kind) or
 * PASSPHRASE_WRONG; never makes another key in its place.
 */
export async function readKeyFile(path: string, kind: KeyKind, passphrase?: string): Promise<StoredKey | undefined> {
  const bytes = await readSecretFile(path, mostBytes)
  return bytes && openKeyFile(bytes, path, kind, passphrase)
}

/** The same for what stands in a key file; `path` is how errors call it. */
export async function openKeyFile(
  bytes: Uint8Array,
  path: string,
  kind: KeyKind,
  passphrase?: string,
): Promise<StoredKey> {
  const file = parse(bytes, path)
  if (file.kind !== kind)
    throw new SdkError('SECRET_DAMAGED', `${path} holds the key of ${words[file.kind]}, not of ${words[kind]}`)
  const stored = storedKey(await seedIn(file, path, passphrase), kind)
  if (stored.seed.byteLength !== seedBytes || keyOf(stored.keyPair) !== file.key)
    throw damaged(path, 'its secret does not belong to its public key')
  return stored
}

async function seedIn(file: ReturnType<typeof parse>, path: string, passphrase?: string): Promise<Uint8Array> {
  if ('seed' in file) return b4a.from(file.seed, 'hex')
  const what = `the key ${fingerprintOf(file.key)} in ${path}`
  if (passphrase === undefined) throw new SdkError('PASSPHRASE_WRONG', `${what} is sealed: its passphrase is needed`)
  return unsealWithPassphrase(b4a.from(file.sealed, 'base64'), passphrase, contextOf(file.kind), what)
}

function contextOf(kind: KeyKind): string {
  return `miningsdk/key-file/${kind}`
}

function parse(bytes: Uint8Array, path: string) {
  let value: unknown
  try {
    value = JSON.parse(b4a.toString(bytes))
  } catch {
    // Not the parser's own words: they may quote the secret.
    throw damaged(path, 'it is not JSON')
  }
  try {
    return check(KeyFileSchema, value, path)
  } catch {
    throw damaged(path, 'it is not a key file')
  }
}

function damaged(path: string, why: string): SdkError {
  return new SdkError(
    'SECRET_DAMAGED',
    `${path} is damaged (${why}): restore it from a backup; a new key would be another peer`,
  )
}
