import { SdkError } from '#model'
import type { Credentials, Io } from '../io.js'
import { acceptedReply } from './cgminer.js'
import { type HttpResponse, http } from './http.js'
import { fields, num, parseJson, rows, str } from './json.js'
import { rest } from './rest.js'

/** Beside its RPC, FluxOS has a REST interface with a token (protocols/other-firmwares.md). */
export const fluxPort = { name: 'flux', default: 8080 } as const
export const fluxLogin: readonly Credentials[] = [{ username: 'admin', password: 'admin' }]

export const fluxClient = rest('auradine', fluxPort, {
  defaults: fluxLogin,
  isDenied,
  async open(io, { username, password }) {
    const { status, body } = await http(io, fluxPort, {
      method: 'POST',
      path: '/token',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ command: 'token', user: username, password }),
    })
    if (status === 404) throw new SdkError('DEVICE_UNSUPPORTED', 'it has no login there')
    if (status >= 400) return undefined
    const [token] = rows(fields(parseJson(body)).Token)
    const text = str(fields(token).Token)
    return text === undefined ? undefined : { token: text }
  },
})

const longestRefusal = 2048

/** Some builds refuse a token with a status of 200 and say it in the answer. */
function isDenied({ status, body }: HttpResponse): boolean {
  if (status === 401 || status === 403) return true
  if (status >= 300 || body.length > longestRefusal) return false
  return /"STATUS"\s*:\s*"E"/.test(body.toString('latin1')) && /token|unauthori[sz]ed/i.test(body.toString('latin1'))
}

/** One command that changes something. Throws DEVICE_REFUSED with the miner's words. */
export async function fluxWrite(io: Io, command: string, parameters: object = {}): Promise<unknown> {
  return acceptedReply(await fluxClient.call(io, { path: `/${command}`, json: { command, ...parameters } }))
}

/** The number of `58.94W`, `4052.00 RPM`, or of a number. */
export function plainNumber(value: unknown): number | undefined {
  return num(typeof value === 'string' ? /^\s*-?\d+(\.\d+)?/.exec(value)?.[0] : value)
}
