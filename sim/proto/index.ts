import { createHash } from 'node:crypto'
import { breedsFrom } from '../breed.js'
import { type HttpCall, type HttpReply, httpDoor } from '../http.js'
import { parseObject } from '../json.js'
import type { MachineOptions } from '../machine.js'
import type { Simulator } from '../server.js'
import {
  cooling,
  errors,
  hardware,
  hashboard,
  hashboards,
  mining,
  network,
  pools,
  system,
  target,
  telemetry,
} from './replies.js'
import { type ProtoRow, ProtoState, protoPassword, protoRows } from './state.js'

type Route = (state: ProtoState, call: HttpCall) => HttpReply

const json =
  (value: (state: ProtoState) => unknown): Route =>
  (state) => ({ json: value(state) })
const failure = (status: number, code: string, message: string): HttpReply => ({
  status,
  json: { error: { code, message } },
})
const bodyOf = ({ body }: HttpCall): unknown => {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

/** A write that the rig takes or finds invalid; it takes effect when the answer is out. */
function write(take: (state: ProtoState, body: unknown) => boolean): Route {
  return (state, call) => {
    if (state.machine.has('refusedWrite')) return failure(422, 'REFUSED', 'refused')
    return take(state, bodyOf(call)) ? { status: 200, json: {} } : failure(422, 'INVALID', 'a value is out of range')
  }
}

function later(job: (state: ProtoState) => void): Route {
  return (state) =>
    state.machine.has('refusedWrite')
      ? failure(503, 'REFUSED', 'refused')
      : { status: 202, json: { message: 'accepted' }, after: () => job(state) }
}

/** What a rig tells everybody (protocols/proto-rig.md §1). */
const open: Readonly<Record<string, Route>> = {
  'GET /system': json(system),
  'GET /system/status': json(({ password }) => ({ onboarded: true, password_set: password !== undefined })),
  'GET /hardware': json(hardware),
  'GET /hashboards': json(hashboards),
  'GET /network': json(network),
  'POST /auth/login': (state, call) => {
    const token = state.signIn(parseObject(call.body.toString('utf8'))?.password)
    return token
      ? { json: { access_token: token, refresh_token: token } }
      : failure(401, 'UNAUTHORIZED', 'wrong password')
  },
  'PUT /auth/password': (state, call) => {
    const password = parseObject(call.body.toString('utf8'))?.password
    if (state.password !== undefined) return failure(403, 'FORBIDDEN', 'password already set')
    state.setPassword(String(password))
    return { json: {} }
  },
}

const locked: Readonly<Record<string, Route>> = {
  'GET /mining': json(mining),
  'GET /mining/target': json(target),
  'GET /telemetry': (state, { query }) => ({
    json: telemetry(state, new Set((query.get('level') ?? 'miner').split(','))),
  }),
  'GET /cooling': json(cooling),
  'GET /pools': json(pools),
  'GET /errors': json(errors),
  'GET /system/logs': () => ({ json: { logs: { content: ['simulated line 1', 'simulated line 2'] } } }),
  'POST /mining/start': later(({ machine }) => machine.change({ awake: true }, 'restart')),
  'POST /mining/stop': later(({ machine }) => machine.change({ awake: false })),
  'POST /system/reboot': later(({ machine }) => machine.reboot()),
  'POST /system/locate': (state, { query }) => {
    state.blinksUntil = state.machine.clock.now() / 1000 + Number(query.get('led_on_time') ?? 0)
    return { status: 202, json: {} }
  },
  'PUT /mining/target': write((state, body) => state.setTarget((body ?? {}) as Record<string, unknown>)),
  'PUT /cooling': write((state, body) => state.setCooling((body ?? {}) as Record<string, unknown>)),
  'POST /pools': write((state, body) => state.setPools(body)),
  'PUT /network': write((state, body) => state.setNetwork(body)),
  'PUT /auth/change-password': (state, call) => {
    const { current_password: present, new_password: next } = parseObject(call.body.toString('utf8')) ?? {}
    if (present !== state.password || typeof next !== 'string') return failure(401, 'UNAUTHORIZED', 'wrong password')
    state.setPassword(next)
    return { json: {} }
  },
  'PUT /system/update': (state, { body }) => {
    if (state.machine.has('refusedWrite')) return failure(409, 'BUSY', 'an update is running')
    const name = createHash('sha256').update(body).digest('hex').slice(0, 8)
    return {
      status: 202,
      json: { message: 'update started' },
      after: () => {
        state.firmware = `1.8.0-${name}`
        state.machine.reboot()
      },
    }
  },
}

function answer(state: ProtoState, call: HttpCall): HttpReply {
  if (!call.path.startsWith('/api/v1/'))
    return { text: '<html><head><title>Proto Rig</title></head><body></body></html>' }
  const path = call.path.slice('/api/v1'.length)
  const key = `${call.method} ${path}`
  const free = Object.hasOwn(open, key) ? open[key] : undefined
  if (free) return free(state, call)
  const serial = call.method === 'GET' ? /^\/hashboards\/([^/]+)$/.exec(path)?.[1] : undefined
  const stats = serial === undefined ? undefined : hashboard(state, decodeURIComponent(serial))
  if (stats) return { json: stats }
  if (!state.isSignedIn(call.headers.authorization)) return failure(401, 'UNAUTHORIZED', 'sign in first')
  const route = Object.hasOwn(locked, key) ? locked[key] : undefined
  return route?.(state, call) ?? failure(404, 'NOT_FOUND', 'no such resource')
}

/** A Proto Rig of this row: its REST interface, with one password. */
export function proto(row: ProtoRow, options: MachineOptions): Simulator & { state: ProtoState } {
  const state = new ProtoState(row, options)
  const door = httpDoor(state.machine, { server: 'miner-api-server', answer: (call) => answer(state, call) })
  return { machine: state.machine, state, doors: [door] }
}

export const protoBreeds = breedsFrom(
  protoRows,
  { family: 'proto', mainDoor: 'http', credentials: { username: '', password: protoPassword } },
  proto,
)
