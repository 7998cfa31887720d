import type { RpcReply } from '../rpc.js'
import { refusal, reply } from './replies.js'
import type { LuxosState } from './state.js'

type Write = (state: LuxosState, parameters: readonly string[]) => RpcReply

const done = (state: LuxosState, code: number, text: string, after?: () => void): RpcReply => ({
  json: reply(state, code, text),
  ...(after ? { after } : {}),
})
const no = (state: LuxosState, code: number, text: string): RpcReply => ({ json: refusal(state, code, text) })

/** `k=v` parameters as a record. */
const pairs = (parameters: readonly string[]) =>
  Object.fromEntries(parameters.map((each) => each.split('=') as [string, string]))

/** What takes the session id first. */
const sessionWrites: Readonly<Record<string, Write>> = {
  logoff(state) {
    state.logoff()
    return done(state, 317, 'Session terminated')
  },
  curtail(state, [mode]) {
    if (mode !== 'sleep' && mode !== 'wakeup') return no(state, 400, 'Invalid parameter')
    state.sleep(mode === 'sleep')
    return done(state, 359, 'Curtail')
  },
  profileset: (state, [name = '']) =>
    state.atm
      ? no(state, 326, 'Profile cannot be changed while ATM is enabled')
      : state.setProfile(name)
        ? { json: reply(state, 325, 'Profile set', { PROFILE: [{ Profile: state.profile.name }] }) }
        : no(state, 326, 'Unknown profile'),
  atmset(state, parameters) {
    const { enabled } = pairs(parameters)
    if (enabled !== undefined) state.atm = enabled === 'true'
    return done(state, 340, 'ATM set')
  },
  ledset(state, [led, mode = '']) {
    if (led !== 'red' || !['on', 'off', 'blink', 'auto'].includes(mode)) return no(state, 400, 'Invalid parameter')
    state.redLed = mode
    return done(state, 341, 'LED set')
  },
  fanset(state, parameters) {
    const { speed, min_fans: minFans } = pairs(parameters)
    if (minFans !== undefined) state.minFans = Number(minFans)
    if (speed !== undefined) state.fanSpeed = Number(speed) < 0 ? undefined : Number(speed)
    return done(state, 203, 'Fan set')
  },
  tempctrlset(state, [target, hot, dangerous]) {
    const or = (text: string | undefined, before: number) => (text ? Number(text) : before)
    const { temps } = state
    state.temps = {
      target: or(target, temps.target),
      hot: or(hot, temps.hot),
      dangerous: or(dangerous, temps.dangerous),
    }
    return done(state, 206, 'Temp control set')
  },
  rebootdevice: (state) => done(state, 312, 'Rebooting', () => state.reboot()),
  resetminer: (state) =>
    done(state, 313, 'Restarting', () => {
      state.logoff()
      state.machine.restart()
    }),
  resetconfig: (state) => done(state, 314, 'Configuration reset', () => state.reset()),
}

/** What needs no session. */
const freeWrites: Readonly<Record<string, Write>> = {
  addpool(state, [url = '', user = '', pass = '']) {
    const { entries } = state.machine.pools
    if (!url.includes('://') || user === '') return no(state, 53, 'Invalid addpool details')
    if (entries.some((entry) => entry.url === url)) return no(state, 53, 'Duplicate pool URL')
    state.machine.setPools([...entries, { url, user, pass }], 'slide')
    return done(state, 55, `Added pool ${entries.length}: '${url}'`)
  },
  removepool(state, [id]) {
    const { entries } = state.machine.pools
    const at = Number(id)
    if (!entries[at]) return no(state, 26, `Invalid pool id ${id}`)
    if (state.machine.pools.read()[at]?.active && entries.length > 1) return no(state, 67, 'Cannot remove active pool')
    state.machine.setPools(
      entries.filter((_, index) => index !== at),
      'slide',
    )
    return done(state, 68, `Removed pool ${id}`)
  },
  switchpool(state, [id]) {
    const { entries } = state.machine.pools
    const chosen = entries[Number(id)]
    if (!chosen) return no(state, 26, `Invalid pool id ${id}`)
    state.machine.setPools([chosen, ...entries.filter((entry) => entry !== chosen)], 'slide')
    return done(state, 27, `Switching to pool ${id}`)
  },
  removegroup: (state, [id]) =>
    id === '0' ? no(state, 400, 'Cannot remove the default group') : no(state, 400, 'No such group'),
  kill(state) {
    state.logoff()
    return done(state, 318, 'Session killed')
  },
  logon(state) {
    const id = state.logon()
    if (id === undefined) return no(state, 402, 'Another session is active')
    return { json: reply(state, 316, 'Session created', { SESSION: [{ SessionID: id }] }) }
  },
}

const ofSessions = new Set(['logon', 'logoff', 'kill'])

/** A command that changes something; undefined if it is none. */
export function write(state: LuxosState, command: string, parameter: string): RpcReply | undefined {
  const parameters = parameter === '' ? [] : parameter.split(',')
  const isRefused = state.machine.has('refusedWrite') && !ofSessions.has(command)
  const free = Object.hasOwn(freeWrites, command) ? freeWrites[command] : undefined
  if (free) return isRefused ? no(state, 500, 'The miner is busy') : free(state, parameters)
  const ours = Object.hasOwn(sessionWrites, command) ? sessionWrites[command] : undefined
  if (!ours) return undefined
  const [id = '', ...rest] = parameters
  if (!state.use(id)) return no(state, 401, 'Invalid session id')
  return isRefused ? no(state, 500, 'The miner is busy') : ours(state, rest)
}
