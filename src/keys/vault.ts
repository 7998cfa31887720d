import { join } from 'node:path'
import b4a from 'b4a'
import { check, SdkError, type Static, Type } from '#model'
import { derive, type Random, random as systemRandom } from './key.js'
import { seal, unseal } from './seal.js'
import { readSecretFile, writeSecretFile } from './secret-file.js'

export const vaultFile = 'vault.json'

/** Small secrets by name, each sealed on the disk under a key of this node. Never in feeds, logs or answers. */
export interface Vault {
  get(name: string): string | undefined
  /** Durable when it resolves. Throws TOO_LARGE, STORE_FAILED. */
  set(name: string, secret: string): Promise<void>
  delete(name: string): Promise<void>
  /** The names, which are not secret. */
  list(): string[]
}

const maxSecretLength = 4096
const maxNameLength = 256
const maxSecrets = 50_000
const mostBytes = 256 * 1024 * 1024

const VaultSchema = Type.Object(
  {
    v: Type.Literal(1),
    /** Which key sealed it: tells another node's vault from a damaged one. */
    key: Type.String({ pattern: '^[0-9a-f]{32}$' }),
    secrets: Type.Record(Type.String(), Type.String()),
  },
  { additionalProperties: false },
)

/**
 * Opens `<folder>/vault.json`, empty if there is none; `seed` is the identity's for this vault. Everything in it is opened once, so that
 * damage is found now and not when it is needed. Throws SECRET_DAMAGED for what is damaged or of another node, SECRET_EXPOSED, STORE_FAILED.
 */
export async function openVault(folder: string, seed: Uint8Array, random: Random = systemRandom): Promise<Vault> {
  const path = join(folder, vaultFile)
  const key = derive(seed, 'vault/key')
  const keyId = b4a.toString(derive(seed, 'vault/id').subarray(0, 16), 'hex')
  const sealed = new Map(Object.entries(await load(path, keyId)))
  const open = (name: string, text: string) => unseal(key, b4a.from(text, 'base64'), contextOf(name))
  for (const [name, text] of sealed) {
    if (!open(name, text)) throw damaged(path, `the secret of ${name} was changed`)
  }

  let last: Promise<unknown> = Promise.resolve()
  let next: Promise<void> | undefined
  /** Everything that is changed while one write is under way goes to the disk with the next. */
  const save = (): Promise<void> => {
    next ??= last
      .catch(() => {})
      .then(async () => {
        next = undefined
        await writeSecretFile(path, JSON.stringify({ v: 1, key: keyId, secrets: Object.fromEntries(sealed) }))
      })
    last = next
    return next
  }

  return {
    get(name) {
      const text = sealed.get(name)
      if (text === undefined) return undefined
      const bytes = open(name, text)
      if (!bytes) throw damaged(path, `the secret of ${name} was changed`)
      return b4a.toString(bytes)
    },
    async set(name, secret) {
      if (name.length > maxNameLength || secret.length > maxSecretLength)
        throw new SdkError('TOO_LARGE', `a secret has at most ${maxSecretLength} characters`)
      if (sealed.size >= maxSecrets && !sealed.has(name))
        throw new SdkError('TOO_LARGE', `a vault holds at most ${maxSecrets} secrets`)
      sealed.set(name, b4a.toString(seal(key, b4a.from(secret), contextOf(name), random), 'base64'))
      await save()
    },
    async delete(name) {
      if (sealed.delete(name)) await save()
    },
    list: () => [...sealed.keys()],
  }
}

/** A secret opens only under its own name: none can be put in the place of another. */
function contextOf(name: string): string {
  return `miningsdk/vault/${name}`
}

async function load(path: string, keyId: string): Promise<Static<typeof VaultSchema>['secrets']> {
  const bytes = await readSecretFile(path, mostBytes)
  if (!bytes) return {}
  let value: unknown
  try {
    value = check(VaultSchema, JSON.parse(b4a.toString(bytes)), path)
  } catch {
    throw damaged(path, 'it is cut off or no vault')
  }
  const file = value as Static<typeof VaultSchema>
  if (file.key !== keyId)
    throw new SdkError(
      'SECRET_DAMAGED',
      `${path} was sealed by another node or service than this: restore the identity that belongs to it, or move it away and set its secrets anew`,
    )
  return file.secrets
}

function damaged(path: string, why: string): SdkError {
  return new SdkError(
    'SECRET_DAMAGED',
    `${path} is damaged (${why}): restore it from a backup, or move it away and set its secrets anew`,
  )
}
