import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import b4a from 'b4a'
import { check, SdkError, Type } from '#model'
import { identityFile } from './identity.js'
import { fingerprintOf, type Key, keyOf, type Random } from './key.js'
import { openKeyFile } from './key-file.js'
import { sealWithPassphrase, unsealWithPassphrase } from './seal.js'
import { createSecretFile, makeSecretFolder, readSecretFile } from './secret-file.js'

const context = 'miningsdk/backup'
/** A passphrase for something new has at least so many characters; what is there opens with whatever it was made with. */
export const shortestPassphrase = 10
export const maxBackupBytes = 128 * 1024 * 1024

/** Seals bytes under a passphrase. Throws BAD_REQUEST if it is too short. */
export async function sealBackup(bytes: Uint8Array, passphrase: string, random?: Random): Promise<Uint8Array> {
  if (passphrase.length < shortestPassphrase)
    throw new SdkError(
      'BAD_REQUEST',
      `the passphrase is too short: it must have ${shortestPassphrase} characters or more`,
    )
  return sealWithPassphrase(bytes, passphrase, context, random)
}

/** Throws PASSPHRASE_WRONG; SECRET_DAMAGED for what is no backup or cut off, STORE_NEWER for one of a newer version. */
export function openBackup(sealed: Uint8Array, passphrase: string): Promise<Uint8Array> {
  return unsealWithPassphrase(sealed, passphrase, context, 'the backup')
}

const word = '[A-Za-z0-9][A-Za-z0-9_.-]{0,127}'
/**
 * The files of a storage folder that nothing can bring back: keys, the fleet and the grants that its processes hold, vaults. History is none
 * of them: it is in the feeds, and those are replicated.
 */
const kept = [
  'fleet\\.json',
  `${word}\\.key`,
  `grants/${word}\\.json`,
  `${word}/${word}\\.key`,
  `${word}/vault\\.json`,
].map((pattern) => new RegExp(`^${pattern}$`))
const isKept = (path: string) => kept.some((pattern) => pattern.test(path))

const BundleSchema = Type.Object({
  v: Type.Literal(1),
  at: Type.Integer(),
  files: Type.Record(Type.String(), Type.String()),
})

export interface BackedUp {
  /** Of the node that it is. */
  readonly key: Key
  /** Paths below the storage folder. */
  readonly files: readonly string[]
}

/** A backup of a storage folder's secrets, made at `at` (ms); its node may run meanwhile. Throws NOT_FOUND if the folder has no identity. */
export async function backUp(
  storage: string,
  passphrase: string,
  at: number,
): Promise<BackedUp & { readonly bytes: Uint8Array }> {
  const paths = await pathsIn(storage)
  const files: Record<string, string> = {}
  let left = maxBackupBytes
  for (const path of paths) {
    const bytes = await readSecretFile(join(storage, path), left)
    // Removed meanwhile.
    if (!bytes) continue
    left -= bytes.byteLength
    files[path] = b4a.toString(bytes, 'base64')
  }
  const identity = files[identityFile]
  if (identity === undefined) throw new SdkError('NOT_FOUND', `${storage} holds no identity: no node has run there yet`)
  const key = await keyIn(b4a.from(identity, 'base64'), join(storage, identityFile))
  const bundle = b4a.from(JSON.stringify({ v: 1, at, files }))
  return { key, files: Object.keys(files), bytes: await sealBackup(bundle, passphrase) }
}

/**
 * Writes what a backup holds into a storage folder, the identity last: a restore that was cut off can be done again. Throws CONFLICT if the
 * folder has an identity or another file that would be replaced, and what `openBackup` throws; nothing is written then.
 */
export async function restore(
  storage: string,
  sealed: Uint8Array,
  passphrase: string,
): Promise<BackedUp & { readonly at: number }> {
  await refuseIdentity(storage)
  const { at, files } = parseBundle(await openBackup(sealed, passphrase))
  const { [identityFile]: identity, ...others } = files
  if (!identity) throw damaged('it holds no identity')
  const key = await keyIn(identity, `${identityFile} of the backup`)
  for (const [path, bytes] of Object.entries(others)) {
    const there = await readSecretFile(join(storage, path), maxBackupBytes)
    if (there && !b4a.equals(there, bytes))
      throw new SdkError('CONFLICT', `${join(storage, path)} is there already and is another one: move it away first`)
  }
  await makeSecretFolder(storage)
  for (const [path, bytes] of Object.entries(others)) {
    await makeSecretFolder(join(storage, path, '..'))
    await createSecretFile(join(storage, path), bytes)
  }
  if (!(await createSecretFile(join(storage, identityFile), identity))) await refuseIdentity(storage)
  return { key, at, files: Object.keys(files) }
}

async function refuseIdentity(storage: string): Promise<void> {
  const path = join(storage, identityFile)
  const there = await readSecretFile(path, maxBackupBytes)
  if (!there) return
  const who = await keyIn(there, path).then(fingerprintOf, () => 'that cannot be read')
  throw new SdkError(
    'CONFLICT',
    `${storage} is a node already (${who}), which would be lost: move ${identityFile} away first, or restore into another folder`,
  )
}

async function keyIn(bytes: Uint8Array, what: string): Promise<Key> {
  return keyOf((await openKeyFile(bytes, what, 'node')).keyPair)
}

async function pathsIn(storage: string): Promise<string[]> {
  const entries = await readdir(storage, { withFileTypes: true }).catch(() => [])
  const below = entries.filter((entry) => entry.isDirectory())
  const inner = await Promise.all(
    below.map(async ({ name: folder }) => (await readdir(join(storage, folder))).map((file) => `${folder}/${file}`)),
  )
  return [...entries.filter((entry) => entry.isFile()).map((entry) => entry.name), ...inner.flat()]
    .filter(isKept)
    .sort()
}

/** What stands in an opened backup. Throws SECRET_DAMAGED, also for a path that is none of what is backed up. */
export function parseBundle(bytes: Uint8Array): { at: number; files: Record<string, Uint8Array> } {
  let bundle: ReturnType<typeof checked>
  try {
    bundle = checked(JSON.parse(b4a.toString(bytes)))
  } catch {
    throw damaged('what it holds cannot be understood')
  }
  const strange = Object.keys(bundle.files).find((path) => !isKept(path))
  if (strange !== undefined) throw damaged(`it holds ${strange}, which is none of what is backed up`)
  const files = Object.entries(bundle.files).map(([path, text]) => [path, b4a.from(text, 'base64')] as const)
  return { at: bundle.at, files: Object.fromEntries(files) }
}

function checked(value: unknown) {
  return check(BundleSchema, value, 'the backup')
}

function damaged(why: string): SdkError {
  return new SdkError('SECRET_DAMAGED', `the backup is damaged: ${why}`)
}
