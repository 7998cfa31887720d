import b4a from 'b4a'
import { type Grant, GrantSchema, type Identity, type Key, keyOf, keyPattern, signProof, verifyProof } from '#keys'
import { type Clock, check, errorInfo, isErrorCode, type Log, SdkError, type Static, Type, within } from '#model'
import { NameSchema } from '../names.js'
import type { NoiseStream } from '../network/index.js'
import { type Membership, MembershipSchema } from './membership.js'

/** What a guest says at the door: who it is, with a proof that it holds that key, made for this one connection. */
const RequestSchema = Type.Object({
  version: Type.Literal(1),
  key: Type.String({ pattern: keyPattern }),
  name: NameSchema,
  proof: Type.String({ pattern: '^[0-9a-f]{128}$' }),
})

const ReplySchema = Type.Union([
  Type.Object({ membership: MembershipSchema, grant: GrantSchema }),
  Type.Object({ error: Type.Object({ code: Type.String(), message: Type.String({ maxLength: 1000 }) }) }),
])

export interface Admission {
  readonly membership: Membership
  readonly grant: Grant
}

/** Who was let in, or why not: decided by whoever keeps the invites. */
export type Admit = (guest: { key: Key; name: string }) => Promise<Admission>

const maxRequestBytes = 4096
const maxReplyBytes = 128 * 1024
/** From the first word to the last; where hundreds come at once, one waits for the others. */
const talkMs = 45_000
const purpose = 'miningsdk/join/1'

export interface Host {
  readonly admit: Admit
  /** Told of the key of a connection whose guest did not say who it is, or could not prove it. */
  readonly onStranger: (key: Key) => void
  readonly clock: Clock
  readonly log: Log
}

/** The host's side of one connection at the door of an invite. Never rejects. */
export async function receive(stream: NoiseStream, { admit, onStranger, clock, log }: Host) {
  try {
    const reply = await within({ what: 'the talk at the door', ms: talkMs, signals: [], clock }, async () => {
      const guest = await introduced(stream).catch((error) => {
        onStranger(keyOf({ publicKey: stream.remotePublicKey }))
        throw error
      })
      return admit(guest)
    })
    stream.write(b4a.from(JSON.stringify(reply)))
  } catch (error) {
    const { code, message } = errorInfo(error)
    log.warn({ err: error }, 'somebody was refused at the door of an invite')
    if (!stream.destroyed) stream.write(b4a.from(JSON.stringify({ error: { code, message } })))
  }
  stream.end()
}

async function introduced(stream: NoiseStream): Promise<{ key: Key; name: string }> {
  const request = parse(await firstMessage(stream, maxRequestBytes))
  const { key, name, proof } = check(RequestSchema, request, 'the request')
  if (!verifyProof(key, purpose, occasion(stream), proof))
    throw new SdkError('UNAUTHENTICATED', 'the proof of the key is wrong')
  return { key, name }
}

/** The guest's side of an open stream: what the fleet is and the grant for this machine. Throws what the host refused with. */
export async function ask(stream: NoiseStream, identity: Identity, name: string, clock: Clock): Promise<Admission> {
  return within({ what: 'the talk at the door', ms: talkMs, signals: [], clock }, async () => {
    const proof = signProof(identity.keyPair(), purpose, occasion(stream))
    stream.write(b4a.from(JSON.stringify({ version: 1, key: identity.key, name, proof })))
    const reply: Static<typeof ReplySchema> = check(
      ReplySchema,
      parse(await firstMessage(stream, maxReplyBytes)),
      'the answer at the door',
    )
    stream.end()
    if (!('error' in reply)) return reply
    const { code, message } = reply.error
    throw new SdkError(isErrorCode(code) ? code : 'FORBIDDEN', message)
  })
}

/** Of this connection alone: a proof made for it is worth nothing on another. */
function occasion({ handshakeHash }: NoiseStream): Uint8Array {
  if (!handshakeHash) throw new SdkError('UNAVAILABLE', 'the connection is not open')
  return handshakeHash
}

function firstMessage(stream: NoiseStream, mostBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    stream.once('data', (message: Uint8Array) => {
      if (message.byteLength <= mostBytes) resolve(message)
      else reject(new SdkError('TOO_LARGE', `a message of ${message.byteLength} bytes`))
    })
    stream.once('close', () => reject(new SdkError('UNAVAILABLE', 'the other side went away without an answer')))
  })
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(b4a.toString(bytes))
  } catch {
    throw new SdkError('BAD_REQUEST', 'not JSON')
  }
}
