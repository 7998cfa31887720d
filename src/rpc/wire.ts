import { isErrorCode, SdkError, type ErrorInfo } from '#model'

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

export function encodeRequest({ method, input, timeoutMs }: Request): Uint8Array {
  const name = encoder.encode(method)
  const body = encoder.encode(JSON.stringify(timeoutMs === undefined ? { input } : { input, timeoutMs }))
  if (name.length > maxMethodBytes) throw new SdkError('BAD_REQUEST', 'method name too long')
  if (body.length > maxMessageBytes) throw new SdkError('TOO_LARGE', `request of ${body.length} bytes, at most ${maxMessageBytes}`)
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
  if (bytes.length < 2 || length === 0 || length > maxMethodBytes || bytes.length < 2 + length) throw new SdkError('BAD_REQUEST', 'not a request')
  return text(bytes.subarray(2, 2 + length))
}

export function decodeRequest(bytes: Uint8Array): Request {
  if (bytes.length > maxMessageBytes + maxMethodBytes + 2) throw new SdkError('TOO_LARGE', `request of ${bytes.length} bytes`)
  const method = methodOf(bytes)
  const body = parse(text(bytes.subarray(2 + ((bytes[0]! << 8) | bytes[1]!))))
  const timeoutMs = body['timeoutMs']
  return { method, input: body['input'], ...(typeof timeoutMs === 'number' && timeoutMs >= 0 ? { timeoutMs } : {}) }
}

export function encodeValue(value: unknown): Uint8Array {
  const bytes = encoder.encode(JSON.stringify({ value }))
  if (bytes.length > maxMessageBytes) throw new SdkError('TOO_LARGE', `reply of ${bytes.length} bytes, at most ${maxMessageBytes}`)
  return bytes
}

export function encodeError(error: ErrorInfo): Uint8Array {
  return encoder.encode(JSON.stringify({ error }))
}

/** The value of a reply; an error reply is thrown as the SdkError it was. */
export function decodeReply(bytes: Uint8Array): unknown {
  const reply = parse(text(bytes))
  const error = reply['error'] as Partial<ErrorInfo> | undefined
  if (error === undefined) return reply['value']
  const code = isErrorCode(error.code) ? error.code : 'INTERNAL'
  throw new SdkError(code, String(error.message ?? code), error.details === undefined ? {} : { details: error.details })
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
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new SdkError('BAD_REQUEST', 'not a message')
  return value as Record<string, unknown>
}
