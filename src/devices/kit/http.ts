import type { Readable } from 'node:stream'
import type { Agent, Dispatcher } from 'undici'
import { SdkError } from '#model'
import { type Io, type PortName, portOf } from '../io.js'
import { socketError } from './tcp.js'

export const webPort: PortName = { name: 'http', default: 80 }

type Headers = Readonly<Record<string, string>>

export interface HttpRequest {
  /** `https://host:port` of a service in the place of the device's own address. */
  readonly origin?: string
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** From the slash on. */
  readonly path: string
  /** A function makes them anew for each try: a digest answer may be used once. */
  readonly headers?: Headers | (() => Headers)
  /** A function makes a stream anew for each try. */
  readonly body?: string | (() => Readable)
  /** A GET that does something: never sent twice, like everything that is no GET. */
  readonly once?: boolean
  /** A longer body is refused, bytes. */
  readonly maxBytes?: number
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** A device that does not take a connection within this is not there, ms. */
const connectMs = 3000
/** Idle connections are kept for the next request of the same visit, not until the next visit: thousands of devices share our sockets, ms. */
const idleMs = 500
const defaultMaxBytes = 2 * 1024 * 1024
const maxHeaderBytes = 16 * 1024

let agent: Promise<Agent> | undefined

/** One for the process. One connection a device: whoever asks the same device at the same time waits for his turn. */
function dispatcher(): Promise<Agent> {
  agent ??= import('undici').then(
    ({ Agent }) =>
      new Agent({
        connections: 1,
        pipelining: 1,
        keepAliveTimeout: idleMs,
        keepAliveMaxTimeout: idleMs,
        keepAliveTimeoutThreshold: idleMs,
        headersTimeout: 0,
        bodyTimeout: 0,
        maxHeaderSize: maxHeaderBytes,
        connect: { timeout: connectMs },
      }),
  )
  return agent
}

/**
 * One request, until the signal of the visit aborts. Any status is an answer. Throws DEVICE_UNREACHABLE if there was no connection
 * (nothing was sent), DEVICE_TIMEOUT if it was lost (it may have been sent), DEVICE_BAD_REPLY if it is not HTTP or has no end.
 */
export async function http(io: Io, port: PortName, request: HttpRequest): Promise<HttpResponse> {
  const origin = request.origin ?? originOf(io, port)
  const via = await dispatcher()
  const first = await once(via, origin, request, io.signal)
  // A connection that was kept may have been closed by the device just as it was used again.
  const outcome = first instanceof Lost && first.retry ? await once(via, origin, request, io.signal) : first
  if (outcome instanceof Lost) throw outcome.error
  return outcome
}

function originOf(io: Io, port: PortName): string {
  const host = io.host.includes(':') ? `[${io.host}]` : io.host
  return `http://${host}:${portOf(io, port)}`
}

class Lost {
  readonly error: unknown
  readonly retry: boolean
  constructor(error: unknown, retry: boolean) {
    this.error = error
    this.retry = retry
  }
}

function once(
  via: Dispatcher,
  origin: string,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<HttpResponse | Lost> {
  const { method = 'GET', path, headers = {}, body, maxBytes = defaultMaxBytes } = request
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(new Lost(signal.reason, false))
    let controller: Dispatcher.DispatchController | undefined
    let status = 0
    let received: HttpResponse['headers'] = {}
    let size = 0
    const chunks: Buffer[] = []
    const end = (outcome: HttpResponse | Lost) => {
      signal.removeEventListener('abort', onAbort)
      resolve(outcome)
    }
    const onAbort = () => {
      end(new Lost(signal.reason, false))
      controller?.abort(asError(signal.reason))
    }
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started
        if (signal.aborted) started.abort(asError(signal.reason))
      },
      onResponseStart(_, code, fields) {
        status = code
        received = fields
      },
      onResponseData(started, chunk) {
        size += chunk.length
        if (size > maxBytes)
          started.abort(new SdkError('DEVICE_BAD_REPLY', `the reply is longer than ${maxBytes} bytes`))
        else chunks.push(chunk)
      },
      onResponseEnd() {
        end({ status, headers: received, body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) })
      },
      onResponseError(_, error) {
        const lost = controller !== undefined
        const nothing = status === 0 && method === 'GET' && !request.once && isClosed(error)
        end(new Lost(asDeviceError(error, lost), lost && nothing))
      },
    }
    signal.addEventListener('abort', onAbort, { once: true })
    const sent = { headers: made<Headers>(headers), body: made<string | Readable | null>(body ?? null) }
    via.dispatch({ origin, path, method, ...sent }, handler)
  })
}

function made<T>(value: T | (() => T)): T {
  return typeof value === 'function' ? (value as () => T)() : value
}

function isClosed(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
}

function asDeviceError(error: Error, connected: boolean): SdkError {
  if (error instanceof SdkError) return error
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return new SdkError('DEVICE_UNREACHABLE', 'it does not take a connection')
  if (!connected) return socketError(error)
  if (code.startsWith('HPE_') || code.startsWith('UND_ERR_HEADERS') || code.startsWith('UND_ERR_RES'))
    return new SdkError('DEVICE_BAD_REPLY', `the reply is not HTTP: ${code}`, { cause: error })
  return new SdkError('DEVICE_TIMEOUT', `the connection was lost: ${code || error.message}`, { cause: error })
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new SdkError('CANCELLED')
}

/** What a status means that is no success; undefined for 2xx. 401 is for whoever holds the credentials. */
export function statusError({ status, headers }: HttpResponse, path: string): SdkError | undefined {
  if (status >= 200 && status < 300) return undefined
  if (status === 401) return new SdkError('DEVICE_AUTH', `${path}: the device asks for a password`)
  if (status === 403) return new SdkError('DEVICE_AUTH', `${path}: the device forbids it`)
  if (status === 404 || status === 405 || status === 501)
    return new SdkError('DEVICE_UNSUPPORTED', `${path}: this firmware does not have it (HTTP ${status})`)
  if (status === 429 || status === 503)
    return new SdkError('DEVICE_BUSY', `${path}: the device is busy (HTTP ${status})`)
  const to = status >= 300 && status < 400 ? ` to ${String(headers.location).slice(0, 100)}` : ''
  return new SdkError('DEVICE_BAD_REPLY', `${path}: the device answered HTTP ${status}${to}`)
}
