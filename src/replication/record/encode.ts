import b4a from 'b4a'
import type { Key, KeyPair } from '#keys'
import { check, type ErrorCode, SdkError } from '#model'
import { type Envelope, EnvelopeSchema, maxIntentBytes, type Reason, reasons } from './intent.js'
import { type Intent, kinds } from './intents/index.js'
import { signEnvelope } from './signed.js'

/** The intent as it stands in a log. Throws BAD_REQUEST or TOO_LARGE for what no peer would take. */
export function encode(
  intent: Intent,
  { at, record, as }: { at: number; record: Key; as: KeyPair | undefined },
): { bytes: Uint8Array; fromStrangers: boolean } {
  const { op, at: meant, ...fields } = intent
  const kind = kinds.get(op)
  if (!kind) throw new SdkError('BAD_REQUEST', `there is no intent ${op}`)
  check(kind.schema, fields, `the intent ${op}`)
  const plain = check(EnvelopeSchema, { op, v: kind.version, at: meant ?? at, fields }, `the intent ${op}`)
  const envelope: Envelope = as ? signEnvelope(record, plain, as) : plain
  const bytes = b4a.from(JSON.stringify(envelope))
  if (bytes.byteLength > maxIntentBytes)
    throw new SdkError('TOO_LARGE', `an intent has at most ${maxIntentBytes} bytes, this has ${bytes.byteLength}`)
  return { bytes, fromStrangers: kind.fromStrangers === true }
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
