import b4a from 'b4a'
import type { Key, KeyPair } from '#keys'
import { check, type ErrorCode, SdkError } from '#model'
import { type Envelope, EnvelopeSchema, type IntentKind, maxIntentBytes, type Reason, reasons } from './intent.js'
import { type Intent, kinds } from './intents/index.js'
import { signEnvelope, signedDigest } from './signed.js'

/** What makes an intent somebody's own word, whoever writes it: when it was meant, and by whom it is signed. */
export interface Word {
  /** ms. */
  readonly at: number
  readonly by: Key
  readonly signature: string
}

/**
 * Signs the intent for this record alone, away from where it is written: who writes it says the same intent with `at` and `signed` of the
 * word. Throws BAD_REQUEST.
 */
export function signIntent(record: Key, intent: Intent, author: KeyPair, at: number): Word {
  const { signed } = signEnvelope(record, plainOf(intent, at).envelope, author)
  return { at, ...signed! }
}

/**
 * The intent as it stands in a log. Throws BAD_REQUEST or TOO_LARGE for what no peer would take, FORBIDDEN for a signature that is not of
 * this intent.
 */
export function encode(
  intent: Intent,
  { at, record, as }: { at: number; record: Key; as: KeyPair | undefined },
): { bytes: Uint8Array; fromStrangers: boolean } {
  const { kind, envelope: plain } = plainOf(intent, at)
  const envelope = as ? signEnvelope(record, plain, as) : plain
  // The record would refuse it, too, and keep in mind for ever that it did.
  if (envelope.signed && signedDigest(record, envelope) === undefined) throw refusal('signature')
  const bytes = b4a.from(JSON.stringify(envelope))
  if (bytes.byteLength > maxIntentBytes)
    throw new SdkError('TOO_LARGE', `an intent has at most ${maxIntentBytes} bytes, this has ${bytes.byteLength}`)
  return { bytes, fromStrangers: kind.fromStrangers === true }
}

function plainOf(intent: Intent, now: number): { kind: IntentKind; envelope: Envelope } {
  const { op, at = now, signed, ...fields } = intent
  const kind = kinds.get(op)
  if (!kind) throw new SdkError('BAD_REQUEST', `there is no intent ${op}`)
  check(kind.schema, fields, `the intent ${op}`)
  const plain = { op, v: kind.version, at, fields, ...(signed ? { signed } : {}) }
  return { kind, envelope: check(EnvelopeSchema, plain, `the intent ${op}`) }
}

const codes: Readonly<Record<Reason, ErrorCode>> = {
  malformed: 'BAD_REQUEST',
  'too-large': 'TOO_LARGE',
  'no-fleet': 'CONFLICT',
  'not-a-writer': 'FORBIDDEN',
  'not-a-member': 'FORBIDDEN',
  grant: 'FORBIDDEN',
  revoked: 'FORBIDDEN',
  role: 'FORBIDDEN',
  signature: 'FORBIDDEN',
  repeated: 'CONFLICT',
  conflict: 'CONFLICT',
  unsigned: 'CONFLICT',
  older: 'CONFLICT',
  unknown: 'NOT_FOUND',
}

export function refusal(reason: Reason): SdkError {
  return new SdkError(codes[reason], `the fleet record did not take it: ${reasons[reason]}`, { details: { reason } })
}
