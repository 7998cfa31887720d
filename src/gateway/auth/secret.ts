import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** Random enough that a plain hash protects it at rest: there is no dictionary of it. */
export const secretBytes = 24

export function newSecret(bytes = secretBytes): string {
  return randomBytes(bytes).toString('hex')
}

export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Whether two hashes are the same, in a time that does not tell how much of them is. */
export function sameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
