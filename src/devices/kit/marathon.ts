import { SdkError } from '#model'
import type { Credentials, Io, Protocol } from '../io.js'
import { statusError, webPort } from './http.js'
import { digestHttp } from './http-digest.js'
import { inTurn } from './in-turn.js'
import { bool, fields, isObject, parseJson, str } from './json.js'
import { jsonOf } from './rest.js'
import { words } from './values.js'

/** What fresh installations have (protocols/other-firmwares.md). */
export const maraLogin: readonly Credentials[] = [{ username: 'root', password: 'root' }]

export interface MaraRequest {
  /** Behind `/kaonsu/v1/`. */
  readonly path: string
  /** With it, it is a POST. */
  readonly json?: object
  readonly as?: 'text'
  readonly maxBytes?: number
}

/** MaraFW: digest login, one request after the other on one connection. If it refuses the password, the rest is not asked. */
export const mara: Protocol<MaraRequest> = {
  name: 'marathon',
  port: webPort,
  ask: (io, requests) =>
    inTurn(io, requests, (request) => maraCall(io, request), {
      gone: ['DEVICE_UNREACHABLE', 'DEVICE_AUTH'],
      otherwise: 'DEVICE_BAD_REPLY',
    }),
}

const refusals: readonly number[] = [400, 403, 406, 409, 412, 422, 500]

/** The parsed JSON, or the text, of a good reply. Throws DEVICE_REFUSED with the miner's words for a write that it does not take. */
export async function maraCall(io: Io, { path, json, as, maxBytes }: MaraRequest): Promise<unknown> {
  const place = `/kaonsu/v1/${path}`
  const body =
    json === undefined
      ? {}
      : ({ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) } as const)
  const limit = maxBytes === undefined ? {} : { maxBytes }
  const response = await digestHttp(io, webPort, { path: place, ...body, ...limit }, maraLogin)
  if (refusals.includes(response.status))
    throw new SdkError(
      'DEVICE_REFUSED',
      reasonOf(response.body) ?? `${path}: the device refuses (HTTP ${response.status})`,
    )
  const error = statusError(response, path)
  if (error) throw error
  if (as === 'text') return response.body.toString('utf8')
  return response.body.length === 0 ? undefined : jsonOf(response)
}

/** One change. How a refusal looks that comes with status 200 is not known: all usual forms of a no are taken for one. */
export async function maraWrite(io: Io, path: string, json: object): Promise<void> {
  const text = String(await maraCall(io, { path, json, as: 'text' }))
  const answer = looseJson(text)
  const { success, status, error } = fields(answer)
  const isNo =
    bool(success) === false || /^(error|fail)/i.test(str(status) ?? '') || (error !== undefined && error !== null)
  if (isNo) throw new SdkError('DEVICE_REFUSED', reasonIn(answer) ?? 'the device refuses')
}

function looseJson(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

function reasonIn(value: unknown): string | undefined {
  const { message, msg, error, reason, detail } = fields(value)
  return words(message ?? msg ?? reason ?? detail ?? (isObject(error) ? error.message : error))
}

function reasonOf(body: Buffer): string | undefined {
  const text = body.subarray(0, 2000).toString('utf8').trim()
  return reasonIn(looseJson(text)) ?? (/^[<{[]/.test(text) ? undefined : words(text))
}
