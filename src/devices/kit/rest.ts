import { SdkError } from '#model'
import type { Credentials, Io, PortName, Protocol } from '../io.js'
import { type HttpRequest, type HttpResponse, http, statusError } from './http.js'
import { inTurn } from './in-turn.js'
import { fields, isObject, parseJson } from './json.js'
import { jsonEnd, shallowUpTo } from './tcp.js'
import { words } from './values.js'

/** One call of an interface that takes and gives JSON. */
export interface RestRequest {
  readonly method?: HttpRequest['method']
  /** From the slash on. */
  readonly path: string
  readonly json?: unknown
  /** A body of another kind, with its headers. */
  readonly raw?: Pick<HttpRequest, 'headers' | 'body'>
  readonly as?: 'json' | 'text'
  readonly maxBytes?: number
  /** A GET that does something: never sent twice. */
  readonly once?: boolean
}

type Headers = Readonly<Record<string, string>>

/** How a kind of device lets us in. */
export interface Login {
  /** Signs in with one account: the headers of all further calls, or undefined if it was refused. */
  readonly open: (io: Io, credentials: Credentials) => Promise<Headers | undefined>
  /** Tried after those of the operator. */
  readonly defaults: readonly Credentials[]
  /** Whether a reply asks for a login. Default: status 401. */
  readonly isDenied?: (response: HttpResponse) => boolean
  /** Signs in before the first call: where nothing is told without. */
  readonly first?: boolean
  /** How long it is left in peace after it has refused all accounts, ms; default a minute. For those that lock themselves. */
  readonly peaceMs?: number
  /** Statuses that are a refusal with the device's words here, beside those that are so everywhere. */
  readonly refuses?: readonly number[]
}

export interface Rest {
  readonly protocol: Protocol<RestRequest>
  /** The parsed JSON (undefined for an empty body) or the text of a good reply. Throws as `statusError` does, and DEVICE_REFUSED with the device's words. */
  call(io: Io, request: RestRequest): Promise<unknown>
  /** After a change of the password. */
  forget(io: Io): void
  /** The account that was taken last. */
  account(io: Io): Credentials | undefined
}

/** After a device refused all accounts it is left in peace for so long, unless they change, ms. */
const refusedMs = 60_000

interface Session {
  headers?: Headers
  account?: Credentials
  refused?: { readonly at: number; readonly tried: string; readonly error: SdkError }
}

/**
 * A client of one kind of REST interface: calls one after the other on one connection; a login is kept, renewed once when it has run
 * out, and never tried in a loop. If the device cannot be reached or refuses all accounts, the rest of a visit is not asked.
 */
export function rest(name: string, port: PortName, login?: Login): Rest {
  const key = `rest session: ${name}`
  const sessionOf = (io: Io): Session => {
    const known = io.memory.get(key) as Session | undefined
    const session = known ?? {}
    if (!known) io.memory.set(key, session)
    return session
  }
  const isDenied = login?.isDenied ?? (({ status }: HttpResponse) => status === 401)

  const send = (io: Io, request: RestRequest, headers: Headers | undefined) => {
    const { method = request.json === undefined ? 'GET' : 'POST', path, json, raw, maxBytes, once } = request
    const own = typeof raw?.headers === 'function' ? raw.headers() : raw?.headers
    const type: Headers = json === undefined ? {} : { 'content-type': 'application/json' }
    const body = json === undefined ? raw?.body : JSON.stringify(json)
    return http(io, port, {
      method,
      path,
      headers: { accept: 'application/json', ...type, ...own, ...headers },
      ...(body === undefined ? {} : { body }),
      ...(maxBytes === undefined ? {} : { maxBytes }),
      ...(once === undefined ? {} : { once }),
    })
  }

  const answer = async (io: Io, request: RestRequest): Promise<HttpResponse> => {
    if (!login) return send(io, request, undefined)
    const session = sessionOf(io)
    if (login.first && !session.headers) await signIn(io, login, session)
    const response = await send(io, request, session.headers)
    if (!isDenied(response)) return response
    const hadSession = session.headers !== undefined
    delete session.headers
    await signIn(io, login, session)
    const again = await send(io, request, session.headers)
    if (isDenied(again) && hadSession) delete session.headers
    return again
  }

  const call = async (io: Io, request: RestRequest) => contentOf(await answer(io, request), request, login?.refuses)

  return {
    call,
    protocol: {
      name,
      port,
      ask: (io, requests) =>
        inTurn(io, requests, (request) => call(io, request), {
          gone: ['DEVICE_UNREACHABLE'],
          otherwise: 'DEVICE_BAD_REPLY',
        }),
    },
    forget: (io) => void io.memory.delete(key),
    account: (io) => sessionOf(io).account,
  }
}

/** The accounts in order. Throws DEVICE_AUTH if all are refused, at once if they were just now. */
async function signIn(io: Io, { open, defaults, peaceMs = refusedMs }: Login, session: Session) {
  const accounts = [...io.credentials, ...defaults.filter((each) => !io.credentials.some((own) => isSame(own, each)))]
  const tried = JSON.stringify(accounts)
  // The one that was good until now is the likeliest.
  const { account: last } = session
  if (last) accounts.sort((a, b) => Number(isSame(b, last)) - Number(isSame(a, last)))
  const { refused } = session
  if (refused && refused.tried === tried && io.clock.now() - refused.at < peaceMs) throw refused.error
  delete session.refused
  for (const account of accounts) {
    const headers = await open(io, account)
    if (!headers) continue
    session.headers = headers
    session.account = account
    return
  }
  const error = new SdkError(
    'DEVICE_AUTH',
    accounts.length === 0
      ? 'the device asks for a password, and none is set'
      : io.credentials.length === 0
        ? 'the device refuses the default password: it needs its own'
        : `the device refuses the password (${accounts.length} tried)`,
  )
  session.refused = { at: io.clock.now(), tried, error }
  throw error
}

function isSame(a: Credentials, b: Credentials): boolean {
  return a.username === b.username && a.password === b.password
}

/** What the device said no to is refused, not broken. */
const refusals: readonly number[] = [400, 403, 406, 409, 412, 422]

function contentOf(response: HttpResponse, { path, as }: RestRequest, more: readonly number[] = []): unknown {
  const { status, body } = response
  if (refusals.includes(status) || more.includes(status)) {
    const reason = reasonOf(body)
    throw new SdkError('DEVICE_REFUSED', `${path}: ${reason ?? `the device refuses (HTTP ${status})`}`, {
      details: { status },
    })
  }
  const error = statusError(response, path)
  if (error) throw error
  if (as === 'text') return body.toString('utf8')
  return body.length === 0 ? undefined : jsonOf(response)
}

/** The device's own words for a refusal, in JSON under one of the usual names, or as text. */
function reasonOf(body: Buffer): string | undefined {
  const text = body.subarray(0, 2000).toString('utf8').trim()
  try {
    const { err, error, message, msg, detail } = fields(JSON.parse(text))
    const inner = isObject(error) ? (error.message ?? error.code) : error
    return words(err ?? inner ?? message ?? msg ?? detail)
  } catch {
    return text.startsWith('<') ? undefined : words(text)
  }
}

/** The parsed JSON of a reply; throws DEVICE_BAD_REPLY where it is none, or nests deeper than any device needs. */
export function jsonOf({ body }: HttpResponse): unknown {
  if (body.length > shallowUpTo) jsonEnd()(body)
  return parseJson(body)
}
