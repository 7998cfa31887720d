import b4a from 'b4a'
import crypto from 'hypercore-crypto'
import { bytesOf, type Key, type KeyPair } from './key.js'

/**
 * Shows that who speaks holds the key, for one purpose and one occasion (`context`: the handshake hash of the connection), so that it
 * proves nothing anywhere else. 128 hex digits.
 */
export function signProof(pair: KeyPair, purpose: string, context: Uint8Array): string {
  return b4a.toString(crypto.sign(b4a.concat([b4a.from(`${purpose}\n`), context]), pair.secretKey), 'hex')
}

export function verifyProof(key: Key, purpose: string, context: Uint8Array, proof: string): boolean {
  return crypto.verify(b4a.concat([b4a.from(`${purpose}\n`), context]), b4a.from(proof, 'hex'), bytesOf(key))
}
