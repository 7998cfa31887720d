import { SdkError } from '#model'
import type { Credentials, Io, Protocol } from '../io.js'
import { http, webPort } from './http.js'
import { fields, parseJson, rows, str } from './json.js'
import { type RestRequest, rest } from './rest.js'
import { maxParts } from './values.js'

/** A request below `/api/v1`; with `each` the answer is a list: one reply for each board that the first one names. */
export interface ProtoRequest extends RestRequest {
  readonly each?: 'board'
}

const base = '/api/v1'
/** What a rig says to a wrong password. */
const refused = new Set([400, 401, 403, 422])

/** One password, no user names (protocols/proto-rig.md §1). A rig that is new has none. */
export const protoClient = rest('proto-rest', webPort, {
  defaults: [],
  async open(io, { password }) {
    const token = await bearer(io, password)
    return token === undefined ? undefined : { authorization: `Bearer ${token}` }
  },
})

/** Signs in; undefined if the password is wrong. */
export async function bearer(io: Io, password: Credentials['password']): Promise<string | undefined> {
  const { status, body } = await http(io, webPort, {
    method: 'POST',
    path: `${base}/auth/login`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ password }),
  })
  if (refused.has(status)) return undefined
  const token = status < 300 ? str(fields(parseJson(body)).access_token) : undefined
  if (!token) throw new SdkError('DEVICE_BAD_REPLY', `signing in is answered with HTTP ${status} and no token`)
  return token
}

/** The REST interface of a Proto Rig: one request after the other; those that need no login work without a password. */
export const protoRest: Protocol<ProtoRequest> = {
  ...protoClient.protocol,
  async ask(io, requests) {
    const replies = await protoClient.protocol.ask(io, requests.map(below))
    const lists = requests.map(async ({ each, path }, at) => {
      const reply = replies[at]!
      return each && 'value' in reply ? eachBoard(io, path, reply.value) : reply
    })
    return Promise.all(lists)
  },
}

/** One answer; undefined for an empty one. Errors with the rig's own words. */
export function proto(io: Io, request: RestRequest): Promise<unknown> {
  return protoClient.call(io, below(request))
}

function below(request: RestRequest): RestRequest {
  return { ...request, path: `${base}${request.path}` }
}

/** The statistics of all boards: of the list itself if it has them, else of each board by its serial. */
async function eachBoard(io: Io, path: string, list: unknown) {
  const boards = boardRows(list).slice(0, maxParts)
  if (boards.every((board) => board.hashrate_ghs !== undefined)) return { value: boards }
  const named = boards.filter((board) => str(board.hb_sn) ?? str(board.serial_number))
  const replies = await protoClient.protocol.ask(
    io,
    named.map((board) => {
      const serial = str(board.hb_sn) ?? str(board.serial_number) ?? ''
      return below({ path: `${path}/${encodeURIComponent(serial.slice(0, 64))}` })
    }),
  )
  const failed = replies.find((reply) => 'error' in reply)
  if (failed) return failed
  return {
    value: replies.map((reply, at) => {
      const stats = fields('value' in reply ? reply.value : undefined)
      return { ...named[at], ...fields(stats['hashboard-stats'] ?? stats) }
    }),
  }
}

/** The boards of a list, bare or under one of the names that it has. */
function boardRows(reply: unknown) {
  const { 'hashboards-info': info, 'hashboard-stats': stats, hashboards } = fields(reply)
  return rows(Array.isArray(reply) ? reply : (info ?? stats ?? hashboards))
}
