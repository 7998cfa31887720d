import { type CommandInput, type PoolInput, type PowerMode, SdkError } from '#model'
import type { Command, Commands, Telemetry } from '../define.js'
import { avalonFacts } from '../hardware/avalon.js'
import type { Credentials, Io } from '../io.js'
import { ascset, statusOf } from '../kit/avalon.js'
import { rpc, rpcWrite } from '../kit/cgminer.js'
import { num } from '../kit/json.js'
import { checkAccount, checkFanInput } from '../kit/limits.js'
import { isAsleep, settleMs, shown } from '../kit/shown.js'

/** How far ahead of the miner's clock a soft switch has to be set, s. */
const aheadS = 5
/** Below it a clock counts from the start of the miner, s. */
const clockSetS = 1_500_000_000
const factory: readonly Credentials[] = [{ username: 'root', password: 'root' }]
const poolPlaces = 3
/** The fans follow what is asked within so many percent. */
const dutyTolerance = 4

/** Arguments are separated by commas: none may be in a value. */
function checkWords(...words: readonly (string | undefined)[]) {
  const bad = words.find((word) => word !== undefined && /[,|\n]/.test(word))
  if (bad !== undefined) throw new SdkError('BAD_REQUEST', 'this firmware takes no comma, bar or line end in a value')
}

/** Tries the forms of a command that the generations have, until one is known. */
async function anyForm(io: Io, ...options: readonly string[]): Promise<string> {
  let last: unknown
  for (const option of options) {
    try {
      return await ascset(io, option, { mayLoseReply: true })
    } catch (error) {
      if (!(error instanceof SdkError) || !['DEVICE_REFUSED', 'DEVICE_UNSUPPORTED'].includes(error.code)) throw error
      last = error
    }
  }
  throw last
}

/** With the passwords in order, until one is taken; only a wrong one leads to the next. */
async function withLogin<T>(io: Io, job: (login: Credentials) => Promise<T>): Promise<T> {
  let last: unknown
  for (const login of io.credentials.length > 0 ? io.credentials : factory) {
    try {
      return await job(login)
    } catch (error) {
      if (!(error instanceof SdkError) || error.code !== 'DEVICE_AUTH') throw error
      last = error
    }
  }
  throw last
}

/** Soft on and off: newer generations take a time by their own clock, those without one take none. */
async function softSwitch(io: Io, option: 'softoff' | 'softon'): Promise<void> {
  const when = num(statusOf(await rpc(io, { command: 'version' })).When) ?? 0
  const hasClock = when > clockSetS
  const at = (hasClock ? when : Math.floor(io.clock.now() / 1000)) + aheadS
  const timed = `${option},1:${at}`
  await (hasClock ? anyForm(io, timed, option) : anyForm(io, option, timed))
}

const suspend: Command<'suspend'> = { run: (_, { io }) => softSwitch(io, 'softoff'), ...shown.suspend }
const resume: Command<'resume'> = { run: (_, { io }) => softSwitch(io, 'softon'), ...shown.resume }

const reboot: Command<'reboot'> = {
  run: async (_, { io }) => void (await ascset(io, 'reboot,0', { mayLoseReply: true })),
  ...shown.reboot,
}

const restartMiner: Command<'restartMiner'> = {
  run: async (_, { io }) => void (await rpcWrite(io, { command: 'restart' }, { mayLoseReply: true })),
  ...shown.restartMiner,
}

const hasMode = (now: Telemetry, mode: PowerMode) =>
  mode === 'sleep' ? isAsleep(now) : !isAsleep(now) && now.tuning?.mode === mode

const setPowerMode: Command<'setPowerMode'> = {
  check({ mode }, model) {
    const modes = [...avalonFacts(model).modes, 'sleep']
    if (!modes.includes(mode))
      throw new SdkError('DEVICE_UNSUPPORTED', `this model has no mode ${mode}; it has ${modes.join(', ')}`)
  },
  /** Industrial models take a mode at their next start: it follows at once. */
  async run({ mode }, { io, model, before }) {
    if (mode === 'sleep') return softSwitch(io, 'softoff')
    const { modes, modeBy, home } = avalonFacts(model)
    const number = modes.indexOf(mode)
    if (before.tuning?.mode !== mode) {
      if (home) await anyForm(io, `${modeBy},set,${number}`, `${modeBy},${number}`)
      else {
        await ascset(io, `workmode,${number}`)
        await ascset(io, 'reboot,0', { mayLoseReply: true })
      }
    }
    if (isAsleep(before)) await softSwitch(io, 'softon')
  },
  settled: (now, { mode }) => hasMode(now, mode),
  settleMs: settleMs.reboot,
}

