import { SdkError, toSdkError } from '#model'
import type { Credentials, Io, Protocol, Reply } from '../io.js'
import { type HttpResponse, http, webPort } from './http.js'
import { fields, isObject, rows, str } from './json.js'
import { jsonOf, rest } from './rest.js'
import { words } from './values.js'

/** What fresh installations have; some have an empty password (protocols/braiins.md). */
export const braiinsLogin: readonly Credentials[] = [
  { username: 'root', password: 'root' },
  { username: 'root', password: '' },
]

/** REST of Braiins OS 25.07 and later (protocols/braiins.md §5): a raw token in the header, kept and renewed. */
export const braiinsRest = rest('braiins-rest', webPort, {
  defaults: braiinsLogin,
  async open(io, { username, password }) {
    const response = await http(io, webPort, {
      method: 'POST',
      path: '/api/v1/auth/login',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    })
    const token = response.status < 300 ? str(fields(jsonOf(response)).token) : undefined
    return token === undefined ? undefined : { authorization: token }
  },
})

/** Old web pages (LuCI) that tell what nothing else does. Login by form, cookie. */
export const braiinsPages = rest('braiins-luci', webPort, {
  defaults: braiinsLogin,
  isDenied: ({ status, body }) =>
    status === 401 || status === 403 || /^\s*</.test(body.subarray(0, 64).toString('latin1')),
  async open(io, { username, password }) {
    const response = await http(io, webPort, {
      method: 'POST',
      path: '/cgi-bin/luci',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ luci_username: username, luci_password: password }).toString(),
    })
    const cookie = cookieOf(response, 'sysauth')
    return response.status < 400 && cookie ? { cookie } : undefined
  },
})

function cookieOf({ headers }: HttpResponse, name: string): string | undefined {
  const set = headers['set-cookie']
  const all = Array.isArray(set) ? set : set === undefined ? [] : [set]
  return all.map((each) => each.split(';', 1)[0]!).find((each) => each.startsWith(name))
}

/** A question of the GraphQL interface of 21.09 to 25.05 (protocols/braiins.md §4). */
export interface GraphRequest {
  readonly query: string
  readonly variables?: Readonly<Record<string, unknown>>
}

const signIn = 'mutation ($u: String!, $p: String!) { auth { login(username: $u, password: $p) { __typename } } }'
const wantsLogin = /auth|login|permission|forbidden/i

const graphRest = rest('braiins-graphql', webPort, {
  defaults: braiinsLogin,
  isDenied: (response) => response.status === 401 || isGraphDenied(response),
  async open(io, { username, password }) {
    const response = await http(io, webPort, {
      method: 'POST',
      path: '/graphql',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: signIn, variables: { u: username, p: password } }),
    })
    const cookie = cookieOf(response, 'session_id')
    return response.status < 300 && cookie ? { cookie } : undefined
  },
})

/** The status is 200 for errors too. */
function isGraphDenied({ status, body }: HttpResponse): boolean {
  if (status !== 200 || !body.includes('"errors"')) return false
  try {
    const { data, errors } = fields(JSON.parse(body.toString('utf8')))
    return !isObject(data) && rows(errors).some(({ message }) => wantsLogin.test(str(message) ?? ''))
  } catch {
    return false
  }
}

/**
 * The data of one question. Throws DEVICE_UNSUPPORTED for a field that this version does not have, DEVICE_REFUSED with the words of any
 * other error, also of a mutation that answers one of the error types.
 */
export async function graph(io: Io, { query, variables }: GraphRequest): Promise<unknown> {
  const reply = fields(
    await graphRest.call(io, { path: '/graphql', json: { query, ...(variables ? { variables } : {}) } }),
  )
  const [error] = rows(reply.errors)
  if (error && !isObject(reply.data)) {
    const message = words(error.message) ?? 'no reason given'
    const isUnknown = /unknown (field|type|argument)|cannot query field|no field/i.test(message)
    throw new SdkError(isUnknown ? 'DEVICE_UNSUPPORTED' : 'DEVICE_REFUSED', message)
  }
  if (!isObject(reply.data)) throw new SdkError('DEVICE_BAD_REPLY', 'the reply has no data')
  const refused = refusalIn(reply.data)
  if (refused !== undefined) throw new SdkError('DEVICE_REFUSED', refused)
  return reply.data
}

const maxDepth = 8

/** The message of an error type anywhere in the answer of a mutation. */
function refusalIn(value: unknown, depth = 0): string | undefined {
  if (!isObject(value) || depth > maxDepth) return undefined
  if (/Error$/.test(str(value.__typename) ?? '')) return words(value.message) ?? 'the device refuses'
  for (const inner of Object.values(value)) {
    const found = refusalIn(inner, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

export const braiinsGraph: Protocol<GraphRequest> = {
  name: 'braiins-graphql',
  port: webPort,
  async ask(io, requests) {
    const replies: Reply[] = []
    let closed: SdkError | undefined
    for (const request of requests) {
      try {
        if (closed) throw closed
        replies.push({ value: await graph(io, request) })
      } catch (thrown) {
        const error = toSdkError(thrown, 'DEVICE_BAD_REPLY')
        if (io.signal.aborted || error.code === 'DEVICE_UNREACHABLE') closed = error
        replies.push({ error })
      }
    }
    return replies
  },
}

/** After a change of the password. */
export function forgetBraiins(io: Io) {
  graphRest.forget(io)
  braiinsRest.forget(io)
  braiinsPages.forget(io)
}
