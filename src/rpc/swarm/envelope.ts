import b4a from 'b4a'
import { matches, SdkError, type Static, Type } from '#model'
import { type Caller, scopes } from '../contract.js'
import { callerLimits } from '../guard.js'

/**
 * The messages between two peers, all numbers big-endian:
 * `call   u8 version | u32 id | u8 length, contract | u8 length, service | u16 length, JSON of the asked caller (none: 0) | request`
 * `reply  u32 id | u8 0 answered, 1 refused: nothing was begun | reply`
 * `cancel u32 id`, `ping` and `pong u32 number`.
 */
const version = 1
const fixedBytes = 9
export const replyHeadBytes = 5
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

export function encodeCall(id: number, address: Uint8Array, asked: Uint8Array, request: Uint8Array): Uint8Array {
  const bytes = b4a.allocUnsafe(7 + address.length + asked.length + request.length)
  bytes[0] = version
  put32(bytes, 1, id)
  bytes.set(address, 5)
  let at = 5 + address.length
  bytes[at++] = asked.length >> 8
  bytes[at++] = asked.length & 0xff
  bytes.set(asked, at)
  bytes.set(request, at + asked.length)
  return bytes
}

/** Strict: throws BAD_REQUEST for whatever is not exactly a call. The request itself is not looked at. */
export function decodeCall(bytes: Uint8Array): Call {
  if (bytes.length < fixedBytes || bytes[0] !== version) throw malformed()
  let at = 5
  const take = (length: number) => {
    if (length > bytes.length - at) throw malformed()
    at += length
    return bytes.subarray(at - length, at)
  }
  const name = () => {
    const length = take(1)[0]!
    if (length === 0 || length > maxNameBytes) throw malformed()
    return text(take(length))
  }
  const contract = name()
  const service = name()
  const size = take(2)
  const asked = take((size[0]! << 8) | size[1]!)
  return {
    id: get32(bytes, 1),
    contract,
    service,
    asked: asked.length > 0 ? callerOf(asked) : undefined,
    request: bytes.subarray(at),
  }
}

/** The number of a call that is otherwise malformed, so that its sender can be told. */
export function idOf(bytes: Uint8Array): number | undefined {
  return bytes.length >= 5 && bytes[0] === version ? get32(bytes, 1) : undefined
}

export function encodeReply(id: number, refused: boolean, reply: Uint8Array): Uint8Array {
  const bytes = b4a.allocUnsafe(replyHeadBytes + reply.length)
  put32(bytes, 0, id)
  bytes[4] = refused ? 1 : 0
  bytes.set(reply, replyHeadBytes)
  return bytes
}

/** undefined for what is not a reply. */
export function decodeReplyHead(bytes: Uint8Array): { id: number; refused: boolean; reply: Uint8Array } | undefined {
  if (bytes.length < replyHeadBytes || bytes[4]! > 1) return undefined
  return { id: get32(bytes, 0), refused: bytes[4] === 1, reply: bytes.subarray(replyHeadBytes) }
}

export function encodeNumber(number: number): Uint8Array {
  const bytes = b4a.allocUnsafe(4)
  put32(bytes, 0, number)
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
