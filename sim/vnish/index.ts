import { breedsFrom } from '../breed.js'
import { type HttpCall, type HttpReply, httpDoor } from '../http.js'
import { type Fields, parseObject } from '../json.js'
import type { MachineOptions } from '../machine.js'
import type { Simulator } from '../server.js'
import { chips, factory, info, perf, presets, settings, status, summary } from './replies.js'
import { vnishRpc } from './rpc.js'
import { type VnishRow, VnishState, vnishRows } from './state.js'

const page = `<!DOCTYPE html><html><head><meta name="firmware" content="AnthillOS"><title>Firmware</title></head></html>`

type Page = (state: VnishState, body: Fields) => HttpReply

const json =
  (value: (state: VnishState) => unknown): Page =>
  (state) => ({ json: value(state) })
const done: HttpReply = { text: '' }
const error = (code: number, err: string): HttpReply => ({ status: code, json: { err } })
const none = error(404, 'not found')

/** What everybody may. */
const open: Readonly<Record<string, Page>> = {
  'GET info': json(info),
  'GET status': json(status),
  'GET summary': json(summary),
  'GET perf-summary': json(perf),
  'GET chains/factory-info': json(factory),
  'GET chips': (state) => (state.row.newer ? none : { json: chips(state) }),
  'GET boards': (state) => (state.row.newer ? { json: chips(state) } : none),
  'GET logs/miner': () => ({ text: 'simulated: nothing to tell\n', type: 'text/plain' }),
  'POST find-miner': (state, { on }) => (state.row.newer ? none : locate(state, on)),
  'POST locate-miner': (state, { on }) => (state.row.newer ? locate(state, on) : none),
}

function locate(state: VnishState, on: unknown): HttpReply {
  state.locate = on === true
  return { json: state.row.newer ? { is_enabled: state.locate } : { on: state.locate } }
}

/** What needs the password. */
const locked: Readonly<Record<string, Page>> = {
  'GET settings': json(settings),
  'GET autotune/presets': json(presets),
  'POST settings'(state, body) {
    const refused = state.take(body)
    return refused ? error(400, refused) : { json: { restart_required: state.restartRequired, reboot_required: false } }
  },
  'POST mining/stop'(state) {
    if (!state.machine.physics.drive.awake) return error(409, 'miner is already stopped')
    state.sleep(true)
    return done
  },
  'POST mining/start'(state) {
    if (state.machine.physics.drive.awake) return error(409, 'miner is already running')
    state.sleep(false)
    return done
  },
  'POST mining/restart': (state) => ({ ...done, after: () => state.restart() }),
  'POST mining/throttle'(state, { percent }) {
    if (!state.row.newer) return none
    if (typeof percent !== 'number' || percent < 1 || percent > 100) return error(400, 'percent must be 1-100')
    state.throttle(percent)
    return done
  },
  'POST system/reboot': (state) => ({ json: { after: 3 }, after: () => state.machine.reboot() }),
  'POST settings/factory-reset': (state) => ({ ...done, after: () => state.factoryReset() }),
  'POST firmware/update': (state) => ({ ...done, after: () => state.update() }),
}

const maxMisses = 5

function answer(state: VnishState, { method, path, headers, body }: HttpCall): HttpReply {
  if (path === '/') return { text: page }
  if (!path.startsWith('/api/v1/')) return { status: 404, text: 'Not Found' }
  const key = `${method} ${path.slice('/api/v1/'.length)}`
  const content = parseObject(body.toString('utf8')) ?? {}
  if (key === 'POST unlock') {
    if (state.misses >= maxMisses) return error(429, 'too many attempts')
    const token = state.unlock(content.pw)
    return token === undefined ? error(403, 'wrong password') : { json: { token } }
  }
  const isPublic = Object.hasOwn(open, key)
  if (!isPublic && !Object.hasOwn(locked, key)) return none
  if (!isPublic && !state.isUnlocked(headers.authorization)) return error(401, 'unauthorized')
  if (method === 'POST' && state.machine.has('refusedWrite')) return error(500, 'the miner is busy')
  return (isPublic ? open : locked)[key]!(state, content)
}

/** An Antminer of this row with VNish: its pages on 80, its read-only RPC on 4028. */
export function vnish(row: VnishRow, options: MachineOptions): Simulator & { state: VnishState } {
  const state = new VnishState(row, options)
  const web = httpDoor(state.machine, { server: 'nginx', answer: (call) => answer(state, call) })
  return { machine: state.machine, state, doors: [web, vnishRpc(state)] }
}

export const vnishBreeds = breedsFrom(
  vnishRows,
  { family: 'vnish', mainDoor: 'http', credentials: { username: 'admin', password: 'admin' } },
  vnish,
)
