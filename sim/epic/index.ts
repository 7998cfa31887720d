import { breedsFrom } from '../breed.js'
import { type HttpCall, type HttpReply, httpDoor } from '../http.js'
import { asFields, parseObject } from '../json.js'
import type { MachineOptions } from '../machine.js'
import type { Simulator } from '../server.js'
import { capabilities, chipRates, chipTemps, network, summary, temps } from './replies.js'
import { type EpicRow, EpicState, epicPassword, epicRows } from './state.js'

const reads: Readonly<Record<string, (state: EpicState) => unknown>> = {
  '/summary': summary,
  '/capabilities': capabilities,
  '/temps': temps,
  '/temps/chip': chipTemps,
  '/hashrate': chipRates,
  '/network': network,
}

/** What a write does; false: its parameter is refused. */
type Write = (state: EpicState, param: unknown) => boolean
const fieldsOf = (param: unknown) => asFields(param) ?? {}

const writes: Readonly<Record<string, Write>> = {
  '/miner'({ machine }, param) {
    if (param !== 'Stop' && param !== 'Autostart') return false
    machine.change({ awake: param === 'Autostart' }, param === 'Stop' ? 'slide' : 'restart')
    return true
  },
  '/identify'(state, param) {
    if (typeof param !== 'boolean') return false
    state.blinks = param
    return true
  },
  '/fanspeed': (state, param) => state.setFans(fieldsOf(param)),
  '/fans/minimum'(state, param) {
    if (typeof param !== 'number') return false
    state.minFans = param
    return true
  },
  '/coin': (state, param) => state.setPools(fieldsOf(param)),
  '/perpetualtune': (state, param) => state.setRunning(param),
  '/perpetualtune/algo': (state, param) => state.setTune(fieldsOf(param)),
  '/password'(state, param) {
    if (typeof param !== 'string' || param === '') return false
    state.password = param
    return true
  },
}
/** They cut the connection over it, or do it when the answer is out. */
const restarts: Readonly<Record<string, (state: EpicState) => void>> = {
  '/reboot': ({ machine }) => machine.reboot(),
  '/softreboot': ({ machine }) => machine.restart(),
}

const taken: HttpReply = { json: { result: true, error: null } }
const refused = (error: string): HttpReply => ({ json: { result: false, error } })

function write(state: EpicState, { path, body }: HttpCall): HttpReply {
  const { param, password } = parseObject(body.toString('utf8')) ?? {}
  if (password !== state.password) return refused('Invalid Password')
  if (state.machine.has('refusedWrite')) return refused('refused')
  const restart = Object.hasOwn(restarts, path) ? restarts[path] : undefined
  if (restart) return { ...taken, after: () => restart(state) }
  const job = Object.hasOwn(writes, path) ? writes[path] : undefined
  if (!job) return { status: 404, text: 'Not Found' }
  return job(state, param) ? taken : refused('Invalid parameter')
}

function update(state: EpicState, { body }: HttpCall): HttpReply {
  const text = body.toString('latin1')
  const field = (name: string) => new RegExp(`name="${name}"\r\n\r\n([^\r]*)\r\n`).exec(text)?.[1]
  if (field('password') !== state.password) return refused('Invalid Password')
  if (state.machine.has('refusedWrite') || !/^[0-9a-f]{64}$/.test(field('checksum') ?? ''))
    return refused('Bad checksum')
  return { ...taken, after: () => state.update(body) }
}

function answer(state: EpicState, call: HttpCall): HttpReply {
  if (call.method === 'POST') return call.path === '/systemupdate' ? update(state, call) : write(state, call)
  if (call.path === '/log') return { text: 'simulated line 1\nsimulated line 2\n', type: 'text/plain' }
  const read = Object.hasOwn(reads, call.path) ? reads[call.path] : undefined
  return read ? { json: read(state) } : { status: 404, text: 'Not Found' }
}

/** A miner with ePIC's firmware: REST on 4028, and the page on 80 that names it. */
export function epic(row: EpicRow, options: MachineOptions): Simulator & { state: EpicState } {
  const state = new EpicState(row, options)
  const { machine } = state
  const page = '<html><head><title>Miner Web Dashboard</title></head><body></body></html>'
  const doors = [
    httpDoor(machine, { name: 'rpc', standardPort: 4028, answer: (call) => answer(state, call) }),
    httpDoor(machine, { answer: () => ({ text: page }) }),
  ]
  return { machine, state, doors }
}

export const epicBreeds = breedsFrom(
  epicRows,
  { family: 'epic', mainDoor: 'rpc', credentials: { username: '', password: epicPassword } },
  epic,
)
