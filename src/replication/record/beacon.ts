import b4a from 'b4a'
import crypto from 'hypercore-crypto'
import { bytesOf, clockToleranceMs, type Key, type KeyPair, keyOf } from '#keys'
import { matches, type Static, Type } from '#model'
import { fields, KeySchema, SignatureSchema, TimeSchema } from './intent.js'
import { canonical } from './signed.js'

const maxHeads = 64
export const maxBeaconBytes = 16 * 1024

/**
 * The word of one who writes the record: at this time, these were the ends of its writers' logs. Passed on from peer to peer unchanged; a
 * copy that has all of them was current then. Stored nowhere.
 */
export const BeaconSchema = fields({
  v: Type.Literal(1),
  at: TimeSchema,
  by: KeySchema,
  heads: Type.Array(fields({ log: KeySchema, length: Type.Integer({ minimum: 0 }) }), { maxItems: maxHeads }),
  signature: SignatureSchema,
})
export type Beacon = Static<typeof BeaconSchema>
export type Head = Beacon['heads'][number]

function statementOf(record: Key, { v, at, by, heads }: Omit<Beacon, 'signature'>): Uint8Array {
  return b4a.from(canonical(['miningsdk/beacon/1', record, v, at, by, heads]))
}

export function signBeacon(record: Key, at: number, heads: readonly Head[], member: KeyPair): Beacon {
  const unsigned = { v: 1 as const, at, by: keyOf(member), heads: heads.slice(0, maxHeads) }
  const signature = b4a.toString(crypto.sign(statementOf(record, unsigned), member.secretKey), 'hex')
  return { ...unsigned, signature }
}

/** What a peer sent, if it is a beacon of this record, of a time that can be; says nothing of who signed it. */
export function readBeacon(bytes: Uint8Array, record: Key, now: number): Beacon | undefined {
  if (bytes.byteLength > maxBeaconBytes) return undefined
  let value: unknown
  try {
    value = JSON.parse(b4a.toString(bytes))
  } catch {
    return undefined
  }
  if (!matches(BeaconSchema, value) || value.at > now + clockToleranceMs) return undefined
  const genuine = crypto.verify(statementOf(record, value), b4a.from(value.signature, 'hex'), bytesOf(value.by))
  return genuine ? value : undefined
}

export function writeBeacon(beacon: Beacon): Uint8Array {
  return b4a.from(JSON.stringify(beacon))
}
