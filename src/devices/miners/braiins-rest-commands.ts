import { SdkError } from '#model'
import type { Command, Commands, CommandVisit, Range } from '../define.js'
import type { Io } from '../io.js'
import { braiinsRest } from '../kit/braiins.js'
import type { HttpRequest } from '../kit/http.js'
import { fields, isObject, num, rows, str } from '../kit/json.js'
import { checkFanInput, checkRange } from '../kit/limits.js'
import { settleMs, shown } from '../kit/shown.js'

type Method = NonNullable<HttpRequest['method']>

/** One change; a connection that a reboot cuts is no failure. */
async function write(io: Io, method: Method, path: string, json?: unknown, mayLoseReply = false): Promise<void> {
  try {
    await braiinsRest.call(io, { method, path: `/api/v1/${path}`, ...(json === undefined ? {} : { json }), as: 'text' })
  } catch (error) {
    io.signal.throwIfAborted()
    if (!mayLoseReply || !(error instanceof SdkError) || error.code !== 'DEVICE_TIMEOUT') throw error
  }
}

const action =
  (name: string, mayLoseReply = false) =>
  (_: unknown, { io }: CommandVisit) =>
    write(io, 'PUT', `actions/${name}`, undefined, mayLoseReply)

/** The range of a target anywhere in the constraints of the configuration; undefined if they do not tell it. */
function rangeOf(value: unknown, target: string, unit: string, depth = 0): Range | undefined {
  if (!isObject(value) || depth > 6) return undefined
  const { min, max } = fields(value[target])
  const [low, high] = [num(fields(min)[unit]), num(fields(max)[unit])]
  if (low !== undefined && high !== undefined) return [low, high]
  for (const inner of Object.values(value)) {
    const found = rangeOf(inner, target, unit, depth + 1)
    if (found) return found
  }
  return undefined
}

/** Asks the miner for its limits before anything is sent; what it does not tell is left to the miner to refuse. */
async function checkTarget(io: Io, target: string, unit: string, value: number, name: string) {
  const constraints = await braiinsRest
    .call(io, { path: '/api/v1/configuration/constraints' })
    .catch((error: unknown) => {
      if (error instanceof SdkError && ['DEVICE_UNSUPPORTED', 'DEVICE_REFUSED'].includes(error.code)) return undefined
      throw error
    })
  checkRange('target', value, name, rangeOf(constraints, target, unit))
}

const setPowerLimit: Command<'setPowerLimit'> = {
  async run({ watts }, { io }) {
    await checkTarget(io, 'power_target', 'watt', watts, 'W')
    await write(io, 'PUT', 'performance/power-target', { watt: watts })
  },
  settled: (now, { watts }) => now.tuning?.targetW === watts,
  settleMs: settleMs.setting,
}

const setHashrateTarget: Command<'setHashrateTarget'> = {
  async run({ ths }, { io }) {
    await checkTarget(io, 'hashrate_target', 'terahash_per_second', ths, 'TH/s')
    await write(io, 'PUT', 'performance/hashrate-target', { terahash_per_second: ths })
  },
  settled: (now, { ths }) => now.tuning?.targetThs != null && Math.abs(now.tuning.targetThs - ths) < 0.01,
  settleMs: settleMs.setting,
}

/** One group with all pools, in the place of all that there are; a pool that stays keeps its id and with it its password. */
const setPools: Command<'setPools'> = {
  async run({ pools }, { io }) {
    const groups = rows(await braiinsRest.call(io, { path: '/api/v1/pools/' }))
    const present = groups.flatMap((group) => rows(group.pools))
    const first = groups[0]
    const uidOf = (url: string, user: string) =>
      str(present.find((pool) => str(pool.url) === url && str(pool.user) === user)?.uid)
    const group = {
      ...(str(first?.uid) === undefined ? {} : { uid: str(first?.uid) }),
      name: str(first?.name) ?? 'Default',
      load_balance_strategy: { quota: { value: 1 } },
      pools: pools.map(({ url, user, password }) => {
        const uid = uidOf(url, user)
        return { url, user, enabled: true, ...(password === undefined ? {} : { password }), ...(uid ? { uid } : {}) }
      }),
    }
    await write(io, 'PUT', 'pools/batch', [group])
  },
  ...shown.setPools,
}

const tolerancePct = 3

const setFan: Command<'setFan'> = {
  check(input, model) {
    if (model.fans === 0) throw new SdkError('DEVICE_UNSUPPORTED', 'this model has no fans')
    checkFanInput(input, ['mode', 'dutyPct'])
  },
  run: ({ dutyPct }, { io }) =>
    write(
      io,
      'PUT',
      'cooling/mode',
      dutyPct === undefined ? { auto: {} } : { manual: { fan_speed_ratio: dutyPct / 100 } },
    ),
  settled: (now, { dutyPct }) =>
    dutyPct !== undefined && now.fanDutyPct != null && Math.abs(now.fanDutyPct - dutyPct) <= tolerancePct,
  settleMs: settleMs.setting,
}

const setNetwork: Command<'setNetwork'> = {
  run(input, { io }) {
    const host = input.hostname === undefined ? {} : { hostname: input.hostname }
    const protocol = input.dhcp
      ? { dhcp: {} }
      : { static: { address: input.ip, netmask: input.netmask, gateway: input.gateway, dns_servers: input.dns } }
    return write(io, 'PATCH', 'network/configuration', { ...host, protocol }, true)
  },
  ...shown.setNetwork,
}

/** 25.07 and later. A pause keeps the mining process: it is the fast way to sleep and back. */
export const braiinsRestCommands: Commands = {
  reboot: { run: action('reboot', true), ...shown.reboot },
  restartMiner: { run: action('restart'), ...shown.restartMiner },
  suspend: { run: action('pause'), ...shown.suspend },
  resume: { run: action('resume'), ...shown.resume },
  setPowerLimit,
  setHashrateTarget,
  setPools,
  setLed: { run: ({ on }, { io }) => write(io, 'PUT', 'actions/locate', on), ...shown.setLed },
  setFan,
  setNetwork,
  setHostname: {
    run: ({ hostname }, { io }) => write(io, 'PATCH', 'network/configuration', { hostname }),
    ...shown.setHostname,
  },
  factoryReset: { run: action('factory-reset', true), settleMs: 0 },
}
