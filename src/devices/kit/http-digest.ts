import { SdkError } from '#model'
import type { Credentials, Io, PortName } from '../io.js'
import { authorization, type Challenge, openSession, parseChallenge, type Session } from './digest.js'
import { type HttpRequest, type HttpResponse, http } from './http.js'

/** After a device refused everything we have, it is left in peace for so long, unless the credentials change, ms. */
const refusedMs = 60_000
/** A challenge that was met may be answered within this, ms. */
const metMs = 5_000
/** How often a nonce that has become too old is replaced for one request. */
const staleTries = 2

/** What the memory of a device keeps between visits: the login that worked, or that none did. */
interface Login {
  session?: Session
  /** What a request without a login was answered just now. */
  met?: { readonly at: number; readonly challenge: Challenge }
  refused?: { readonly at: number; readonly tried: readonly Credentials[]; readonly error: SdkError }
}

/**
 * One request to a device with digest login. The nonce is used as long as the device takes it, so that a visit costs no extra requests.
 * Credentials are tried in order, those of the operator before `defaults`. Throws DEVICE_AUTH if all are refused, else as `http`.
 */
export async function digestHttp(
  io: Io,
  port: PortName,
  request: HttpRequest,
  defaults: readonly Credentials[],
): Promise<HttpResponse> {
  const login = loginOf(io, port)
  const all = [...io.credentials, ...defaults.filter((each) => !io.credentials.some((other) => same(each, other)))]
  if (login.refused) {
    const isRecent = io.clock.now() - login.refused.at < refusedMs
    if (
      isRecent &&
      all.length === login.refused.tried.length &&
      all.every((each, i) => same(each, login.refused!.tried[i]!))
    )
      throw login.refused.error
    delete login.refused
  }
  const { session } = login
  const known = session && all.find((each) => same(each, session.credentials))
  let challenge = known ? undefined : metBefore(io, login)
  if (!challenge) {
    const response = await send(io, port, request, known ? session : undefined)
    if (response.status !== 401) return response
    challenge = challengeOf(response)
  }
  for (const credentials of known ? [known, ...all.filter((each) => each !== known)] : all) {
    for (let tries = 0; tries < staleTries; tries++) {
      const fresh = openSession(challenge, credentials)
      const answer = await send(io, port, request, fresh)
      if (answer.status !== 401) {
        login.session = fresh
        return answer
      }
      challenge = challengeOf(answer)
      if (!challenge.stale) break
    }
  }
  delete login.session
  const onlyDefaults = all.length === defaults.length
  const error = new SdkError(
    'DEVICE_AUTH',
    onlyDefaults
      ? 'the device refuses the default password: it needs its own'
      : `the device refuses the password (${all.length} tried)`,
  )
  login.refused = { at: io.clock.now(), tried: all, error }
  throw error
}

/** Keeps the challenge of a request that was made without a login: whoever signs in next need not ask for one. */
export function meetChallenge(io: Io, port: PortName, { headers }: HttpResponse): Challenge | undefined {
  const challenge = parseChallenge(headers['www-authenticate'])
  if (challenge) loginOf(io, port).met = { at: io.clock.now(), challenge }
  return challenge
}

/** Answered once: a nonce that was used is in the session. */
function metBefore(io: Io, login: Login): Challenge | undefined {
  const { met } = login
  delete login.met
  return met && io.clock.now() - met.at < metMs ? met.challenge : undefined
}

/** To be called after the password of the device was changed through us. */
export function forgetLogin(io: Io, port: PortName) {
  io.memory.delete(memoryKey(port))
}

function loginOf(io: Io, port: PortName): Login {
  const key = memoryKey(port)
  const known = io.memory.get(key) as Login | undefined
  if (known) return known
  const login: Login = {}
  io.memory.set(key, login)
  return login
}

const memoryKey = ({ name }: PortName) => `digest login: ${name}`

function send(io: Io, port: PortName, request: HttpRequest, session: Session | undefined): Promise<HttpResponse> {
  if (!session) return http(io, port, request)
  const { method = 'GET', path, headers = {} } = request
  const more = typeof headers === 'function' ? headers() : headers
  return http(io, port, {
    ...request,
    headers: () => ({ ...more, authorization: authorization(session, method, path) }),
  })
}

function challengeOf({ headers }: HttpResponse): Challenge {
  const challenge = parseChallenge(headers['www-authenticate'])
  if (!challenge)
    throw new SdkError('DEVICE_AUTH', 'the device wants a login of a kind that stock firmware does not use')
  return challenge
}

function same(a: Credentials, b: Credentials): boolean {
  return a.username === b.username && a.password === b.password
}

/** The credentials that the device took last. */
export function loginInUse(io: Io, port: PortName): Credentials | undefined {
  return loginOf(io, port).session?.credentials
}
