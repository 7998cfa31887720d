import { SdkError, toSdkError, withDeadline } from '#model'
import type { Credentials, Io, Protocol, Reply } from '../io.js'
import { http, statusError, webPort } from './http.js'
import { digestHttp } from './http-digest.js'
import { inTurn } from './in-turn.js'
import { fields, str } from './json.js'
import { jsonOf } from './rest.js'

/** A request to `/cgi-bin/<cgi>.cgi`; with a body it is a POST. */
export interface WebRequest {
  readonly cgi: string
  readonly json?: unknown
  readonly form?: Readonly<Record<string, string>>
  /** Logs and what older builds answer in plain words. */
  readonly as?: 'json' | 'text'
  /** It does something: never sent twice. */
  readonly once?: boolean
  /** A longer reply is refused, bytes. */
  readonly maxBytes?: number
}

export { jsonOf, webPort }
export const engineeringPort = { name: 'engineering', default: 6060 } as const
export const factoryLogin: readonly Credentials[] = [{ username: 'root', password: 'root' }]

/**
 * The web interface of Bitmain's stock firmware (protocols/antminer.md §1): digest login, one request after the other on one
 * connection. If it cannot be reached or refuses the password, the rest is not asked.
 */
export const bitmainWeb: Protocol<WebRequest> = {
  name: 'bitmain-web',
  port: webPort,
  ask: (io, requests) =>
    inTurn(io, requests, (request) => web(io, request), {
      gone: ['DEVICE_UNREACHABLE', 'DEVICE_AUTH'],
      otherwise: 'DEVICE_BAD_REPLY',
    }),
}

/** The text, or the parsed JSON, of a reply with status 2xx; every other one throws with its code. */
export async function web(io: Io, request: WebRequest): Promise<unknown> {
  const path = cgiPath(request.cgi)
  const { once = false, maxBytes } = request
  const limit = maxBytes === undefined ? {} : { maxBytes }
  const response = await digestHttp(io, webPort, { path, once, ...limit, ...bodyOf(request) }, factoryLogin)
  const error = statusError(response, path)
  if (error) throw error
  return request.as === 'text' ? response.body.toString('utf8') : jsonOf(response)
}

export function cgiPath(cgi: string): string {
  return `/cgi-bin/${cgi}.cgi`
}

function bodyOf({ json, form }: WebRequest) {
  if (json !== undefined)
    return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) } as const
  if (form === undefined) return {}
  const body = new URLSearchParams(form).toString()
  return { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body } as const
}

/** What the codes of a refused write mean (protocols/antminer.md §1.5); the device's own words are added. */
const refusals: Readonly<Record<string, string>> = {
  M001: 'the miner configuration was refused',
  N001: 'the network configuration was refused',
  P001: 'the present password was wrong',
  P002: 'the two new passwords differ',
  U001: 'the firmware was refused',
  B001: 'the LED command was refused',
}

/** Throws DEVICE_REFUSED if the reply to a write says no, in plain words. Builds answer `{}`, nothing or `success` for yes. */
export function throwIfRefused(reply: unknown) {
  const { stats, code, msg, success } = fields(reply)
  const key = str(code) ?? ''
  const isError = /^(error|fail)/i.test(str(stats) ?? '') || success === false || Object.hasOwn(refusals, key)
  if (!isError) return
  const meaning = refusals[key] ?? 'the device refused'
  const words = str(msg)?.slice(0, 200)
  throw new SdkError('DEVICE_REFUSED', words ? `${meaning}: ${words}` : meaning, {
    details: { vendorCode: key || null },
  })
}

/** A side door that answers at all answers at once, ms. */
const engineeringMs = 1500
/** A closed side door is left alone for so long, ms. */
const closedMs = 600_000
const closedKey = 'bitmain engineering port closed until'

/**
 * The engineering port of newer models (protocols/antminer.md §3): plain text without login. Where it is closed or refuses, the
 * answer is DEVICE_UNSUPPORTED, and the next ten minutes cost no packet.
 */
export const bitmainEngineering: Protocol<{ readonly path: string }> = {
  name: 'bitmain-engineering',
  port: engineeringPort,
  async ask(io, requests) {
    const replies: Reply[] = []
    for (const { path } of requests) replies.push(await engineering(io, path))
    return replies
  },
}

async function engineering(io: Io, path: string): Promise<Reply> {
  const until = io.memory.get(closedKey)
  const closed = new SdkError('DEVICE_UNSUPPORTED', 'the engineering port is closed')
  if (typeof until === 'number' && io.clock.now() < until) return { error: closed }
  try {
    const ask = (signal: AbortSignal) => http({ ...io, signal }, engineeringPort, { path, maxBytes: 4096 })
    const response = await withDeadline(engineeringMs, io.signal, ask, 'DEVICE_TIMEOUT')
    const text = response.body.toString('utf8').trim()
    const error = statusError(response, path)
    if (error) return { error }
    if (text.startsWith('error')) return { error: new SdkError('DEVICE_UNSUPPORTED', text.slice(0, 80)) }
    return { value: text }
  } catch {
    if (io.signal.aborted) return { error: toSdkError(io.signal.reason, 'CANCELLED') }
    io.memory.set(closedKey, io.clock.now() + closedMs)
    return { error: closed }
  }
}
