import { type Clock, SdkError } from '#model'
import type { Caller } from '#rpc'
import { createLimiter } from '../limiter.js'
import { type SignInCodes, signInCodes } from './codes.js'
import type { Sessions } from './sessions.js'
import type { Token, Tokens } from './tokens.js'

/** Who is behind a request, and how that was shown. */
export interface Identity {
  readonly caller: Caller & Pick<Token, 'scope'>
  readonly via: 'token' | 'session'
  readonly tokenId: string | null
  readonly sessionId: string | null
  /** When this stops being good, ms; null: never by itself. */
  readonly expiresAt: number | null
}

export interface Credentials {
  /** The Authorization header. */
  readonly authorization?: string | undefined
  /** The session cookie. */
  readonly cookie?: string | undefined
  /** Where from; failures are counted by it. */
  readonly address: string
}

export interface Authenticator {
  readonly tokens: Tokens
  readonly sessions: Sessions
  readonly codes: SignInCodes
  /** Null if nothing was shown. Throws UNAUTHENTICATED for what is not good, RATE_LIMITED after many of those. */
  identify(shown: Credentials): Identity | null
  /** Opens a session for a one-time code or a token. */
  signIn(shown: { code: string } | { token: string }, address: string): Promise<{ identity: Identity; cookie: string }>
  /** Whether an identity is still good: not revoked, ended or expired. */
  holds(identity: Identity): boolean
  /** Takes a token back, and with it the sessions that it opened. */
  revoke(tokenId: string): Promise<void>
}

/** So many wrong tokens, codes and cookies from one address at once, then one in six seconds. What is good always passes. */
const failures = { burst: 10, perSecond: 1 / 6 }

export function authenticator(clock: Clock, tokens: Tokens, sessions: Sessions): Authenticator {
  const codes = signInCodes(clock)
  const failed = createLimiter(clock, failures)

  const refuse = (address: string, message: string): never => {
    const waitS = failed.take(address)
    if (waitS > 0) {
      throw new SdkError('RATE_LIMITED', 'too many wrong tokens or sign-ins', { details: { retryAfterS: waitS } })
    }
    throw new SdkError('UNAUTHENTICATED', message)
  }
  const byToken = (token: Token): Identity => ({
    caller: callerOf(`token:${token.id}`, token),
    via: 'token',
    tokenId: token.id,
    sessionId: null,
    expiresAt: token.expiresAt,
  })
  const bySession = (secret: string): Identity | undefined => {
    const session = sessions.find(secret)
    const token = session?.tokenId ? tokens.get(session.tokenId) : undefined
    if (!session || (session.tokenId && !token)) return undefined
    return {
      caller: token ? callerOf(`token:${token.id}`, token) : { id: `session:${session.id}`, scope: 'admin' },
      via: 'session',
      tokenId: session.tokenId,
      sessionId: session.id,
      expiresAt: session.expiresAt,
    }
  }
  const open = async (tokenId: string | null, notAfter: number | null) => {
    const { secret } = await sessions.open(tokenId, notAfter)
    return { identity: bySession(secret)!, cookie: secret }
  }

  return {
    tokens,
    sessions,
    codes,
    identify({ authorization, cookie, address }) {
      if (authorization !== undefined) {
        const token = tokens.verify(/^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? '')
        return token ? byToken(token) : refuse(address, 'the token is unknown, revoked or expired')
      }
      // An old cookie is no attack: the page then shows its sign-in. Guessing one is counted like any other failure where it matters.
      return (cookie && bySession(cookie)) || null
    },
    async signIn(shown, address) {
      if ('code' in shown) {
        if (!codes.redeem(shown.code)) refuse(address, 'the sign-in link was used already or is older than 10 minutes')
        return open(null, null)
      }
      const token = tokens.verify(shown.token.trim())
      return token ? open(token.id, token.expiresAt) : refuse(address, 'the token is unknown, revoked or expired')
    },
    holds({ tokenId, sessionId, expiresAt }) {
      if (expiresAt !== null && expiresAt <= clock.now()) return false
      if (tokenId !== null && !tokens.get(tokenId)) return false
      return sessionId === null || sessions.has(sessionId)
    },
    async revoke(tokenId) {
      await tokens.revoke(tokenId)
      await sessions.endOf(tokenId)
    },
  }
}

function callerOf(id: string, { scope, sites }: Token): Identity['caller'] {
  return sites === null ? { id, scope } : { id, scope, sites }
}