const setPools: Command<'setPools'> = {
  check({ pools }, model) {
    for (const { url, user, password } of pools) checkWords(url, user, password)
    if (avalonFacts(model).onePool && pools.length > 1)
      throw new SdkError('BAD_REQUEST', `this model keeps one pool, not ${pools.length}`)
  },
  /** All places are written, the last pool again where fewer are wanted, so that no foreign one stays; a restart makes them count. */
  async run({ pools }, { io, model }) {
    const { onePool } = avalonFacts(model)
    const places = Array.from({ length: onePool ? 1 : poolPlaces }, (_, at) => pools[at] ?? pools.at(-1)!)
    await withLogin(io, async (login) => {
      for (const [at, pool] of places.entries()) await ascset(io, poolOption(login, onePool ? undefined : at, pool))
    })
    await ascset(io, 'reboot,0', { mayLoseReply: true })
  },
  settled: hasTheirPools,
  settleMs: settleMs.reboot,
}

function poolOption({ username, password }: Credentials, place: number | undefined, pool: PoolInput): string {
  const index = place === undefined ? [] : [String(place)]
  return ['setpool', username, password, ...index, pool.url, pool.user, pool.password || 'x'].join(',')
}

/** Repeated ones aside, exactly these in this order. */
function hasTheirPools(now: Telemetry, { pools }: CommandInput<'setPools'>): boolean {
  const name = ({ url, user }: { url: string; user: string }) => `${url} ${user}`
  const seen = [...new Set([...(now.pools ?? [])].sort((a, b) => a.index - b.index).map(name))]
  const wanted = [...new Set(pools.map(name))]
  return seen.length === wanted.length && wanted.every((each, at) => seen[at] === each)
}

const setLed: Command<'setLed'> = {
  check(_, model) {
    if (avalonFacts(model).home) throw new SdkError('DEVICE_UNSUPPORTED', 'this model has a display and no LED')
  },
  /** The first number is the LED; generations count it from 1 or from 0. */
  run: async ({ on }, { io }) => void (await anyForm(io, `led,1-${Number(on)}`, `led,0-${Number(on)}`)),
  ...shown.setLed,
}

const automatic = -1

const setFan: Command<'setFan'> = {
  check(input, model) {
    if (model.fans === 0) throw new SdkError('DEVICE_UNSUPPORTED', 'this model has no fans')
    checkFanInput(input, ['mode', 'dutyPct'])
  },
  run: async ({ dutyPct }, { io }) => void (await ascset(io, `fan-spd,${dutyPct ?? automatic}`)),
  settled: (now, { dutyPct }) =>
    dutyPct !== undefined && now.fanDutyPct != null && Math.abs(now.fanDutyPct - dutyPct) <= dutyTolerance,
  settleMs: settleMs.setting,
}

const atReboot = { next: 'it takes effect at the next reboot' }

const setNetwork: Command<'setNetwork'> = {
  check(input) {
    if (input.hostname !== undefined) throw new SdkError('DEVICE_UNSUPPORTED', 'this firmware has no host name')
  },
  async run(input, { io }) {
    if (input.dhcp) await anyForm(io, 'ip,d', 'ip,dhcp')
    else {
      const address = [input.ip, input.netmask, input.gateway].join(',')
      await anyForm(io, `ip,s,${address}`, `ip,static,${address}`)
      await anyForm(io, `dns,${input.dns.join(',')}`)
    }
    return atReboot
  },
  settleMs: 0,
}

const setPassword: Command<'setPassword'> = {
  check({ password, account }) {
    checkWords(password)
    checkAccount(account, 'root')
  },
  async run({ password }, { io }) {
    await withLogin(io, ({ password: present }) => ascset(io, `password,${present},${password}`))
    return { next: 'set the new password as the credentials of this device' }
  },
  settleMs: 0,
}

const factoryReset: Command<'factoryReset'> = {
  run: async (_, { io }) => void (await ascset(io, 'restore', { mayLoseReply: true })),
  settleMs: 0,
}

export const avalonCommands: Commands = {
  reboot,
  restartMiner,
  suspend,
  resume,
  setPowerMode,
  setPools,
  setLed,
  setFan,
  setNetwork,
  setPassword,
  factoryReset,
}
