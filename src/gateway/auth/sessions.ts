import { join } from 'node:path'
import { type Clock, type Log, type Static, Type } from '#model'
import { jsonFile } from '#node'
import { hashOf, newSecret } from './secret.js'

export const sessionCookie = 'msdk_session'
/** A session ends after so long, ms, whatever it is used for. */
export const sessionLifeMs = 7 * 24 * 3_600_000
/** Sessions at once; the oldest ends first. */
const maxSessions = 500

const SessionSchema = Type.Object({
  /** Not secret: stands in the audit. */
  id: Type.String(),
  hash: Type.String(),
  /** The token it was opened with; it ends with it. null: by a sign-in link, as the operator. */
  tokenId: Type.Union([Type.String(), Type.Null()]),
  createdAt: Type.Number(),
  expiresAt: Type.Number(),
})
export type Session = Static<typeof SessionSchema>

export interface Sessions {
  /** Opens one; `secret` goes into the cookie and is kept nowhere else. */
  open(tokenId: string | null, notAfter: number | null): Promise<{ session: Session; secret: string }>
  find(secret: string): Session | undefined
  has(id: string): boolean
  end(id: string): Promise<void>
  endOf(tokenId: string): Promise<void>
  readonly size: number
}

/** The signed-in browsers: hashes in `sessions.json`, mode 0600, so that a restart signs nobody out. */
export async function openSessions(storage: string, clock: Clock, log: Log): Promise<Sessions> {
  const file = jsonFile(join(storage, 'sessions.json'), Type.Array(SessionSchema))
  const known = await file.load().catch((error) => {
    log.warn({ err: error }, 'the sessions are lost; everybody has to sign in again')
    return undefined
  })
  const sessions = new Map((known ?? []).map((session) => [session.hash, session]))
  const forget = async (match: (session: Session) => boolean) => {
    const ending = [...sessions.values()].filter(match)
    for (const { hash } of ending) sessions.delete(hash)
    if (ending.length > 0) await file.save([...sessions.values()])
  }
  return {
    async open(tokenId, notAfter) {
      const at = clock.now()
      for (const session of sessions.values()) if (session.expiresAt <= at) sessions.delete(session.hash)
      while (sessions.size >= maxSessions) sessions.delete(sessions.keys().next().value as string)
      const secret = newSecret()
      const session: Session = {
        id: newSecret(4),
        hash: hashOf(secret),
        tokenId,
        createdAt: at,
        expiresAt: Math.min(at + sessionLifeMs, notAfter ?? Number.POSITIVE_INFINITY),
      }
      sessions.set(session.hash, session)
      await file.save([...sessions.values()])
      return { session, secret }
    },
    find(secret) {
      const session = sessions.get(hashOf(secret))
      return session && session.expiresAt > clock.now() ? session : undefined
    },
    has: (id) => [...sessions.values()].some((session) => session.id === id && session.expiresAt > clock.now()),
    end: (id) => forget((session) => session.id === id),
    endOf: (tokenId) => forget((session) => session.tokenId === tokenId),
    get size() {
      return sessions.size
    },
  }
}
