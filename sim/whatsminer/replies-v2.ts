import { type Fields, round } from '../json.js'
import { apiStyle, cgminerStyle, isCompat } from './envelopes-v2.js'
import type { WhatsminerState } from './state.js'
import { mhs, percentOf, shareTotals, summary } from './summary-v2.js'

/** The read replies of API v2, envelope and all, in the three styles that occur (protocols/whatsminer.md §1.2, §1.4). */

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
    'Pool Rejected%': percentOf(pool.rejected, pool.accepted),
    'Pool Stale%': percentOf(pool.stale, pool.accepted),
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
