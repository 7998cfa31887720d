import b4a from 'b4a'
import { matches, SdkError, type Static, Type } from '#model'
import { type Caller, scopes } from '../contract.js'
import { callerLimits } from '../guard.js'
import { nameAt } from '../wire.js'

/** What a message is; its number stands at its beginning. */
export const kinds = ['call', 'reply', 'cancel', 'ping', 'pong'] as const
export type Kind = (typeof kinds)[number]
const numberOf = Object.fromEntries(kinds.map((kind, at) => [kind, at])) as Record<Kind, number>

/**
 * The messages between two peers: `u8 kind | u32 length of the body | body`, all numbers big-endian. The bodies:
 * `call   u8 version | u32 id | u8 length, contract | u8 length, service | u16 length, JSON of the asked caller (none: 0) | request`
 * `reply  u32 id | u8 0 answered, 1 refused: nothing was begun | reply`
 * `cancel u32 id`, `ping` and `pong u32 number`.
 */
const version = 1
const headBytes = 5
const fixedBytes = 9
const replyBytes = 5
const maxNameBytes = 128
const maxCallerBytes = 65_535

const names = Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { maxItems: 10_000 }))
const AskedSchema = Type.Object(
  {
    id: Type.String({ minLength: 1, maxLength: 128 }),
    scope: Type.Enum(scopes),
    sites: names,
    libraries: names,
    devices: names,
  },
  { additionalProperties: false },
)

export interface Call {
  readonly id: number
  readonly contract: string
  readonly service: string
  /** In whose name; absent: in the peer's own. */
  readonly asked: Caller | undefined
  readonly request: Uint8Array
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })
const nothing = new Uint8Array()

/** Where a call goes to, encoded once. Throws BAD_REQUEST for names that cannot be. */
export function encodeAddress(contract: string, service: string): Uint8Array {
  const parts = [contract, service].map((name) => encoder.encode(name))
  if (parts.some(({ length }) => length === 0 || length > maxNameBytes))
    throw new SdkError('BAD_REQUEST', 'the name of a contract or service is empty or too long')
  return b4a.concat(parts.flatMap((part) => [Uint8Array.of(part.length), part]))
}

/** In whose name a call is made, encoded. Throws TOO_LARGE for limits that fill more than 64 KiB. */
export function encodeAsked(caller: Caller | undefined): Uint8Array {
  if (!caller) return nothing
  const asked: Record<string, unknown> = { id: caller.id, scope: caller.scope }
  for (const limit of callerLimits) if (caller[limit]) asked[limit] = caller[limit]
  const bytes = encoder.encode(JSON.stringify(asked))
  if (bytes.length > maxCallerBytes)
    throw new SdkError('TOO_LARGE', `the limits of ${caller.id} fill ${bytes.length} bytes, at most ${maxCallerBytes}`)
  return bytes
}

/** Throws BAD_REQUEST if the bytes are not messages, one after the other, to the end. */
export function forEachMessage(bytes: Uint8Array, take: (kind: Kind, body: Uint8Array) => void): void {
  for (let at = 0; at < bytes.length; ) {
    const kind = kinds[bytes[at]!]
    const start = at + headBytes
    if (!kind || start > bytes.length) throw malformed()
    at = start + get32(bytes, at + 1)
    if (at > bytes.length) throw malformed()
    take(kind, bytes.subarray(start, at))
  }
}

function message(kind: Kind, length: number): Uint8Array {
  const bytes = b4a.allocUnsafe(headBytes + length)
  bytes[0] = numberOf[kind]
  put32(bytes, 1, length)
  return bytes
}

export function encodeCall(id: number, address: Uint8Array, asked: Uint8Array, request: Uint8Array): Uint8Array {
  const bytes = message('call', 7 + address.length + asked.length + request.length)
  bytes[headBytes] = version
  put32(bytes, headBytes + 1, id)
  let at = headBytes + 5
  bytes.set(address, at)
  at += address.length
  bytes[at++] = asked.length >> 8
  bytes[at++] = asked.length & 0xff
  bytes.set(asked, at)
  bytes.set(request, at + asked.length)
  return bytes
}

/** Strict: throws BAD_REQUEST for whatever is not exactly a call. The request itself is not looked at. */
export function decodeCall(bytes: Uint8Array): Call {
  if (bytes.length < fixedBytes || bytes[0] !== version) throw malformed()
  const contractAt = 6
  const serviceAt = contractAt + bytes[contractAt - 1]! + 1
  const askedAt = serviceAt + (bytes[serviceAt - 1] ?? 0) + 2
  if (askedAt > bytes.length) throw malformed()
  const requestAt = askedAt + ((bytes[askedAt - 2]! << 8) | bytes[askedAt - 1]!)
  if (requestAt > bytes.length) throw malformed()
  return {
    id: get32(bytes, 1),
    contract: nameOf(bytes, contractAt, serviceAt - 1),
    service: nameOf(bytes, serviceAt, askedAt - 2),
    asked: requestAt > askedAt ? callerOf(bytes.subarray(askedAt, requestAt)) : undefined,
    request: bytes.subarray(requestAt),
  }
}

function nameOf(bytes: Uint8Array, start: number, end: number): string {
  if (end <= start || end - start > maxNameBytes) throw malformed()
  return nameAt(bytes, start, end)
}

/** The number of a call that is otherwise malformed, so that its sender can be told. */
export function idOf(bytes: Uint8Array): number | undefined {
  return bytes.length >= 5 && bytes[0] === version ? get32(bytes, 1) : undefined
}

export function encodeReply(id: number, refused: boolean, reply: Uint8Array): Uint8Array {
  const bytes = message('reply', replyBytes + reply.length)
  put32(bytes, headBytes, id)
  bytes[headBytes + 4] = refused ? 1 : 0
  bytes.set(reply, headBytes + replyBytes)
  return bytes
}

/** undefined for what is not a reply. */
export function decodeReplyBody(bytes: Uint8Array): { id: number; refused: boolean; reply: Uint8Array } | undefined {
  if (bytes.length < replyBytes || bytes[4]! > 1) return undefined
  return { id: get32(bytes, 0), refused: bytes[4] === 1, reply: bytes.subarray(replyBytes) }
}

export function encodeNumber(kind: 'cancel' | 'ping' | 'pong', number: number): Uint8Array {
  const bytes = message(kind, 4)
  put32(bytes, headBytes, number)
  return bytes
}

export function decodeNumber(bytes: Uint8Array): number | undefined {
  return bytes.length === 4 ? get32(bytes, 0) : undefined
}

function callerOf(bytes: Uint8Array): Static<typeof AskedSchema> {
  let value: unknown
  try {
    value = JSON.parse(text(bytes))
  } catch {
    throw malformed()
  }
  if (!matches(AskedSchema, value)) throw malformed()
  return value
}

function text(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw malformed()
  }
}

const malformed = () => new SdkError('BAD_REQUEST', 'not a call')

function put32(bytes: Uint8Array, at: number, value: number) {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

function get32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}
