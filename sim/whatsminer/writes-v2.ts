import { asFields, type Fields } from '../json.js'
import type { PoolEntry } from '../pools.js'
import type { WhatsminerState } from './state.js'

/** What a write leads to. `after` runs when the answer is out; `mute`: the firmware closes without an answer. */
export interface Outcome {
  readonly msg?: unknown
  readonly code?: number
  readonly mute?: true
  readonly after?: () => void
  /** Raw bytes after the answer. */
  readonly bytes?: Buffer
  /** Expects a file: u32 little-endian size and so many bytes; then it is called. */
  readonly upload?: (image: Buffer) => void
}

type Write = (state: WhatsminerState, params: Fields) => Outcome

const ok: Outcome = { msg: 'API command OK' }
const bad = (msg = 'API command ERROR'): Outcome => ({ code: 132, msg })

/** A number in a string, as v2 wants it; undefined if it is none or outside. */
function numberIn(value: unknown, low: number, high: number): number | undefined {
  if (typeof value !== 'string' || !/^-?\d{1,6}$/.test(value)) return undefined
  const number = Number(value)
  return number >= low && number <= high ? number : undefined
}

const text = (value: unknown) => (typeof value === 'string' ? value : '')

function withNumber(
  key: string,
  low: number,
  high: number,
  use: (state: WhatsminerState, value: number) => Outcome | undefined,
): Write {
  return (state, params) => {
    const value = numberIn(params[key], low, high)
    return value === undefined ? bad() : (use(state, value) ?? ok)
  }
}

const mode =
  (name: 'low' | 'normal' | 'high'): Write =>
  (state) => {
    state.setMode(name)
    return { mute: true }
  }

const poolKeys = [1, 2, 3].flatMap((n) => [`pool${n}`, `worker${n}`, `passwd${n}`])

const updatePools: Write = (state, params) => {
  if (!poolKeys.every((key) => typeof params[key] === 'string') || params.pool1 === '')
    return bad('API parse pools param error')
  const pools = [1, 2, 3].map(
    (n): PoolEntry => ({
      url: text(params[`pool${n}`]),
      user: text(params[`worker${n}`]),
      pass: text(params[`passwd${n}`]),
    }),
  )
  state.setPools(pools.filter(({ url }) => url !== ''))
  return ok
}

const setLed: Write = (state, params) => {
  if (params.param === 'auto') state.led = 'auto'
  else {
    const led = asFields(params)!
    const numbers = [led.period, led.duration, led.start]
    if ((led.color !== 'red' && led.color !== 'green') || !numbers.every(Number.isInteger)) return bad()
    const { color, period, duration, start } = led
    const others = typeof state.led === 'string' ? [] : state.led.filter((each) => each.color !== color)
    state.led = [...others, { color, period, duration, start }]
  }
  return ok
}

const powerOff: Write = (state, params) => {
  if (params.respbefore !== 'true' && params.respbefore !== 'false') return bad()
  return { ...ok, after: () => state.powerOff('api power_off') }
}

const prePowerOn: Write = (state) => {
  if (state.isOn) return bad('miner is on')
  const complete = state.read().boards.every((board) => board.boardC < 60)
  return { msg: { complete: String(complete), msg: complete ? 'adjust complete' : 'wait for adjust temp' } }
}

const netConfig: Write = ({ machine }, params) => {
  if (params.param === 'dhcp') machine.network = { ...machine.network, dhcp: true }
  else {
    const { ip, mask, gate, dns, host } = params
    if (![ip, mask, gate, dns].every((value) => /^[\d. ]+$/.test(text(value)))) return bad()
    machine.network = { dhcp: false, ip: text(ip), netmask: text(mask), gateway: text(gate), dns: text(dns).split(' ') }
    if (text(host)) machine.hostname = text(host)
  }
  return { ...ok, after: () => machine.reboot() }
}

const updatePassword: Write = (state, params) => {
  if (params.old !== state.passwords.admin) return bad('old password error')
  return state.setPassword('admin', text(params.new)) ? ok : bad('new password error')
}

const loadLog: Write = (state, params) => {
  const { ip, port, proto } = params
  if (!text(ip) || numberIn(port, 1, 65535) === undefined || (proto !== 'tcp' && proto !== 'udp')) return bad()
  state.logServer = { ip: text(ip), port: text(port), proto }
  return ok
}

/** The write commands of v2: name to effect (protocols/whatsminer.md §1.5). */
export const writes: Readonly<Record<string, Write>> = {
  update_pools: updatePools,
  restart_btminer: ({ machine }) => {
    machine.restart()
    return { mute: true }
  },
  power_off: powerOff,
  power_on: (state) => {
    state.powerOn()
    return ok
  },
  pre_power_on: prePowerOn,
  set_led: setLed,
  set_low_power: mode('low'),
  set_normal_power: mode('normal'),
  set_high_power: mode('high'),
  set_power_pct: withNumber('percent', 0, 100, (state, percent) => {
    state.setPercent(percent)
  }),
  set_power_pct_v2: withNumber('percent', 1, 200, (state, percent) => {
    if (percent > 100 && !state.isLiquid) return bad()
    state.setPercent(percent)
  }),
  adjust_power_limit: withNumber('power_limit', 0, 99999, (state, watts) =>
    state.setPowerLimit(watts) ? undefined : bad(),
  ),
  adjust_upfreq_speed: withNumber('upfreq_speed', 0, 9, (state, speed) => {
    state.upfreqSpeed = speed
  }),
  set_target_freq: withNumber('percent', -100, 100, (state, percent) => {
    if (percent > 0 && !state.isLiquid) return bad()
    state.setTargetFreq(percent)
  }),
  set_temp_offset: withNumber('temp_offset', -30, 0, (state, offset) => {
    state.tempOffset = offset
  }),
  set_poweroff_cool: withNumber('poweroff_cool', 0, 1, (state, on) => {
    state.poweroffCool = on
  }),
  set_fan_zero_speed: withNumber('fan_zero_speed', 0, 1, (state, on) => {
    state.fanZeroSpeed = on
  }),
  enable_btminer_fast_boot: (state) => {
    state.fastBoot = true
    return ok
  },
  disable_btminer_fast_boot: (state) => {
    state.fastBoot = false
    return ok
  },
  enable_web_pools: (state) => {
    state.webPools = true
    return ok
  },
  disable_web_pools: (state) => {
    state.webPools = false
    return ok
  },
  set_hostname: ({ machine }, params) => {
    if (!/^[A-Za-z0-9-]{1,63}$/.test(text(params.hostname))) return bad()
    machine.hostname = text(params.hostname)
    return ok
  },
  set_zone: (state, params) => {
    if (!text(params.timezone) || !text(params.zonename)) return bad()
    state.timezone = { timezone: text(params.timezone), zonename: text(params.zonename) }
    return ok
  },
  load_log: loadLog,
  update_pwd: updatePassword,
  net_config: netConfig,
  reboot: ({ machine }) => ({ mute: true, after: () => machine.reboot() }),
  factory_reset: (state) => ({ ...ok, after: () => state.factoryReset() }),
  download_logs: (state) => {
    const bytes = state.logs()
    return { msg: { logfilelen: String(bytes.length) }, bytes }
  },
  update_firmware: (state) => ({ msg: 'ready', upload: (image) => state.update(image) }),
}
