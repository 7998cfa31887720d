import { join } from 'node:path'
import { type Clock, SdkError, type Static, Type } from '#model'
import { jsonFile } from '#node'
import { hashOf, newSecret, sameHash } from './secret.js'

const nullable = <T extends import('#model').TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** Who comes with a token is a person or a program, never a member of the mesh. */
export const ScopeSchema = Type.Enum(['read', 'control', 'admin'])
export const SitesSchema = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 100 })

/** What may be told of a token: all but its secret. */
export const TokenSchema = Type.Object({
  id: Type.String(),
  /** How the token begins: to find it again where it is used. */
  prefix: Type.String(),
  name: Type.String(),
  scope: ScopeSchema,
  /** The sites it is limited to; null: all. */
  sites: nullable(Type.Array(Type.String())),
  createdAt: nullable(Type.Number()),
  createdBy: nullable(Type.String()),
  expiresAt: nullable(Type.Number()),
  lastUsedAt: nullable(Type.Number()),
})
export type Token = Static<typeof TokenSchema>

const KeptSchema = Type.Array(Type.Object({ ...TokenSchema.properties, hash: Type.String() }))
type Kept = Token & { hash: string }

export const adminTokenId = 'admin'
const maxTokens = 1000
/** The last use is told exactly, but kept over a restart only so exactly, ms. */
const lastUseSavedMs = 5 * 60_000

export interface NewToken {
  name: string
  scope: Token['scope']
  sites: string[] | null
  expiresAt: number | null
  createdBy: string
}

export interface Tokens {
  /** The token that this is, unless it is unknown, revoked or expired. */
  verify(text: string): Token | undefined
  get(id: string): Token | undefined
  list(): Token[]
  /** The only time that the token itself is told. */
  create(wanted: NewToken): Promise<{ token: Token; secret: string }>
  /** Throws NOT_FOUND, or CONFLICT for the operator's own token. */
  revoke(id: string): Promise<void>
  close(): Promise<void>
}

/** `msdk_<id>_<secret>`, taken apart; undefined if it is not one. */
export function parseToken(text: string): { id: string; secret: string } | undefined {
  const parts = /^msdk_([a-z0-9]{4,16})_([0-9a-f]{48})$/.exec(text)
  return parts ? { id: parts[1]!, secret: parts[2]! } : undefined
}

const prefixOf = (id: string) => `msdk_${id}`

/** The tokens of a gateway: hashes in `tokens.json`, mode 0600, and the operator's own, which stands in its file alone. */
export async function openTokens(storage: string, adminToken: string, clock: Clock): Promise<Tokens> {
  const file = jsonFile(join(storage, 'tokens.json'), KeptSchema)
  const kept = new Map<string, Kept>(((await file.load()) ?? []).map((token) => [token.id, token]))
  const admin: Kept = {
    id: adminTokenId,
    prefix: prefixOf(adminTokenId),
    name: 'operator of this node',
    scope: 'admin',
    sites: null,
    createdAt: null,
    createdBy: null,
    expiresAt: null,
    lastUsedAt: null,
    hash: hashOf(parseToken(adminToken)!.secret),
  }
  let savedAt = clock.now()
  let unsaved = false
  const save = () => {
    savedAt = clock.now()
    unsaved = false
    return file.save([...kept.values()])
  }
  const live = (token: Kept | undefined) =>
    token && (token.expiresAt === null || token.expiresAt > clock.now()) ? token : undefined
  const find = (id: string) => (id === adminTokenId ? admin : kept.get(id))
  const used = (token: Kept) => {
    token.lastUsedAt = clock.now()
    if (token === admin) return
    unsaved = true
    if (clock.now() - savedAt >= lastUseSavedMs) save().catch(() => {})
  }
  return {
    verify(text) {
      const parts = parseToken(text)
      const token = parts && live(find(parts.id))
      if (!token || !sameHash(token.hash, hashOf(parts.secret))) return undefined
      used(token)
      return publicOf(token)
    },
    get(id) {
      const token = live(find(id))
      return token && publicOf(token)
    },
    list: () => [admin, ...kept.values()].map(publicOf),
    async create(wanted) {
      if (kept.size >= maxTokens) throw new SdkError('CONFLICT', `there are ${maxTokens} tokens already; revoke some`)
      const id = newSecret(4)
      const secret = newSecret()
      const made: Kept = {
        id,
        prefix: prefixOf(id),
        ...wanted,
        createdAt: clock.now(),
        lastUsedAt: null,
        hash: hashOf(secret),
      }
      kept.set(id, made)
      try {
        await save()
      } catch (error) {
        kept.delete(id)
        throw error
      }
      return { token: publicOf(made), secret: `${prefixOf(id)}_${secret}` }
    },
    async revoke(id) {
      if (id === adminTokenId) {
        throw new SdkError('CONFLICT', 'this token stands in admin.token; remove that file and restart to replace it')
      }
      if (!kept.delete(id)) throw new SdkError('NOT_FOUND', `there is no token ${id}`)
      await save()
    },
    close: async () => {
      if (unsaved) await save()
    },
  }
}

function publicOf({ hash: _, ...token }: Kept): Token {
  return token
}
