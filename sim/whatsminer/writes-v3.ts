import { asFields } from '../json.js'
import type { PoolEntry } from '../pools.js'
import { type CommandV3, codes, type OutcomeV3 } from './reads-v3.js'
import { accounts, type WhatsminerState } from './state.js'

const ok: OutcomeV3 = { msg: 'ok' }
const invalid = (msg = 'invalid param'): OutcomeV3 => ({ code: codes.invalid, msg })
const missing: OutcomeV3 = { code: codes.missing, msg: 'param item is null' }

const text = (value: unknown) => (typeof value === 'string' ? value : '')

/** A number, as most commands want it. */
function withNumber(
  low: number,
  high: number,
  use: (state: WhatsminerState, value: number) => OutcomeV3 | undefined,
): CommandV3 {
  return (state, param) => {
    if (param === undefined || param === null) return missing
    if (typeof param !== 'number' || !Number.isInteger(param) || param < low || param > high) return invalid()
    return use(state, param) ?? ok
  }
}

/** One of some words. */
function withWord<W extends string>(
  words: readonly W[],
  use: (state: WhatsminerState, word: W) => OutcomeV3 | undefined,
): CommandV3 {
  return (state, param) => {
    if (param === undefined || param === null) return missing
    const word = words.find((each) => each === param)
    return word === undefined ? invalid() : (use(state, word) ?? ok)
  }
}

const service = withWord(['start', 'stop', 'restart', 'enable', 'disable'], (state, word) => {
  if (word === 'start') state.powerOn()
  if (word === 'stop') state.powerOff('api stop')
  if (word === 'restart') {
    state.powerOn()
    state.machine.restart()
  }
})

/** The documents say a number; firmware reads a string. */
const powerPercent: CommandV3 = (state, param) => {
  const { percent, mode } = asFields(param) ?? {}
  if (typeof percent !== 'string' || !/^\d{1,3}$/.test(percent) || (mode !== 'fast' && mode !== 'normal'))
    return invalid()
  if (Number(percent) > (state.isLiquid ? 200 : 100)) return invalid()
  if (!state.read().tuned) return { code: codes.fail, msg: 'miner is not stable' }
  state.setPercent(Number(percent))
  return ok
}

const pools: CommandV3 = (state, param) => {
  if (!Array.isArray(param) || param.length > 3) return invalid()
  const wanted = param.map((each): PoolEntry | undefined => {
    const { pool, worker, passwd } = asFields(each) ?? {}
    return text(pool) ? { url: text(pool), user: text(worker), pass: text(passwd) } : undefined
  })
  const entries = wanted.filter((pool) => pool !== undefined)
  if (entries.length === 0) return invalid('API parse pools param error')
  state.setPools(entries)
  return ok
}

const led: CommandV3 = (state, param) => {
  if (param === 'auto') {
    state.led = 'auto'
    return ok
  }
  const isLight = (each: unknown) => {
    const { color, period, duration, start } = asFields(each) ?? {}
    return (color === 'red' || color === 'green') && [period, duration, start].every(Number.isInteger)
  }
  if (!Array.isArray(param) || !param.every(isLight)) return invalid()
  state.led = param
  return ok
}

const netConfig: CommandV3 = ({ machine }, param) => {
  if (param === 'dhcp') machine.network = { ...machine.network, dhcp: true }
  else {
    const { ip, netmask, gateway, dns } = asFields(param) ?? {}
    if (![ip, netmask, gateway, dns].every((value) => /^[\d. ]+$/.test(text(value)))) return invalid()
    machine.network = {
      dhcp: false,
      ip: text(ip),
      netmask: text(netmask),
      gateway: text(gateway),
      dns: text(dns).split(' '),
    }
  }
  return { ...ok, after: () => machine.reboot() }
}

const changePassword: CommandV3 = (state, param) => {
  const fields = asFields(param) ?? {}
  const account = text(fields.account ?? fields.user)
  if (!accounts.some((each) => each === account)) return invalid()
  if ((fields.old ?? fields.old_password) !== state.passwords[account])
    return { code: codes.fail, msg: 'old password error' }
  return state.setPassword(account, text(fields.new ?? fields.new_password)) ? ok : invalid()
}

const customData: CommandV3 = (state, param) => {
  const { key, value } = asFields(param) ?? {}
  if (!/^(CustomerSn|msg[0-9])$/.test(text(key)) || typeof value !== 'string' || value.length >= 128) return invalid()
  state.customData = { ...state.customData, [text(key)]: value }
  return ok
}

