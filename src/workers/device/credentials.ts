import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Credentials, Device } from '#devices'
import { check, type DeviceEntry, DeviceEntrySchema, SdkError, Type } from '#model'
import { type Env, secretOf, type Vault } from '#node'

/** What the operator says of a device's account. */
export type Secret = Pick<DeviceEntry, 'username' | 'password'>

/** The operator's accounts by device id; kept in the worker's vault, never in the feed. */
export interface Secrets {
  /** The same object until it is changed. */
  get(id: string): Secret | undefined
  /** What was set at run time, without what the configuration says. */
  own(id: string): Secret | undefined
  /** Resolves when it is on the disk. An empty secret is forgotten. */
  set(id: string, secret: Secret | undefined): Promise<void>
}

const SecretSchema = Type.Object({
  username: DeviceEntrySchema.properties.username,
  password: DeviceEntrySchema.properties.password,
})
const PlainFileSchema = Type.Record(Type.String(), SecretSchema)

/**
 * The accounts in the vault. `configured` are those of the configuration file: they stay there, and what was set at run time goes before
 * them. What an older version kept in the open in `folder` is taken over and removed. Throws STORE_FAILED if that cannot be read.
 */
export async function openSecrets(
  vault: Vault,
  folder: string,
  configured: ReadonlyMap<string, Secret>,
): Promise<Secrets> {
  await takeOver(join(folder, 'credentials.json'), vault)
  // Opened and put together once: every visit asks for them, and sees by the same object that nothing has changed.
  const kept = new Map(vault.list().map((id) => [id, parse(vault.get(id)!)]))
  const accounts = new Map(configured)
  for (const [id, own] of kept) accounts.set(id, { ...configured.get(id), ...own })

  return {
    get: (id) => accounts.get(id),
    own: (id) => kept.get(id),
    async set(id, secret) {
      if (secret && Object.keys(secret).length > 0) {
        kept.set(id, secret)
        accounts.set(id, { ...configured.get(id), ...secret })
        await vault.set(id, JSON.stringify(secret))
      } else if (kept.delete(id)) {
        const base = configured.get(id)
        if (base) accounts.set(id, base)
        else accounts.delete(id)
        await vault.delete(id)
      }
    },
  }
}

function parse(text: string): Secret {
  return check(SecretSchema, JSON.parse(text), 'a secret of the vault', 'STORE_FAILED')
}

/** Before this version the accounts stood in a file that only its owner could read, but in the open. */
async function takeOver(path: string, vault: Vault): Promise<void> {
  const plain = Object.entries(await load(path))
  // What the vault knows is newer: the file was only not yet removed.
  const missing = plain.filter(([id]) => vault.get(id) === undefined)
  await Promise.all(missing.map(([id, secret]) => vault.set(id, JSON.stringify(secret))))
  await rm(path, { force: true })
}

async function load(path: string): Promise<Record<string, Secret>> {
  try {
    return check(PlainFileSchema, JSON.parse(await readFile(path, 'utf8')), 'credentials.json', 'STORE_FAILED')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    if (error instanceof SdkError) throw error
    throw new SdkError('STORE_FAILED', 'the file with the device credentials cannot be read', {
      cause: nameOnly(error),
    })
  }
}

/** A parser's message may quote what it read. */
function nameOnly(error: unknown): Error {
  return new Error(error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.name) : 'unknown')
}

/** The entry without its account, and the account. */
export function split({ username, password, ...entry }: DeviceEntry): {
  entry: DeviceEntry
  secret: Secret | undefined
} {
  if (username === undefined && password === undefined) return { entry, secret: undefined }
  return {
    entry,
    secret: { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) },
  }
}

/**
 * The accounts to try, in order: the operator's, then the vendor's defaults. A password that stands in the environment is looked up
 * now; one that is not there is left out.
 */
export function accountsOf(secret: Secret | undefined, devices: readonly Device[], environment?: Env): Credentials[] {
  const defaults = devices.flatMap((device) => device.defaults.credentials)
  const password = secret?.password === undefined ? undefined : secretOf(secret.password, environment)
  const own: Credentials[] = []
  if (secret && password !== undefined) {
    own.push({ username: secret.username ?? defaults[0]?.username ?? 'admin', password })
  } else if (secret?.username !== undefined) {
    own.push(...defaults.map((account) => ({ ...account, username: secret.username! })))
  }
  const all = [...own, ...defaults]
  return all.filter(
    (account, index) =>
      all.findIndex((other) => other.username === account.username && other.password === account.password) === index,
  )
}
