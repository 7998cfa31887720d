import { SdkError, sleep, Type } from '#model'
import type { Io, PortName, Protocol } from '../io.js'
import { type HttpResponse, http, statusError } from './http.js'
import { inTurn } from './in-turn.js'
import { fields, parseJson, str } from './json.js'

export const httpsPort: PortName = { name: 'https', default: 443 }

/** A service on the web that is asked for the values of an account, such as a pool's. */
export interface WebApi {
  readonly name: string
  /** Where it is, unless `options.baseUrl` says otherwise. */
  readonly baseUrl: (io: Io) => string
  /** Pause between two calls to it, whoever makes them, ms. */
  readonly gapMs: number
  /** How the key is sent; absent: it needs none. */
  readonly keyHeader?: string
}

/** The parsed JSON, or the text, of a path below the base; from the slash on. */
export type WebCall = (path: string, request?: { readonly json?: unknown; readonly as?: 'text' }) => Promise<unknown>

/** What to ask; what it answers is parsed by the read. */
export type WebRequest<T = unknown> = (call: WebCall, io: Io) => Promise<T>

export const webOptions = {
  baseUrl: Type.Optional(
    Type.String({
      pattern: '^https?://[^\\s?#]+$',
      maxLength: 512,
      description: 'Its base URL, where it is not the usual one.',
    }),
  ),
  gapMs: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 60_000,
      description: 'Pause between calls, ms; default as the service asks for.',
    }),
  ),
}
interface WebOptions {
  readonly baseUrl?: string
  readonly gapMs?: number
}

/** What the calls to one service have in common, of all accounts of a worker. */
interface Turn {
  /** When the next call may go, of the clock's `hr`. */
  freeAt: number
  /** It said that it is asked too much: nobody asks before, of the clock's `hr`. */
  busyUntil: number
  close(): void
}

/** When it says "too many requests" without saying until when, ms; and the longest that is believed. */
const busyMs = 60_000
const mostBusyMs = 3_600_000

/** One call after the other, as far apart as the service wants; a visit's calls end when it cannot be reached or asks to be left in peace. */
export function webApi(api: WebApi): Protocol<WebRequest> {
  return {
    name: api.name,
    port: httpsPort,
    ask: (io, requests) =>
      inTurn(io, requests, (request) => request(callerOf(api, io), io), {
        gone: ['DEVICE_UNREACHABLE', 'DEVICE_BUSY', 'DEVICE_AUTH', 'CONFIG_INVALID'],
        otherwise: 'DEVICE_BAD_REPLY',
      }),
  }
}

function callerOf(api: WebApi, io: Io): WebCall {
  const { baseUrl, gapMs = api.gapMs } = (io.options ?? {}) as WebOptions
  const base = new URL(baseUrl ?? api.baseUrl(io))
  const open = (): Turn => ({ freeAt: 0, busyUntil: 0, close() {} })
  const turn = io.sessions?.get(`web ${base.origin}`, open) ?? open()
  return async (path, { json, as } = {}) => {
    await place(turn, gapMs, io, api.name)
    const response = await http(io, httpsPort, {
      origin: base.origin,
      method: json === undefined ? 'GET' : 'POST',
      path: `${base.pathname.replace(/\/$/, '')}${path}`,
      headers: {
        accept: 'application/json',
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...keyOf(api, io, base),
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    })
    return contentOf(response, { path, as, turn, io, api })
  }
}

async function place(turn: Turn, gapMs: number, { clock, signal }: Io, name: string) {
  const now = clock.hr()
  if (now < turn.busyUntil)
    throw new SdkError(
      'DEVICE_BUSY',
      `${name} asked to be left in peace for ${Math.ceil((turn.busyUntil - now) / 1000)} s more`,
    )
  const at = Math.max(now, turn.freeAt)
  turn.freeAt = at + gapMs
  if (at > now) await sleep(clock, at - now, signal)
}

/** The key goes over an encrypted way only, or to this machine. */
function keyOf({ keyHeader, name }: WebApi, io: Io, { protocol, hostname }: URL): Record<string, string> {
  if (keyHeader === undefined) return {}
  const key = io.credentials[0]?.password
  if (!key) throw new SdkError('DEVICE_AUTH', `${name} needs the key of the account: set it as its password`)
  if (protocol !== 'https:' && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname))
    throw new SdkError('CONFIG_INVALID', `options.baseUrl: the key of ${name} is sent over https only`)
  return { [keyHeader]: key }
}

interface Asked {
  readonly path: string
  readonly as: 'text' | undefined
  readonly turn: Turn
  readonly io: Io
  readonly api: WebApi
}

function contentOf(response: HttpResponse, { path, as, turn, io, api }: Asked): unknown {
  const { status, headers, body } = response
  const bare = path.split('?')[0]!
  if (status === 429) {
    const seconds = Number(headers['retry-after'])
    turn.busyUntil = io.clock.hr() + (seconds > 0 ? Math.min(seconds * 1000, mostBusyMs) : busyMs)
    throw new SdkError('DEVICE_BUSY', `${bare}: ${api.name} says that it is asked too much (HTTP 429)`)
  }
  if (status === 401 || status === 403)
    throw new SdkError('DEVICE_AUTH', `${bare}: ${api.name} refuses the key (HTTP ${status})`)
  if (status === 400 || status === 404 || status === 422)
    throw new SdkError('DEVICE_REFUSED', `${bare}: ${reasonOf(body) ?? `${api.name} refuses it (HTTP ${status})`}`)
  const wrong = statusError(response, bare)
  if (wrong) throw wrong
  return as === 'text' ? body.toString('utf8') : parseJson(body)
}

/** The service's own words. */
function reasonOf(body: Buffer): string | undefined {
  try {
    const { error, message, msg } = fields(JSON.parse(body.subarray(0, 2000).toString('utf8')))
    return (str(message) ?? str(msg) ?? str(error))?.slice(0, 200)
  } catch {
    return undefined
  }
}