/** Reads an object of texts: each key must be there. */
function withTexts<K extends string>(
  keys: readonly K[],
  use: (state: WhatsminerState, values: Record<K, string>) => OutcomeV3 | undefined,
): CommandV3 {
  return (state, param) => {
    const fields = asFields(param) ?? {}
    if (!keys.every((key) => text(fields[key]) !== '')) return missing
    return use(state, fields as Record<K, string>) ?? ok
  }
}

/** The write commands of v3: name to effect (protocols/whatsminer.md §2.4). */
export const writesV3: Readonly<Record<string, CommandV3>> = {
  'set.miner.service': service,
  'set.miner.power_mode': withWord(['low', 'normal', 'high'], (state, mode) => {
    if (!state.isOn) return { code: codes.fail, msg: 'btminer process is down err' }
    state.setMode(mode)
  }),
  'set.miner.power_limit': withNumber(0, 99999, (state, watts) => (state.setPowerLimit(watts) ? undefined : invalid())),
  'set.miner.power': withNumber(0, 99999, (state, watts) => (state.setPowerLimit(watts) ? undefined : invalid())),
  'set.miner.power_percent': powerPercent,
  'set.miner.pools': pools,
  'set.miner.target_freq': withNumber(-100, 100, (state, percent) => {
    if (percent > 0 && !state.isLiquid) return invalid()
    state.setTargetFreq(percent)
  }),
  'set.miner.upfreq_speed': withNumber(0, 10, (state, speed) => {
    state.upfreqSpeed = speed
  }),
  'set.miner.fastboot': withWord(['enable', 'disable'], (state, word) => {
    state.fastBoot = word === 'enable'
  }),
  'set.miner.fast_hash': withNumber(0, 1, (state, on) => {
    state.fastHash = on === 1
  }),
  'set.miner.heat_mode': withWord(['heating', 'normal', 'anti-freezing', 'anti-icing'], (state, mode) => {
    state.heatMode = mode
  }),
  'set.miner.cointype': withTexts(['cointype'], (state, { cointype }) => {
    state.coin = cointype
  }),
  'set.miner.restore_setting': (state) => {
    state.machine.change({ mode: 'normal', limitW: null, powerPct: 100, frequencyPct: 0 }, 'restart')
    state.targetFreq = 0
    return ok
  },
  'set.system.led': led,
  'set.system.reboot': ({ machine }) => ({ ...ok, after: () => machine.reboot() }),
  'set.system.factory_reset': (state) => ({ ...ok, after: () => state.factoryReset() }),
  'set.system.hostname': withTexts(['hostname'], ({ machine }, { hostname }) => {
    if (!/^[A-Za-z0-9-]{1,63}$/.test(hostname)) return invalid()
    machine.hostname = hostname
  }),
  'set.system.timezone': withTexts(['timezone', 'zonename'], (state, { timezone, zonename }) => {
    state.timezone = { timezone, zonename }
  }),
  'set.system.ntp_server': (state, param) => {
    if (!text(param)) return missing
    state.ntp = text(param).split(',')
    return ok
  },
  'set.system.webpools': withWord(['enable', 'disable'], (state, word) => {
    state.webPools = word === 'enable'
  }),
  'set.system.time_randomized': (state, param) => {
    const { start, stop } = asFields(param) ?? {}
    const isTime = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 120
    if (!isTime(start) || !isTime(stop)) return invalid()
    state.randomized = { start, stop }
    return ok
  },
  'set.system.net_config': netConfig,
  'set.system.update_firmware': (state) => ({ msg: 'ready', upload: (image) => state.update(image) }),
  'set.fan.poweroff_cool': withNumber(0, 1, (state, on) => {
    state.poweroffCool = on
  }),
  'set.fan.zero_speed': withNumber(0, 1, (state, on) => {
    state.fanZeroSpeed = on
  }),
  'set.fan.temp_offset': withNumber(-30, 0, (state, offset) => {
    state.tempOffset = offset
  }),
  'set.log.upload': withTexts(['ip', 'port', 'proto'], (state, { ip, port, proto }) => {
    if (proto !== 'tcp' && proto !== 'udp') return invalid()
    state.logServer = { ip, port, proto }
  }),
  'set.device.custom_data': customData,
  'set.user.change_passwd': changePassword,
  'set.user.permission': withTexts(['user', 'permission'], (state, { user, permission }) => {
    state.permissions = { ...state.permissions, [user]: permission }
  }),
}

/** Commands whose `param` travels encrypted. */
export const sealedParams: ReadonlySet<string> = new Set(['set.miner.pools', 'set.user.change_passwd'])
