import { type ErrorCode, type ErrorInfo, isErrorCode, SdkError } from '#model'

/**
 * A request is a head and a body: `u16 length | method name | JSON { input, timeoutMs }`. The name comes first so that a guard can
 * decide without parsing what a stranger sent. A reply is one JSON document: `{ value }` or `{ error }`.
 */
export interface Request {
  method: string
  input: unknown
  /** What is left of the caller's deadline when it was sent, ms. */
  timeoutMs?: number
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** One message in either direction; larger answers are paged by their contract. */
export const maxMessageBytes = 8 * 1024 * 1024
const maxMethodBytes = 128
const maxErrorMessage = 4096

export function encodeRequest({ method, input, timeoutMs }: Request): Uint8Array {
  const name = encoder.encode(method)
  const body = encoder.encode(JSON.stringify(timeoutMs === undefined ? { input } : { input, timeoutMs }))
  if (name.length > maxMethodBytes) throw new SdkError('BAD_REQUEST', 'method name too long')
  if (body.length > maxMessageBytes)
    throw new SdkError('TOO_LARGE', `request of ${body.length} bytes, at most ${maxMessageBytes}`)
  const bytes = new Uint8Array(2 + name.length + body.length)
  bytes[0] = name.length >> 8
  bytes[1] = name.length & 0xff
  bytes.set(name, 2)
  bytes.set(body, 2 + name.length)
  return bytes
}

/** The method's name alone; throws BAD_REQUEST on anything else. */
export function methodOf(bytes: Uint8Array): string {
  const length = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)
  if (bytes.length < 2 || length === 0 || length > maxMethodBytes || bytes.length < 2 + length)
    throw new SdkError('BAD_REQUEST', 'not a request')
  return text(bytes.subarray(2, 2 + length))
}

export function decodeRequest(bytes: Uint8Array): Request {
  if (bytes.length > maxMessageBytes + maxMethodBytes + 2)
    throw new SdkError('TOO_LARGE', `request of ${bytes.length} bytes`)
  const method = methodOf(bytes)
  const body = parse(text(bytes.subarray(2 + ((bytes[0]! << 8) | bytes[1]!))))
  const timeoutMs = body.timeoutMs
  return { method, input: body.input, ...(typeof timeoutMs === 'number' && timeoutMs >= 0 ? { timeoutMs } : {}) }
}

export function encodeValue(value: unknown): Uint8Array {
  const bytes = encoder.encode(JSON.stringify({ value }))
  if (bytes.length > maxMessageBytes)
    throw new SdkError('TOO_LARGE', `reply of ${bytes.length} bytes, at most ${maxMessageBytes}`)
  return bytes
}

/** Never throws: details that cannot travel stay behind. */
export function encodeError({ code, message, details }: ErrorInfo): Uint8Array {
  const short = { code, message: message.slice(0, maxErrorMessage) }
  if (details === undefined) return encoder.encode(JSON.stringify({ error: short }))
  try {
    const bytes = encoder.encode(JSON.stringify({ error: { ...short, details } }))
    if (bytes.length <= maxMessageBytes) return bytes
  } catch {
    // A circle, a bigint, or something else that JSON does not know.
  }
  return encodeError(short)
}

/** The value of a reply; an error reply is thrown as the SdkError it was. */
export function decodeReply(bytes: Uint8Array): unknown {
  if (bytes.length > maxMessageBytes) throw new SdkError('TOO_LARGE', `reply of ${bytes.length} bytes`)
  const reply = parse(text(bytes))
  if (!Object.hasOwn(reply, 'error')) return reply.value
  const error = (reply.error ?? {}) as { code?: unknown; message?: unknown; details?: unknown }
  const code = isErrorCode(error.code) ? error.code : 'INTERNAL'
  const message = typeof error.message === 'string' ? error.message : code
  throw new SdkError(code, message, error.details === undefined ? {} : { details: error.details })
}

const errorHead = encoder.encode('{"error":{"code":"')
const quote = 0x22

/** The code of an error reply, read without parsing it; undefined for a value. */
export function errorCodeOf(reply: Uint8Array): ErrorCode | undefined {
  if (reply[2] !== errorHead[2]) return undefined
  for (let at = 0; at < errorHead.length; at++) if (reply[at] !== errorHead[at]) return undefined
  const end = reply.indexOf(quote, errorHead.length)
  if (end < 0 || end - errorHead.length > maxMethodBytes) return undefined
  const code = String.fromCharCode(...reply.subarray(errorHead.length, end))
  return isErrorCode(code) ? code : undefined
}

function text(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new SdkError('BAD_REQUEST', 'not UTF-8', { cause })
  }
}

function parse(json: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw new SdkError('BAD_REQUEST', 'not JSON', { cause })
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new SdkError('BAD_REQUEST', 'not a message')
  return value as Record<string, unknown>
}
