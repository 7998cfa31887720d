import b4a from 'b4a'
import crypto from 'hypercore-crypto'
import sodium from 'sodium-universal'
import z32 from 'z32'

/** A peer, by its ed25519 public key (also its Noise static key): 64 lower-case hex digits. */
export type Key = string
export const keyPattern = '^[0-9a-f]{64}$'

export interface KeyPair {
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

export const seedBytes = 32

export function keyOf(pair: { readonly publicKey: Uint8Array }): Key {
  return b4a.toString(pair.publicKey, 'hex')
}

export function isKey(text: unknown): text is Key {
  return typeof text === 'string' && new RegExp(keyPattern).test(text)
}

export function bytesOf(key: Key): Uint8Array {
  return b4a.from(key, 'hex')
}

const fingerprintLength = 12

/** How a key is called in logs and to people: the first 12 characters of its z-base-32. 60 bits: to tell apart, not to trust. */
export function fingerprintOf(key: Key): string {
  return z32.encode(bytesOf(key)).slice(0, fingerprintLength)
}

/** 32 bytes out of a secret (16 to 64 bytes) for one purpose: keyed BLAKE2b. One purpose tells nothing of another, nor of the secret. */
export function derive(secret: Uint8Array, purpose: string): Uint8Array {
  const out = b4a.alloc(seedBytes)
  sodium.crypto_generichash(out, b4a.from(`miningsdk/1/${purpose}`), secret)
  return out
}

/** The key pair of a secret for one purpose. */
export function deriveKeyPair(secret: Uint8Array, purpose: string): KeyPair {
  return crypto.keyPair(derive(secret, `key/${purpose}`))
}

/** Unkeyed BLAKE2b, `length` bytes (16 to 64). */
export function digest(bytes: Uint8Array, length: number): Uint8Array {
  const out = b4a.alloc(length)
  sodium.crypto_generichash(out, bytes)
  return out
}

/** Where fresh secrets come from; tests pass their own. */
export type Random = (count: number) => Uint8Array
export const random: Random = crypto.randomBytes
