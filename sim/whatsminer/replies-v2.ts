import { type Fields, round } from '../json.js'
import type { Reading } from '../physics.js'
import type { WhatsminerState } from './state.js'

/** The read replies of API v2, envelope and all, in the three styles that occur (protocols/whatsminer.md §1.2, §1.4). */

const mhs = (ths: number) => round(ths * 1e6, 2)
const capital = (word: string) => word[0]!.toUpperCase() + word.slice(1)

/** Style 1, as cgminer writes it. */
function cgminerStyle(state: WhatsminerState, code: number, text: string, section: string, items: unknown[]): Fields {
  const description = state.row.legacy ? 'cgminer 4.9.2' : 'btminer'
  const status = { STATUS: 'S', When: state.when, Code: code, Msg: text, Description: description }
  return { STATUS: [status], [section]: items, id: 1 }
}

/** Style 2: `get_*`, `status` and all writes; errors too. */
export function apiStyle(state: WhatsminerState, msg: unknown, code = 131, status: 'S' | 'E' = 'S'): Fields {
  return { STATUS: status, When: state.when, Code: code, Msg: msg, Description: '' }
}

/** True if this firmware speaks v3 and serves v2 only for old clients, with fewer fields. */
const isCompat = (state: WhatsminerState) => state.row.apiV3 !== undefined

function summary(state: WhatsminerState): Fields {
  const reading = state.read()
  if (isCompat(state)) return apiStyle(state, compatSummary(state, reading))
  const fields = summaryFields(state, reading)
  const all = state.row.legacy ? { ...fields, ...legacyFields(state, reading) } : fields
  return cgminerStyle(state, 11, 'Summary', 'SUMMARY', [all])
}

function summaryFields(state: WhatsminerState, reading: Reading) {
  const { machine, row, isOn } = state
  const chips = chipTemps(reading)
  const shares = shareTotals(state)
  const powerW = round(reading.powerW)
  return {
    Elapsed: isOn ? Math.floor(reading.elapsedS) : 0,
    'MHS av': mhs(isOn ? reading.avgThs : 0),
    'MHS 5s': mhs(reading.rate5sThs),
    'MHS 1m': mhs(reading.rate1mThs),
    'MHS 5m': mhs(reading.rate5mThs),
    'MHS 15m': mhs(reading.rate15mThs),
    'HS RT': mhs(reading.rateThs),
    Accepted: shares.accepted,
    Rejected: shares.rejected,
    'Total MH': round(reading.workTh * 1e6),
    Temperature: round(highest(reading.boards.map((board) => board.boardC)), 1),
    freq_avg: round(reading.frequencyMhz),
    'Fan Speed In': reading.fansRpm[0] ?? 0,
    'Fan Speed Out': reading.fansRpm[1] ?? 0,
    Power: round(reading.power5mW),
    Power_RT: powerW,
    'Power Rate': reading.rateThs > 0 ? round(reading.powerW / reading.rateThs, 2) : 0,
    'Pool Rejected%': percent(shares.rejected, shares.accepted),
    'Pool Stale%': percent(shares.stale, shares.accepted),
    'Best Share': Math.floor(1e6 + reading.workTh * 37),
    'Last getwork': 0,
    Uptime: Math.floor(reading.uptimeS),
    'Security Mode': 0,
    'Hash Stable': reading.tuned,
    'Hash Stable Cost Seconds': reading.tuned ? 640 : 0,
    'Hash Deviation%': 0.1398,
    'Target Freq': round(row.frequencyMhz),
    'Target MHS': mhs(reading.targetThs),
    'Env Temp': round(reading.ambientC, 1),
    'Power Mode': capital(machine.physics.drive.mode),
    'Factory GHS': round(row.nominalThs * 1000),
    'Power Limit': state.powerLimitW,
    ...chips,
    Debug: '-0.0_100.0_354',
    'Btminer Fast Boot': state.fastBoot ? 'enable' : 'disable',
    MAC: machine.mac,
  }
}

/** What the summary had in v1, and still has on early 2.0.x. */
function legacyFields(state: WhatsminerState, reading: Reading) {
  const errors = Object.fromEntries(state.errors.map(({ code }, index) => [`Error Code ${index}`, code]))
  return {
    'CB Platform': `ALLWINNER_${state.row.platform}`,
    'CB Version': state.row.controlBoard,
    'Chip Data': 'K88Z001-2039   BINV01-195001B',
    'Error Code Count': state.errors.length,
    ...errors,
    'Factory Error Code Count': 0,
    'Firmware Version': `'${state.firmware}'`,
    'Hardware Errors': reading.hwErrors,
    'Liquid Cooling': state.isLiquid,
    'Power Current': round(reading.powerW / 13),
    'Power Fanspeed': reading.psuFanRpm,
    Voltage: 1180,
  }
}

