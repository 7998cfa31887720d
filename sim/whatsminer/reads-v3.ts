import { asFields, type Fields, round } from '../json.js'
import type { WhatsminerState } from './state.js'

/** What a v3 command leads to: `msg` with code 0, or a code with its reason. */
export interface OutcomeV3 {
  readonly code?: number
  readonly msg?: unknown
  readonly after?: () => void
  /** Raw bytes after the answer. */
  readonly bytes?: Buffer
  /** Expects a file: u32 little-endian size and so many bytes; then it is called. */
  readonly upload?: (image: Buffer) => void
}

export type CommandV3 = (state: WhatsminerState, param: unknown) => OutcomeV3

/** Codes of protocols/whatsminer.md §2.1. */
export const codes = { ok: 0, fail: -1, invalid: -2, missing: -3, denied: -4 } as const

const missing: OutcomeV3 = { code: codes.missing, msg: 'param item is null' }
const invalid: OutcomeV3 = { code: codes.invalid, msg: 'invalid param' }

const sections: Readonly<Record<string, (state: WhatsminerState) => unknown>> = {
  network: ({ machine }) => ({
    ip: machine.network.ip,
    proto: machine.network.dhcp ? 'dhcp' : 'static',
    netmask: machine.network.netmask,
    dns: machine.network.dns.join(' '),
    mac: machine.mac,
    gateway: machine.network.gateway,
    hostname: machine.hostname,
  }),
  miner: minerSection,
  system: (state) => ({
    api: state.row.apiV3,
    platform: state.row.platform,
    fwversion: state.firmware,
    'control-board-version': state.row.controlBoard,
    btrom: '1',
    apiswitch: state.apiSwitch ? '1' : '0',
    ledstatus: typeof state.led === 'string' ? state.led : 'manual',
  }),
  power: powerSection,
  salt: (state) => state.salt,
  'error-code': (state) => state.errors.map(({ code, reason, since }) => ({ [code]: state.localTime(since), reason })),
}

function minerSection(state: WhatsminerState) {
  const { machine, row } = state
  const slots = Array.from({ length: row.boards }, (_, slot) => slot)
  const boardGhs = round((row.nominalThs / row.boards) * 1000)
  return {
    working: String(state.isOn),
    type: `${row.model}_${row.variant}`,
    'hash-board': row.variant.replace(/^V/, ''),
    'detect-hash-rate': slots.map(() => boardGhs).join(':'),
    cointype: state.coin,
    'pool-strategy': 'FAILOVER',
    heatmode: state.heatMode === 'normal' ? '' : state.heatMode,
    'hash-percent': '',
    'eeprom-liquid-cooling': slots.map(() => (state.isLiquid ? 1 : 0)).join('-'),
    ...Object.fromEntries(slots.map((slot) => [`chipdata${slot}`, 'K40A07-25020801 BINV01-196803C'])),
    'fast-boot': state.fastBoot ? 'enable' : 'disable',
    'board-num': String(row.boards - machine.physics.drive.lostBoards.size),
    ...Object.fromEntries(slots.map((slot) => [`pcbsn${slot}`, machine.boardSerials[slot]])),
    'miner-sn': machine.serial,
    'power-limit-set': String(machine.physics.drive.limitW ?? ''),
    'web-pool': state.webPools ? 1 : 0,
  }
}

const modeNumbers = { low: '0', normal: '1', high: '2' } as const

function powerSection(state: WhatsminerState) {
  const reading = state.read()
  const { row, machine } = state
  return {
    type: row.psu,
    mode: modeNumbers[machine.physics.drive.mode],
    hwversion: 'R00033',
    swversion: '20201224_P00031.20210326_S00037',
    model: `${row.psu}-12-3300`,
    iin: round(reading.powerW / reading.inputV, 1),
    vin: round(reading.inputV, 1),
    vout: state.isOn ? 1209 : 0,
    pin: round(reading.powerW),
    fanspeed: reading.psuFanRpm,
    temp0: round(reading.psuC, 1),
    sn: `${machine.serial}P`,
    vendor: '1',
    ...(state.isLiquid ? { 'liquid-temperature': round(reading.inletC, 1) } : {}),
  }
}

function deviceInfo(state: WhatsminerState, param: unknown): OutcomeV3 {
  const names = typeof param === 'string' && param !== '' ? param.split('+') : Object.keys(sections)
  if (!names.every((name) => Object.hasOwn(sections, name))) return invalid
  return { msg: Object.fromEntries(names.map((name) => [name, sections[name]!(state)])) }
}

function summary(state: WhatsminerState) {
  const reading = state.read()
  const { boards } = reading
  const chips = boards.map((board) => board.chipAvgC)
  const highest = (values: number[]) => (values.length > 0 ? Math.max(...values) : 0)
  return {
    elapsed: state.isOn ? Math.floor(reading.elapsedS) : 0,
    'bootup-time': Math.floor(reading.uptimeS),
    'freq-avg': round(reading.frequencyMhz),
    'target-freq': state.targetFreq,
    'factory-hash': state.row.nominalThs,
    'hash-average': round(state.isOn ? reading.avgThs : 0, 3),
    'hash-1min': round(reading.rate1mThs, 3),
    'hash-15min': round(reading.rate15mThs, 3),
    'hash-realtime': round(reading.rateThs, 3),
    'power-rate': reading.rateThs > 0 ? round(reading.powerW / reading.rateThs, 3) : 0,
    'power-5min': round(reading.power5mW, 3),
    'power-realtime': round(reading.powerW),
    'environment-temperature': round(reading.ambientC, 1),
    'board-temperature': boards.map((board) => round(board.boardC, 1)),
    'chip-temp-min': round(-highest(boards.map((board) => -board.chipMinC)), 1),
    'chip-temp-avg': round(chips.reduce((sum, temp) => sum + temp, 0) / Math.max(1, chips.length), 1),
    'chip-temp-max': round(highest(boards.map((board) => board.chipMaxC)), 1),
    'power-limit': state.powerLimitW,
    'up-freq-finish': reading.tuned ? 1 : 0,
    'fan-speed-in': reading.fansRpm[0] ?? 0,
    'fan-speed-out': reading.fansRpm[1] ?? 0,
    'power-on-stats': {
      'energy-ws': round(reading.energyWs),
      'total-ths': round(reading.workTh),
      'reject-percent': 0.11,
    },
  }
}

