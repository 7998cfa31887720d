import { type Static, Type } from '#model'
import type { Identity } from '../auth/authenticate.js'
import { sameOrigin } from '../auth/origin.js'
import { sessionCookie } from '../auth/sessions.js'
import { ScopeSchema } from '../auth/tokens.js'
import type { Gateway } from '../gateway.js'
import { route } from '../route.js'
import { nullable, strict } from './shapes.js'

const SessionSchema = Type.Object({
  id: Type.String(),
  scope: ScopeSchema,
  sites: nullable(Type.Array(Type.String())),
  expiresAt: nullable(Type.Number()),
})

/** Where nothing can be changed nobody is shown how. */
function sessionOf({ caller, expiresAt }: Identity, { readOnly }: Gateway): Static<typeof SessionSchema> {
  const scope = readOnly ? 'read' : caller.scope
  return { id: caller.id, scope, sites: caller.sites ? [...caller.sites] : null, expiresAt }
}

/** Out of reach of scripts, sent only by our own page. Not `Secure`: a gateway on loopback or a LAN speaks plain HTTP. */
function cookie(value: string, maxAgeS: number): string {
  return `${sessionCookie}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeS}`
}

const secret = Type.String({ minLength: 1, maxLength: 256 })

export const sessionRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/session',
    group: 'session',
    scope: 'open',
    summary: 'Signs a browser in with the code of a sign-in link, or with a token',
    body: Type.Union([Type.Object({ code: secret }, strict), Type.Object({ token: secret }, strict)]),
    reply: SessionSchema,
    audit: { params: false, result: ({ id }) => id },
    async handle(gateway, { body, address, header, answer }) {
      const { auth, clock } = gateway
      const shown = { host: header('host'), origin: header('origin'), fetchSite: header('sec-fetch-site') }
      if (shown.origin !== undefined || shown.fetchSite !== undefined) sameOrigin(shown)
      const { identity, cookie: value } = await auth.signIn(body, address)
      answer.header('set-cookie', cookie(value, Math.floor((identity.expiresAt! - clock.now()) / 1000)))
      return sessionOf(identity, gateway)
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/session',
    group: 'session',
    scope: 'read',
    summary: 'Who is signed in, with which scope, at which sites, until when',
    reply: SessionSchema,
    handle: (gateway, { identity }) => sessionOf(identity!, gateway),
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/session',
    group: 'session',
    scope: 'read',
    summary: 'Signs out',
    async handle({ auth }, { identity, answer }) {
      if (identity?.sessionId) await auth.sessions.end(identity.sessionId)
      answer.header('set-cookie', cookie('', 0))
      return undefined
    },
  }),
]
