import b4a from 'b4a'
import crypto from 'hypercore-crypto'
import { type Grant, type KeyPair, keyOf, type Verification } from '#keys'
import { SdkError } from '#model'

export interface Peer extends KeyPair {
  readonly key: string
}

/** The same peer for the same name. */
export function peer(name: string): Peer {
  const pair = crypto.keyPair(b4a.from(name.padEnd(32, '.').slice(0, 32)))
  return { ...pair, key: keyOf(pair) }
}

export const at = 1_800_000_000_000
export const hour = 3_600_000

export function seenBy(root: Peer, more: Partial<Verification> = {}): Verification {
  return { fleet: root.key, now: at, revoked: () => false, ...more }
}

/** The error that the call must end with: code and sentence. */
export async function refusal(call: () => unknown): Promise<{ code: string; message: string }> {
  try {
    await call()
  } catch (error) {
    if (error instanceof SdkError) return { code: error.code, message: error.message }
    throw error
  }
  throw new Error('it must be refused')
}

/** The grant with some facts changed after it was signed. */
export function tampered(grant: Grant, changes: Partial<Grant>): Grant {
  return { ...grant, ...changes }
}
