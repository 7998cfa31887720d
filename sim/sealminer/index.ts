import { breedsFrom } from '../breed.js'
import { type HttpCall, type HttpReply, httpDoor } from '../http.js'
import { type Fields, parseObject } from '../json.js'
import type { MachineOptions } from '../machine.js'
import { rpcDoor } from '../rpc.js'
import type { Simulator } from '../server.js'
import { frames, pools, psuStatus, stats, summary, systemInfo, version } from './replies.js'
import { type SealminerRow, SealminerState, sealAccount, sealminerRows } from './state.js'

const rpcReads = new Map<string, (state: SealminerState) => Fields>(Object.entries({ version, summary, stats, pools }))

const loginPage: HttpReply = { text: '<!doctype html><html><head><title>Login</title></head><body></body></html>' }

const pages: Readonly<Record<string, (state: SealminerState, body: Fields) => HttpReply>> = {
  get_system_info: (state) => ({ json: systemInfo(state) }),
  'miner-psu-status': (state) => ({ json: psuStatus(state) }),
  reboot: ({ machine }) => ({ text: 'ok', after: () => machine.reboot() }),
  led_conf(state, { key, value }) {
    if (key !== 'led') return { status: 400, json: { error: 'unknown key' } }
    state.led = value === 'on'
    return { json: { result: 'success' } }
  },
  set_mining_mode: (state, body) =>
    state.setMode(body) ? { json: { result: 'success' } } : { status: 400, json: { error: 'unknown mode' } },
}
const changing = new Set(['reboot', 'led_conf', 'set_mining_mode'])

function answer(state: SealminerState, { method, path, headers, body }: HttpCall): HttpReply {
  const name = /^\/cgi-bin\/([\w-]+)\.php$/.exec(path)?.[1] ?? ''
  if (name === 'login' && method === 'POST') {
    const form = new URLSearchParams(body.toString('utf8'))
    const isRight = state.signIn(form.get('username'), form.get('origin_pwd'))
    // Everybody gets a session; only one that has signed in may use it.
    return { json: {}, headers: { 'set-cookie': `${isRight ? state.cookie : 'PHPSESSID=stranger'}; path=/; HttpOnly` } }
  }
  if (headers.cookie !== state.cookie) return loginPage
  if (changing.has(name) && state.machine.has('refusedWrite')) return { status: 409, json: { error: 'refused' } }
  const page = Object.hasOwn(pages, name) ? pages[name] : undefined
  return page?.(state, parseObject(body.toString('utf8')) ?? {}) ?? { status: 404, text: 'Not Found' }
}

/** A SealMiner of this row: bdminer's RPC on 4028, its pages behind a login on 80. */
export function sealminer(row: SealminerRow, options: MachineOptions): Simulator & { state: SealminerState } {
  const state = new SealminerState(row, options)
  const { machine } = state
  const refusal = (code: number, text: string) => frames.refusal(state, code, text)
  const rpc = rpcDoor(machine, {
    refuse: refusal,
    answer: ({ command }) => ({ json: rpcReads.get(command)?.(state) ?? refusal(14, 'Invalid command') }),
  })
  return { machine, state, doors: [rpc, httpDoor(machine, { answer: (call) => answer(state, call) })] }
}

export const sealminerBreeds = breedsFrom(
  sealminerRows,
  { family: 'sealminer', mainDoor: 'rpc', credentials: sealAccount },
  sealminer,
)
