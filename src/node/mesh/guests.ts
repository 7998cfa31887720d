import { type Clock, SdkError, within } from '#model'
import type { Guest } from '#rpc'
import type { Admission } from './door.js'

/** Less than the talk at a door may take. */
const waitMs = 40_000

interface Waiting {
  readonly guest: Guest
  readonly letIn: (admission: Admission) => void
}

/** Guests whose grants the owner signs: each waits at its door for somebody who has the owner's key. */
export interface Guests {
  /** Throws UNAVAILABLE if nobody signs in time. */
  wait(invite: string, guest: Guest): Promise<Admission>
  at(invite: string): Waiting | undefined
  close(): void
}

export function createGuests(clock: Clock): Guests {
  const waiting = new Map<string, Waiting>()
  const closing = new AbortController()
  return {
    at: (invite) => waiting.get(invite),
    async wait(invite, guest) {
      const limits = { what: 'the signature of the owner', ms: waitMs, signals: [closing.signal], clock }
      try {
        return await within(limits, () => new Promise<Admission>((letIn) => void waiting.set(invite, { guest, letIn })))
      } catch (cause) {
        const message = 'the owner of the fleet has not signed: leave the command open there that made the invite'
        throw new SdkError('UNAVAILABLE', message, { cause })
      } finally {
        waiting.delete(invite)
      }
    },
    close: () => closing.abort(),
  }
}
