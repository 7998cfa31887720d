import { breedsFrom } from '../breed.js'
import { type HttpCall, type HttpReply, httpDoor } from '../http.js'
import { type Fields, parseObject } from '../json.js'
import type { MachineOptions } from '../machine.js'
import { rpcDoor } from '../rpc.js'
import type { Simulator } from '../server.js'
import {
  asccount,
  devs,
  fan,
  frames,
  frequency,
  ipreport,
  led,
  mode,
  pools,
  psu,
  summary,
  temperature,
  version,
} from './replies.js'
import { type AuradineRow, AuradineState, auradineRows, fluxAccount } from './state.js'

type Read = (state: AuradineState) => Fields

const rpcReads = new Map<string, Read>(Object.entries({ version, summary, devs, asccount, pools }))
const webReads = new Map<string, Read>(
  Object.entries({ ipreport, fan, led, mode, psu, temperature, frequency, summary, devs, pools }),
)

/** What a command does with its parameters; false: it does not take them. */
const writes: Readonly<Record<string, (state: AuradineState, body: Fields) => boolean>> = {
  mode: (state, body) => state.setMode(body),
  fan: (state, body) => state.setFan(body),
  updatepools: (state, body) => state.setPools(body),
  led(state, { code }) {
    if (typeof code !== 'number') return false
    state.led = code
    return true
  },
}
/** They happen when the answer is out. */
const restarts: Readonly<Record<string, (state: AuradineState, body: Fields) => void>> = {
  restart: ({ machine }, { parameter }) => (parameter === 'gcminer' ? machine.restart() : machine.reboot()),
  'factory-reset': (state) => state.factoryReset(),
}

const { ok, refusal } = frames

function answer(state: AuradineState, { method, path, headers, body }: HttpCall): HttpReply {
  const command = path.slice(1)
  const fields = parseObject(body.toString('utf8')) ?? {}
  if (method === 'POST' && command === 'token') {
    const token = state.signIn(fields)
    if (!token) return { status: 401, json: refusal(state, 45, 'Wrong user or password') }
    return { json: ok(state, 700, 'Token', { Token: [{ Token: token }] }) }
  }
  if (!state.isSignedIn(headers.token)) return { status: 401, json: refusal(state, 45, 'Token required') }
  const read = method === 'GET' ? webReads.get(command) : undefined
  if (read) return { json: read(state) }
  if (method !== 'POST') return { status: 404, text: 'Not Found' }
  if (state.machine.has('refusedWrite')) return { json: refusal(state, 120, 'refused') }
  const done = ok(state, 119, `${command} done`)
  const restart = Object.hasOwn(restarts, command) ? restarts[command] : undefined
  if (restart) return { json: done, after: () => restart(state, fields) }
  const write = Object.hasOwn(writes, command) ? writes[command] : undefined
  if (!write) return { status: 404, text: 'Not Found' }
  return write(state, fields) ? { json: done } : { json: refusal(state, 120, 'Invalid parameter') }
}

/** A Teraflux of this row: GCMiner's RPC on 4028 and FluxOS's REST interface on 8080. */
export function auradine(row: AuradineRow, options: MachineOptions): Simulator & { state: AuradineState } {
  const state = new AuradineState(row, options)
  const { machine } = state
  const rpc = rpcDoor(machine, {
    refuse: (code, text) => refusal(state, code, text),
    answer: ({ command }) => ({ json: rpcReads.get(command)?.(state) ?? refusal(state, 14, 'Invalid command') }),
  })
  const web = httpDoor(machine, { name: 'flux', standardPort: 8080, answer: (call) => answer(state, call) })
  return { machine, state, doors: [rpc, web] }
}

export const auradineBreeds = breedsFrom(
  auradineRows,
  { family: 'auradine', mainDoor: 'rpc', credentials: fluxAccount },
  auradine,
)
