import b4a from 'b4a'
import crypto from 'hypercore-crypto'
import { bytesOf, clockToleranceMs, type Key, type KeyPair, keyOf } from '#keys'
import { matches, type Static, Type } from '#model'
import { fields, KeySchema, SignatureSchema, TimeSchema } from './intent.js'
import { canonical } from './signed.js'

const maxHeads = 64
/** So many who write are passed on, the newest word of each. */
export const maxBeacons = 16
const maxBytes = 128 * 1024

/**
 * The word of one who writes the record: at this time, these were the ends of its writers' logs as it knows them, and so long ago its own
 * copy was `current`; null: never. Passed on from peer to peer unchanged; a copy that has all of the ends is as current. Stored nowhere.
 */
export const BeaconSchema = fields({
  v: Type.Literal(2),
  at: TimeSchema,
  current: Type.Union([TimeSchema, Type.Null()]),
  by: KeySchema,
  heads: Type.Array(fields({ log: KeySchema, length: Type.Integer({ minimum: 0 }) }), { maxItems: maxHeads }),
  signature: SignatureSchema,
})
export type Beacon = Static<typeof BeaconSchema>
export type Head = Beacon['heads'][number]
const BeaconsSchema = Type.Array(BeaconSchema, { maxItems: maxBeacons })

function statementOf(record: Key, { v, at, current, by, heads }: Omit<Beacon, 'signature'>): Uint8Array {
  return b4a.from(canonical(['miningsdk/beacon/2', record, v, at, current, by, heads]))
}

export function signBeacon(
  record: Key,
  { at, current, heads }: Pick<Beacon, 'at' | 'current' | 'heads'>,
  member: KeyPair,
): Beacon {
  const unsigned = { v: 2 as const, at, current, by: keyOf(member), heads: heads.slice(0, maxHeads) }
  const signature = b4a.toString(crypto.sign(statementOf(record, unsigned), member.secretKey), 'hex')
  return { ...unsigned, signature }
}

/** What a peer sent, if it may be beacons of a time that can be; whether they are genuine is not known yet. */
export function readBeacons(bytes: Uint8Array, now: number): readonly Beacon[] | undefined {
  if (bytes.byteLength > maxBytes) return undefined
  let value: unknown
  try {
    value = JSON.parse(b4a.toString(bytes))
  } catch {
    return undefined
  }
  const canBe = ({ at, current }: Beacon) => at <= now + clockToleranceMs && (current ?? at) <= at
  return matches(BeaconsSchema, value) && value.every(canBe) ? value : undefined
}

/** Whether whoever it names has signed it, for this record; says nothing of what that one may do. */
export function isGenuine(record: Key, beacon: Beacon): boolean {
  return crypto.verify(statementOf(record, beacon), b4a.from(beacon.signature, 'hex'), bytesOf(beacon.by))
}

export function writeBeacons(beacons: readonly Beacon[]): Uint8Array {
  return b4a.from(JSON.stringify(beacons))
}
