import b4a from 'b4a'
import crypto from 'hypercore-crypto'
import { bytesOf, type Key, type KeyPair, keyOf } from '#keys'
import type { Envelope } from './intent.js'

/** The same text for the same value, whatever order its keys were written in. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join()}}`
}

/** Of one intent in one record: the same intent signed for another record, or changed, is another statement. */
function statementOf(record: Key, { op, v, at, fields }: Envelope, by: Key): Uint8Array {
  return b4a.from(canonical(['miningsdk/intent/1', record, op, v, at, by, fields]))
}

/** The intent as its author's own, whoever's log carries it. */
export function signEnvelope(record: Key, envelope: Envelope, author: KeyPair): Envelope {
  const by = keyOf(author)
  const signature = crypto.sign(statementOf(record, envelope, by), author.secretKey)
  return { ...envelope, signed: { by, signature: b4a.toString(signature, 'hex') } }
}

/** The name of the signed intent, for using it once; undefined if the signature is not its author's. */
export function signedDigest(record: Key, envelope: Envelope): string | undefined {
  const { signed } = envelope
  if (!signed) return undefined
  const statement = statementOf(record, envelope, signed.by)
  if (!crypto.verify(statement, b4a.from(signed.signature, 'hex'), bytesOf(signed.by))) return undefined
  return b4a.toString(crypto.hash(statement).subarray(0, 16), 'hex')
}

function claimOf(record: Key, log: Key): Uint8Array {
  return b4a.from(`miningsdk/writer/1/${record}/${log}`)
}

/** A member's word that a log of this record is its own. */
export function claimLog(record: Key, log: Key, member: KeyPair): string {
  return b4a.toString(crypto.sign(claimOf(record, log), member.secretKey), 'hex')
}

export function isClaimed(record: Key, log: Key, member: Key, claim: string): boolean {
  return crypto.verify(claimOf(record, log), b4a.from(claim, 'hex'), bytesOf(member))
}
