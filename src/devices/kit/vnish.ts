import { SdkError } from '#model'
import type { Credentials, Io } from '../io.js'
import { http, webPort } from './http.js'
import { fields, str } from './json.js'
import { jsonOf, type RestRequest, rest } from './rest.js'

/** VNish has one password and no accounts (protocols/vnish.md §2). */
export const vnishLogin: readonly Credentials[] = [{ username: 'admin', password: 'admin' }]

const base = '/api/v1/'
/** So long it is not asked for a login after it refused all passwords, or any at all, ms. */
const peaceMs = 600_000
const blockedKey = 'vnish takes no password since'

/** The token of a password; undefined if it is wrong. Throws DEVICE_BUSY after too many wrong ones: every further try makes it longer. */
export async function unlock(io: Io, password: string): Promise<string | undefined> {
  const since = io.memory.get(blockedKey) as number | undefined
  if (since !== undefined && io.clock.now() - since < peaceMs) throw blocked()
  const response = await http(io, webPort, {
    method: 'POST',
    path: `${base}unlock`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ pw: password }),
  })
  const { status } = response
  if (status === 429) {
    io.memory.set(blockedKey, io.clock.now())
    throw blocked()
  }
  io.memory.delete(blockedKey)
  if (status === 404) throw new SdkError('DEVICE_UNSUPPORTED', 'it has no login there')
  if (status >= 300) return undefined
  return str(fields(jsonOf(response)).token)
}

const blocked = () =>
  new SdkError(
    'DEVICE_BUSY',
    'the device takes no password for a while, after too many wrong ones; it is asked again in some minutes',
  )

/** What everybody may read is asked without a login; the first question that needs one signs in, and the token is kept. */
export const vnishRest = rest('vnish', webPort, {
  defaults: vnishLogin,
  peaceMs,
  // A full disk and faults of its own are told in words too.
  refuses: [500, 507],
  async open(io, { password }) {
    const token = await unlock(io, password)
    return token === undefined ? undefined : { authorization: `Bearer ${token}` }
  },
})

export function vnish(io: Io, request: RestRequest): Promise<unknown> {
  return vnishRest.call(io, { ...request, path: `${base}${request.path}` })
}

/** One change. Its answer is mostly empty; what it brings is read back. */
export async function vnishPost(io: Io, path: string, json?: object): Promise<unknown> {
  // Signs in first where it has to: a change is sent once.
  if (!vnishRest.account(io)) await vnish(io, { path: 'settings' })
  return vnish(io, { method: 'POST', path, ...(json === undefined ? {} : { json }) })
}
export const vnishPath = (path: string) => `${base}${path}`