/** What v3 firmware still gives under `summary`: no 5 s and 5 min means, no board temperature, no counters. */
function compatSummary(state: WhatsminerState, reading: Reading) {
  const { machine, row, isOn } = state
  return {
    Elapsed: isOn ? round(reading.elapsedS, 6) : 0,
    'MHS av': round((isOn ? reading.avgThs : 0) * 1e6),
    'MHS 1m': round(reading.rate1mThs * 1e6),
    'MHS 15m': round(reading.rate15mThs * 1e6),
    'HS RT': round(reading.rateThs * 1e6),
    freq_avg: round(reading.frequencyMhz, 3),
    'Fan Speed In': reading.fansRpm[0] ?? 0,
    'Fan Speed Out': reading.fansRpm[1] ?? 0,
    Power: round(reading.powerW, 3),
    'Power Rate': reading.rateThs > 0 ? round(reading.powerW / reading.rateThs, 3) : 0,
    'Pool Rejected%': 0,
    Uptime: Math.floor(reading.uptimeS),
    'Hash Stable': String(reading.tuned),
    'Target Freq': state.targetFreq,
    'Env Temp': round(reading.ambientC, 3),
    'Power Mode': capital(machine.physics.drive.mode),
    'Factory GHS': round(row.nominalThs * 1000),
    'Power Limit': state.powerLimitW,
    ...chipTemps(reading),
  }
}

function chipTemps({ boards }: Reading) {
  const mean = boards.reduce((sum, board) => sum + board.chipAvgC, 0) / Math.max(1, boards.length)
  return {
    'Chip Temp Min': round(-highest(boards.map((board) => -board.chipMinC)), 2),
    'Chip Temp Max': round(highest(boards.map((board) => board.chipMaxC)), 2),
    'Chip Temp Avg': round(mean, 2),
  }
}

/** 0 where there is nothing, as the firmware does when every board is lost. */
function highest(values: readonly number[]): number {
  return values.length > 0 ? Math.max(...values) : 0
}

function shareTotals({ machine }: WhatsminerState) {
  const totals = { accepted: 0, rejected: 0, stale: 0 }
  for (const pool of machine.pools.read()) {
    totals.accepted += pool.accepted
    totals.rejected += pool.rejected
    totals.stale += pool.stale
  }
  return totals
}

function percent(part: number, rest: number): number {
  return part + rest > 0 ? round((100 * part) / (part + rest), 4) : 0
}

function edevs(state: WhatsminerState): Fields {
  const { machine, row, isOn } = state
  const reading = state.read()
  const compat = isCompat(state)
  // v3 firmware writes TH/s under the old keys, whose names say MH/s.
  const rate = compat ? (ths: number) => round(ths, 6) : mhs
  const boardGhs = round((row.nominalThs / row.boards) * 1000)
  const shares = shareTotals(state)
  const items = reading.boards.map((board) => {
    const scale = reading.rateThs > 0 ? board.rateThs / reading.rateThs : 0
    const common = {
      Slot: board.slot,
      Enabled: 'Y',
      Status: isOn ? 'Alive' : 'Dead',
      Temperature: round(board.boardC, 1),
      'MHS av': rate(isOn ? board.avgThs : 0),
      'MHS 1m': rate(reading.rate1mThs * scale),
      'MHS 15m': rate(reading.rate15mThs * scale),
      'HS RT': rate(board.rateThs),
      'Factory GHS': boardGhs,
      'Upfreq Complete': reading.tuned ? 1 : 0,
      'Effective Chips': board.chips,
      'PCB SN': machine.boardSerials[board.slot],
    }
    if (compat) return { ...common, 'Chip Frequency': round(reading.frequencyMhz, 3) }
    const part = 1 / row.boards
    return {
      ASC: board.slot,
      ...common,
      'Chip Frequency': round(reading.frequencyMhz),
      'MHS 5s': mhs(reading.rate5sThs * scale),
      'MHS 5m': mhs(reading.rate5mThs * scale),
      Accepted: Math.floor(shares.accepted * part),
      Rejected: Math.floor(shares.rejected * part),
      'Last Valid Work': isOn ? state.when - 1 : 0,
      'Chip Data': 'K88Z001-2039 BINV01-195001B',
      'Chip Temp Min': round(board.chipMinC, 2),
      'Chip Temp Max': round(board.chipMaxC, 2),
      'Chip Temp Avg': round(board.chipAvgC, 2),
      chip_vol_diff: 9,
    }
  })
  return cgminerStyle(state, 9, `${items.length} ASC(s)`, 'DEVS', items)
}

function devdetails(state: WhatsminerState): Fields {
  if (!state.isOn) return apiStyle(state, 'command error', 132, 'E')
  const { model, variant, joint } = state.row
  const items = state.read().boards.map(({ slot }) => ({
    DEVDETAILS: slot,
    Name: 'SM',
    ID: slot,
    Driver: 'bitmicro',
    Kernel: '',
    Model: `${model}${joint}${variant}`,
  }))
  return cgminerStyle(state, 69, 'Device Details', 'DEVDETAILS', items)
}

