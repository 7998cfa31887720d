import { SdkError, Type } from '#model'
import type { Caller } from '#rpc'
import { ScopeSchema, SitesSchema, type Token, TokenSchema } from '../auth/tokens.js'
import { route } from '../route.js'
import { IdParams, listOf, nullable, strict } from './shapes.js'

/** Ten years; "for ever" is null. */
const maxLifeMs = 3650 * 24 * 3_600_000

/** Who is limited to sites sees, makes and takes back only tokens within them. */
function within(caller: Caller, { sites }: Pick<Token, 'sites'>): boolean {
  return !caller.sites || (sites?.every((site) => caller.sites!.includes(site)) ?? false)
}

export const tokenRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/tokens',
    group: 'tokens',
    scope: 'admin',
    summary: 'The tokens, without their secrets',
    reply: listOf(TokenSchema),
    handle: ({ auth }, { caller }) => ({ data: auth.tokens.list().filter((token) => within(caller, token)) }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/tokens',
    group: 'tokens',
    scope: 'admin',
    summary: 'Makes a token; `token` is told this once and kept nowhere',
    body: Type.Object(
      {
        name: Type.String({ minLength: 1, maxLength: 128 }),
        scope: ScopeSchema,
        sites: Type.Optional(nullable(SitesSchema)),
        /** ms since the epoch; null or absent: it does not expire. */
        expiresAt: Type.Optional(nullable(Type.Number())),
      },
      strict,
    ),
    reply: Type.Object({ ...TokenSchema.properties, token: Type.String() }),
    status: 201,
    audit: { result: ({ id }) => id },
    async handle({ auth, clock }, { body, caller, answer }) {
      const { name, scope, sites = null, expiresAt = null } = body
      if (!within(caller, { sites }))
        throw new SdkError('FORBIDDEN', 'you may make tokens only for your own sites: name them')
      if (expiresAt !== null && (expiresAt <= clock.now() || expiresAt > clock.now() + maxLifeMs)) {
        const message = 'must be in the future and within ten years'
        throw new SdkError('BAD_REQUEST', `expiresAt ${message}`, {
          details: { problems: [{ path: '/expiresAt', message }] },
        })
      }
      const { token, secret } = await auth.tokens.create({ name, scope, sites, expiresAt, createdBy: caller.id })
      answer.header('location', `/api/v1/tokens/${token.id}`)
      return { ...token, token: secret }
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/tokens/{id}',
    group: 'tokens',
    scope: 'admin',
    summary: 'Takes a token back, and ends the sessions that were opened with it',
    params: IdParams,
    async handle({ auth }, { params: { id }, caller }) {
      const token = auth.tokens.list().find((one) => one.id === id)
      if (!token || !within(caller, token)) throw new SdkError('NOT_FOUND', `there is no token ${id}`)
      await auth.revoke(id)
      return undefined
    },
  }),
]