function pools(state: WhatsminerState) {
  return state.machine.pools.read().map((pool) => ({
    id: pool.index + 1,
    url: pool.url,
    status: pool.alive ? 'alive' : 'dead',
    account: pool.user,
    'stratum-active': pool.active,
    'stratum-diff': pool.active ? pool.difficulty : 0,
    'reject-percent': pool.accepted > 0 ? round((100 * pool.rejected) / (pool.accepted + pool.rejected), 3) : 0,
    'last-share-time': pool.lastShareAgoS === undefined ? 0 : Math.floor(state.when - pool.lastShareAgoS),
  }))
}

function edevs(state: WhatsminerState) {
  const reading = state.read()
  const boardThs = round(state.row.nominalThs / state.row.boards, 3)
  return reading.boards.map((board) => ({
    id: board.slot,
    slot: board.slot,
    'hash-average': round(state.isOn ? board.avgThs : 0, 3),
    'hash-realtime': round(board.rateThs, 3),
    'factory-hash': boardThs,
    freq: round(reading.frequencyMhz),
    'effective-chips': board.chips,
    'chip-temp-min': round(board.chipMinC, 1),
    'chip-temp-avg': round(board.chipAvgC, 1),
    'chip-temp-max': round(board.chipMaxC, 1),
  }))
}

const statusParts: Readonly<Record<string, (state: WhatsminerState) => unknown>> = { summary, pools, edevs }

function minerStatus(state: WhatsminerState, param: unknown): OutcomeV3 {
  if (typeof param !== 'string') return missing
  const names = [...new Set(param.split('+'))]
  if (!names.every((name) => Object.hasOwn(statusParts, name))) return invalid
  if (state.isOn) return { msg: Object.fromEntries(names.map((name) => [name, statusParts[name]!(state)])) }
  // Without the mining process there are no pools: alone they fail, beside others they are left out.
  const rest = names.filter((name) => name !== 'pools')
  if (rest.length === 0) return { code: codes.fail, msg: 'btminer process is down err' }
  return { msg: Object.fromEntries(rest.map((name) => [name, statusParts[name]!(state)])) }
}

function minerSetting(state: WhatsminerState): OutcomeV3 {
  const { mode, powerPct } = state.machine.physics.drive
  return {
    msg: {
      'power-limit': state.powerLimitW,
      'upfreq-speed': state.upfreqSpeed,
      'power-mode': mode,
      'fast-boot': state.fastBoot ? 'enable' : 'disable',
      'target-freq': state.targetFreq,
      'fast-mining': state.fastHash ? 'enable' : 'disable',
      'heat-mode': state.heatMode,
      power: state.powerLimitW,
      'power-percent': powerPct === 100 ? 0 : powerPct,
    },
  }
}

function systemSetting(state: WhatsminerState): OutcomeV3 {
  return {
    msg: {
      'web-pool': state.webPools ? 1 : 0,
      ...state.timezone,
      hostname: state.machine.hostname,
      'log-upload': { ...state.logServer },
      'time-randomized': { ...state.randomized },
      'ntp-server': [...state.ntp],
    },
  }
}

function fanSetting(state: WhatsminerState): OutcomeV3 {
  if (state.isLiquid) return { code: codes.fail, msg: 'not supported' }
  return {
    msg: {
      'fan-poweroff-cool': state.poweroffCool,
      'fan-zero-speed': state.fanZeroSpeed,
      'fan-temp-offset': state.tempOffset,
    },
  }
}

/** One line a minute: unix s, power, hashrate. */
function history(state: WhatsminerState, param: unknown): OutcomeV3 {
  const { begin, end } = asFields(param) ?? ({} as Fields)
  const from = Number(begin)
  const to = Math.min(Number(end), state.when)
  if (!(from <= to) || to - from > 86_400) return invalid
  const { powerW, rateThs } = state.read()
  const lines = Array.from({ length: Math.floor((to - from) / 60) }, (_, minute) => {
    return `${from + minute * 60},${round(powerW)},${round(rateThs, 3)}`
  })
  return { msg: { Data: lines.join(' ') } }
}

/** The read commands of v3; they need no login. */
export const readsV3: Readonly<Record<string, CommandV3>> = {
  'get.device.info': deviceInfo,
  'get.miner.status': minerStatus,
  'get.miner.setting': minerSetting,
  'get.miner.history': history,
  'get.system.setting': systemSetting,
  'get.fan.setting': fanSetting,
  'get.device.custom_data': (state) => ({ msg: { ...state.customData } }),
  'get.log.download': (state) => {
    const bytes = state.logs()
    return { msg: { logsize: String(bytes.length) }, bytes }
  },
}
