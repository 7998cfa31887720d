import type { Clock } from '#model'
import { hashOf, newSecret } from './secret.js'

/** How long a sign-in link is good, ms. */
export const codeLifeMs = 10 * 60_000
/** Codes that wait to be used; the oldest goes first. */
const maxCodes = 50

export interface SignInCodes {
  issue(): { code: string; expiresAt: number }
  /** True once for each code, within its life. */
  redeem(code: string): boolean
}

/** One-time codes for the sign-in link. They live in memory: a restart ends them. */
export function signInCodes(clock: Clock): SignInCodes {
  const waiting = new Map<string, number>()
  return {
    issue() {
      const code = newSecret(16)
      const expiresAt = clock.now() + codeLifeMs
      waiting.set(hashOf(code), expiresAt)
      if (waiting.size > maxCodes) waiting.delete(waiting.keys().next().value as string)
      return { code, expiresAt }
    },
    redeem(code) {
      const hash = hashOf(code)
      const expiresAt = waiting.get(hash)
      waiting.delete(hash)
      return expiresAt !== undefined && expiresAt > clock.now()
    },
  }
}
