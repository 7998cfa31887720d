import { randomBytes } from 'node:crypto'
import { open, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Credentials, Device } from '#devices'
import { check, type DeviceEntry, DeviceEntrySchema, SdkError, Type } from '#model'
import { type Env, secretOf } from '#node'

/** What the operator says of a device's account. */
export type Secret = Pick<DeviceEntry, 'username' | 'password'>

/** The operator's accounts by device id; kept in a file of mode 0600 beside the store, never in the feed. */
export interface Secrets {
  get(id: string): Secret | undefined
  /** What was set at run time, without what the configuration says. */
  own(id: string): Secret | undefined
  /** Resolves when it is on the disk. An empty secret is forgotten. */
  set(id: string, secret: Secret | undefined): Promise<void>
}

const FileSchema = Type.Record(
  Type.String(),
  Type.Object({
    username: DeviceEntrySchema.properties.username,
    password: DeviceEntrySchema.properties.password,
  }),
)

/**
 * Opens `<folder>/credentials.json`. `configured` are the accounts of the configuration file: they stay there, and what was set at run
 * time goes before them. Throws STORE_FAILED if the file cannot be read.
 */
export async function openSecrets(folder: string, configured: ReadonlyMap<string, Secret>): Promise<Secrets> {
  const path = join(folder, 'credentials.json')
  const kept = new Map<string, Secret>(Object.entries(await load(path)))
  let writing: Promise<void> = Promise.resolve()

  return {
    get(id) {
      const own = kept.get(id)
      const base = configured.get(id)
      return own || base ? { ...base, ...own } : undefined
    },
    own: (id) => kept.get(id),
    set(id, secret) {
      if (secret && Object.keys(secret).length > 0) kept.set(id, secret)
      else if (!kept.delete(id)) return Promise.resolve()
      const text = JSON.stringify(Object.fromEntries(kept))
      writing = writing.catch(() => {}).then(() => writeSafely(path, text))
      return writing
    },
  }
}

async function load(path: string): Promise<Record<string, Secret>> {
  try {
    return check(FileSchema, JSON.parse(await readFile(path, 'utf8')), 'credentials.json', 'STORE_FAILED')
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

/** Whole or not at all, also when the power goes: a new file, synced, then renamed over the old one. */
async function writeSafely(path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.credentials-${randomBytes(6).toString('hex')}`)
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
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
