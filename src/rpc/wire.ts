import b4a from 'b4a'
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

/** A mark at the beginning is a character like any other. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** One message in either direction; larger answers are paged by their contract. */
export const maxMessageBytes = 8 * 1024 * 1024
const maxMethodBytes = 127
const maxErrorMessage = 4096

export function encodeRequest({ method, input, timeoutMs }: Request): Uint8Array {
  const body = JSON.stringify(timeoutMs === undefined ? { input } : { input, timeoutMs })
  const nameLength = b4a.byteLength(method)
  if (nameLength > maxMethodBytes) throw new SdkError('BAD_REQUEST', 'method name too long')
  // The length is two characters of one byte each: all is encoded at once.
  const bytes = b4a.from(`\0${String.fromCharCode(nameLength)}${method}${body}`)
  const length = bytes.length - 2 - nameLength
  if (length > maxMessageBytes)
    throw new SdkError('TOO_LARGE', `request of ${length} bytes, at most ${maxMessageBytes}`)
  return bytes
}

/** The method's name alone; throws BAD_REQUEST on anything else. */
export function methodOf(bytes: Uint8Array): string {
  const length = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)
  if (bytes.length < 2 || length === 0 || length > maxMethodBytes || bytes.length < 2 + length)
    throw new SdkError('BAD_REQUEST', 'not a request')
  return nameAt(bytes, 2, 2 + length)
}

export function decodeRequest(bytes: Uint8Array): Request {
  if (bytes.length > maxMessageBytes + maxMethodBytes + 2)
    throw new SdkError('TOO_LARGE', `request of ${bytes.length} bytes`)
  const method = methodOf(bytes)
  const body = parse(text(bytes.subarray(2 + bytes[1]!)))
  const timeoutMs = body.timeoutMs
  return { method, input: body.input, ...(typeof timeoutMs === 'number' && timeoutMs >= 0 ? { timeoutMs } : {}) }
}

export function encodeValue(value: unknown): Uint8Array {
  const bytes = b4a.from(JSON.stringify({ value }))
  if (bytes.length > maxMessageBytes)
    throw new SdkError('TOO_LARGE', `reply of ${bytes.length} bytes, at most ${maxMessageBytes}`)
  return bytes
}

/** Never throws: details that cannot travel stay behind. */
export function encodeError({ code, message, details }: ErrorInfo): Uint8Array {
  const short = { code, message: message.slice(0, maxErrorMessage) }
  if (details === undefined) return b4a.from(JSON.stringify({ error: short }))
  try {
    const bytes = b4a.from(JSON.stringify({ error: { ...short, details } }))
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

const errorHead = b4a.from('{"error":{"code":"')
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

/** A short name out of a message. Nearly all are plain ASCII, and decoding them so costs a fraction. */
export function nameAt(bytes: Uint8Array, start: number, end: number): string {
  let name = ''
  for (let at = start; at < end; at++) {
    const code = bytes[at]!
    if (code >= 0x80) return text(bytes.subarray(start, end))
    name += String.fromCharCode(code)
  }
  return name
}

function text(bytes: Uint8Array): string {
  const lenient = b4a.toString(bytes)
  // Without the mark of what could not be decoded there is nothing to be strict about.
  if (!lenient.includes('\ufffd')) return lenient
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
