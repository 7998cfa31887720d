import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type ErrorCode, SdkError } from '#model'
import { type Caller, includes } from '#rpc'
import type { Identity } from './auth/authenticate.js'
import { hostCheck, sameOrigin } from './auth/origin.js'
import { sessionCookie } from './auth/sessions.js'
import type { Gateway } from './gateway.js'
import { createLimiter } from './limiter.js'
import type { AnyRoute } from './route.js'

/** What is known of a request on its way. */
export interface RequestState {
  identity: Identity | null
  /** It passed every check and reached its handler. */
  checked: boolean
  /** What the handler answered, for the audit. */
  value?: unknown
  /** Why it was refused or failed. */
  code?: ErrorCode
}

declare module 'fastify' {
  interface FastifyRequest {
    state: RequestState | null
  }
  interface FastifyContextConfig {
    row?: AnyRoute
  }
}

/** Who shows nothing: may do nothing anywhere. */
export const nobody: Caller = Object.freeze({ id: 'nobody', scope: 'read', sites: Object.freeze([]) })

/** Requests of one caller, or of one address without one: so many at once, then so many a second. */
const requestRate = { burst: 1000, perSecond: 200 }

export interface GuardOptions {
  readonly host: string
  readonly allowedHosts: readonly string[]
}

/** The checks before a request's body is read: our host name, who it is, not too often, the scope, and for a cookie our own page. */
export function guardRequests(
  app: FastifyInstance,
  { auth, clock, readOnly }: Gateway,
  { host, allowedHosts }: GuardOptions,
): void {
  const checkHost = hostCheck(host, allowedHosts)
  const requests = createLimiter(clock, requestRate)

  app.decorateRequest('state', null)
  app.addHook('onRequest', async (request) => {
    const state: RequestState = { identity: null, checked: false }
    request.state = state
    checkHost(request.headers.host)
    const row = request.routeOptions.config.row
    const identify = () => auth.identify(shownBy(request))
    if (row) state.identity = row.scope === 'open' ? leniently(identify) : identify()
    const waitS = requests.take(state.identity?.caller.id ?? request.ip)
    if (waitS > 0) throw new SdkError('RATE_LIMITED', undefined, { details: { retryAfterS: waitS } })
    if (row) admit(request, row, state.identity)
    if (row && readOnly) refuseChange(row)
  })
}

/** An open route is open with a wrong token too; it just tells no more than without one. */
function leniently(identify: () => Identity | null): Identity | null {
  try {
    return identify()
  } catch {
    return null
  }
}

function shownBy(request: FastifyRequest) {
  const { authorization, cookie } = request.headers
  return { authorization, cookie: cookieOf(cookie), address: request.ip }
}

const cookiePattern = new RegExp(`(?:^|;\\s*)${sessionCookie}=([0-9a-f]{1,128})(?:;|$)`)

function cookieOf(header: string | undefined): string | undefined {
  return header === undefined ? undefined : cookiePattern.exec(header)?.[1]
}

function admit(request: FastifyRequest, { scope }: AnyRoute, identity: Identity | null): void {
  if (scope === 'open') return
  if (!identity) throw new SdkError('UNAUTHENTICATED')
  const { caller, via } = identity
  if (!includes(caller.scope, scope)) {
    throw new SdkError('FORBIDDEN', `this needs the scope ${scope}; ${caller.id} holds ${caller.scope}`)
  }
  if (via === 'session' && request.method !== 'GET' && request.method !== 'HEAD') {
    const { host, origin } = request.headers
    const fetchSite = request.headers['sec-fetch-site']
    sameOrigin({ host, origin, fetchSite: Array.isArray(fetchSite) ? fetchSite[0] : fetchSite })
  }
}

/** What a gateway that only reads still changes: its own. */
const ownGroups = ['session', 'tokens']

function refuseChange({ method, group }: AnyRoute): void {
  if (method === 'GET' || ownGroups.includes(group)) return
  throw new SdkError('FORBIDDEN', 'this gateway only reads: it belongs to a monitor, or is configured so')
}
