import { SdkError } from '#model'

/** Something that stays open: a connection to a gateway, a broker. */
export interface Session {
  close(): unknown
}

/** What stays open between visits, by key; whoever owns it (a worker's scope) closes it, and everything in it. */
export interface Sessions {
  /** The session of this key; opened by `open` if there is none. Throws TOO_LARGE beyond what may be open, CANCELLED once closed. */
  get<T extends Session>(key: string, open: () => T): T
  readonly size: number
  close(): Promise<void>
}

/** So many gateways a worker talks to at once. */
const maxSessions = 4096

export function openSessions(): Sessions {
  const open = new Map<string, Session>()
  let closed = false
  return {
    get<T extends Session>(key: string, make: () => T): T {
      if (closed) throw new SdkError('CANCELLED', 'the sessions are closed')
      const known = open.get(key)
      if (known) return known as T
      if (open.size >= maxSessions) throw new SdkError('TOO_LARGE', `${maxSessions} sessions are open already`)
      const made = make()
      open.set(key, made)
      return made
    },
    get size() {
      return open.size
    },
    async close() {
      closed = true
      const all = [...open.values()]
      open.clear()
      await Promise.allSettled(all.map((session) => session.close()))
    },
  }
}

/** Runs `job` with the session of the device's world; without one it is opened for this job and closed after it. */
export async function withSession<T extends Session, R>(
  sessions: Sessions | undefined,
  key: string,
  open: () => T,
  job: (session: T) => Promise<R>,
): Promise<R> {
  if (sessions) return job(sessions.get(key, open))
  const session = open()
  try {
    return await job(session)
  } finally {
    await session.close()
  }
}