function pools(state: WhatsminerState): Fields {
  const items = state.machine.pools.read().map((pool) => ({
    POOL: pool.index + 1,
    URL: pool.url,
    Status: pool.alive ? 'Alive' : 'Dead',
    Priority: pool.index,
    Quota: 1,
    'Long Poll': 'N',
    Getworks: Math.floor(pool.accepted * 0.4),
    Accepted: pool.accepted,
    Rejected: pool.rejected,
    Works: pool.accepted * 1000,
    Discarded: 0,
    Stale: pool.stale,
    'Get Failures': 0,
    'Remote Failures': 0,
    User: pool.user,
    'Last Share Time': pool.lastShareAgoS === undefined ? 0 : Math.floor(state.when - pool.lastShareAgoS),
    'Stratum Active': pool.active,
    'Stratum Difficulty': pool.active ? pool.difficulty : 0,
    'Pool Rejected%': percent(pool.rejected, pool.accepted),
    'Pool Stale%': percent(pool.stale, pool.accepted),
    'Bad Work': 0,
    'Current Block Height': pool.active ? 920127 : 0,
    'Current Block Version': pool.active ? 536870912 : 0,
  }))
  return cgminerStyle(state, 7, `${items.length} Pool(s)`, 'POOLS', items)
}

function version(state: WhatsminerState): Fields {
  const { api, platform, legacy, model, variant, joint } = state.row
  const common = { api_ver: api, fw_ver: state.firmware, platform }
  if (legacy) return apiStyle(state, { ...common, chip: 'K88Z001-2039 BINV01-195001B' })
  return apiStyle(state, isCompat(state) ? { ...common, miner_type: `${model}${joint}${variant}` } : common)
}

function minerInfo(state: WhatsminerState, request: Fields): Fields {
  const { machine } = state
  const { network } = machine
  const all: Record<string, unknown> = {
    ip: network.ip,
    proto: network.dhcp ? 'dhcp' : 'static',
    netmask: network.netmask,
    gateway: network.gateway,
    dns: network.dns.join(' '),
    hostname: machine.hostname,
    mac: machine.mac,
    ledstat: ledText(state),
    minersn: machine.serial,
    powersn: `${machine.serial}P`,
    upfreq_speed: String(state.upfreqSpeed),
  }
  if (typeof request.info !== 'string') return apiStyle(state, all)
  const wanted = request.info.split(',').map((name) => name.trim())
  return apiStyle(state, Object.fromEntries(wanted.filter((name) => name in all).map((name) => [name, all[name]])))
}

function ledText({ led }: WhatsminerState): string {
  if (typeof led === 'string') return led
  return led.map(ledFields).join(' ')
}

const colours = ['red', 'green']

function ledFields(led: Fields): string {
  return `${colours.indexOf(String(led.color))},${led.period},${led.duration},${led.start} `
}

function status(state: WhatsminerState): Fields {
  const { off, machine } = state
  const { mode, powerPct } = machine.physics.drive
  const common = {
    mineroff: String(!state.isOn),
    mineroff_reason: off?.reason ?? '',
    mineroff_time: off ? state.localTime(off.at) : '',
    FirmwareVersion: state.firmware,
    power_mode: mode,
    power_limit_set: String(machine.physics.drive.limitW ?? ''),
    // A shift of the frequency is negative, a share of the power positive; 0: neither is set.
    hash_percent: String(state.targetFreq || (powerPct === 100 ? 0 : powerPct)),
  }
  const liquid = state.isLiquid ? { liquid_temp: String(round(state.read().inletC, 1)) } : {}
  return apiStyle(
    state,
    isCompat(state) ? { ...common, ...liquid, power_pct: String(powerPct) } : { ...common, ...liquid },
  )
}

function psu(state: WhatsminerState): Fields {
  const reading = state.read()
  const { row, machine } = state
  const common = {
    name: row.psu,
    hw_version: 'V01.00',
    sw_version: 'V01.00.V01.03',
    model: row.psu,
    iin: String(round((reading.powerW / reading.inputV) * 1000)),
    vin: String(round(reading.inputV * 100)),
    fan_speed: String(reading.psuFanRpm),
    version: '-1',
    serial_no: `${machine.serial}P`,
  }
  if (row.legacy) return apiStyle(state, { ...common, vender: '7' })
  return apiStyle(state, {
    ...common,
    enable: state.isOn ? '1' : '0',
    pin: String(round(reading.powerW)),
    temp0: String(round(reading.psuC, 1)),
    vendor: '7',
  })
}

function errorCodes(state: WhatsminerState): Fields {
  const items = state.errors.map(({ code, since, reason }) => ({
    [code]: state.localTime(since),
    ...(isCompat(state) ? { reason } : {}),
  }))
  return apiStyle(state, { error_code: items })
}

type ReadReply = (state: WhatsminerState, request: Fields) => Fields

/** Reads of cgminer's kind: these may be joined with `+`. */
export const joinable: Readonly<Record<string, ReadReply>> = { summary, edevs, devs: edevs, devdetails, pools }

/** Reads that must be asked alone. */
export const single: Readonly<Record<string, ReadReply>> = {
  get_version: version,
  get_miner_info: minerInfo,
  status,
  get_psu: psu,
  get_error_code: errorCodes,
}
