import type { RpcReply } from '../rpc.js'
import { frames } from './replies.js'
import type { AvalonState } from './state.js'

type Option = (state: AvalonState, args: readonly string[]) => RpcReply

const info = (state: AvalonState, text: string): RpcReply => ({
  json: frames.info(state, 118, `ASC 0 set info: ${text}`),
})
const done = (state: AvalonState): RpcReply => ({ json: frames.ok(state, 119, 'ASC 0 set OK') })
const failed = (state: AvalonState, text: string): RpcReply => ({
  json: frames.refusal(state, 120, `ASC 0 set failed: ${text}`),
})
const wrongPassword = 'Auth Failed! password invalid!'
/** A soft switch takes a time that is at most so far ahead, s. */
const aheadS = 3600

function soft(awake: boolean, name: string): Option {
  return (state, [argument = '']) => {
    const at = Number(/^1:(\d+)$/.exec(argument)?.[1])
    if (state.row.home && !(at >= state.when && at < state.when + aheadS))
      return failed(state, `invalid time for ${name}`)
    if (!state.row.home && argument !== '') return failed(state, `unexpected argument for ${name}`)
    state.machine.change({ awake }, awake ? 'restart' : 'slide')
    return info(state, `success ${name}${state.row.home ? `:${at}` : ''}`)
  }
}

const workmode: Option = (state, args) => {
  const [first, second] = args
  if (first === '255') return info(state, `WORKMODE[${state.mode}]`)
  const number = first === 'set' ? second : first
  if (state.row.home !== (first === 'set') || !state.setMode(Number(number))) return failed(state, 'invalid mode')
  return done(state)
}

const setpool: Option = (state, [user, password, place, url, worker, pass]) => {
  if (state.row.home) return failed(state, 'Unknown option: setpool')
  if (user !== 'root' || password !== state.password) return failed(state, wrongPassword)
  if (!url?.includes('://') || !worker || !state.setPool(Number(place), { url, user: worker, pass: pass ?? '' }))
    return failed(state, 'invalid pool')
  return info(state, `\npool success set to ${url}\nworker is ${worker}\nPlease reboot miner to make config work.\n`)
}

const options: Readonly<Record<string, Option>> = {
  reboot: (state) => ({ after: () => state.reboot() }),
  restore: (state) => ({ after: () => state.factoryReset() }),
  softoff: soft(false, 'softoff'),
  softon: soft(true, 'softon'),
  workmode,
  worklevel: workmode,
  setpool,
  led(state, [argument]) {
    const [led, value] = (argument ?? '').split('-')
    if (state.row.home || led !== '1') return failed(state, 'Unknown option: led')
    if (value === '255') return info(state, `LED[${Number(state.led)}]`)
    state.led = value === '1'
    return done(state)
  },
  'fan-spd'(state, [percent]) {
    const value = Number(percent)
    if (!(value >= -1 && value <= 100)) return failed(state, 'invalid fan speed')
    state.fanPct = value < 0 ? undefined : value
    return done(state)
  },
  ip(state, [kind, ip, netmask, gateway]) {
    const { network } = state.machine
    if (kind === 'd') state.machine.network = { ...network, dhcp: true }
    else if (kind === 's' && ip && netmask && gateway)
      state.machine.network = { ...network, dhcp: false, ip, netmask, gateway }
    else return failed(state, 'invalid address')
    return info(state, 'success, please reboot')
  },
  dns(state, servers) {
    state.machine.network = { ...state.machine.network, dns: [...servers] }
    return info(state, 'success, please reboot')
  },
  password(state, [old, next]) {
    if (old !== state.password || !next) return failed(state, wrongPassword)
    state.password = next
    return info(state, 'new password success set')
  },
  help: (state) => info(state, `${Object.keys(options).join('|')}|`),
}

/** `0,<option>[,<arguments>]`; with the fault `refusedWrite` every one is refused. */
export function ascset(state: AvalonState, parameter: string): RpcReply {
  const [device, name = '', ...args] = parameter.split(',')
  if (device !== '0') return failed(state, 'missing option')
  if (state.machine.has('refusedWrite')) return failed(state, 'refused')
  const option = Object.hasOwn(options, name) ? options[name] : undefined
  return option ? option(state, args) : failed(state, `Unknown option: ${name}`)
}
