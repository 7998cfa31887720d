import { type Fields, round } from '../json.js'
import type { Reading } from '../physics.js'
import { apiStyle, cgminerStyle, isCompat } from './envelopes-v2.js'
import type { WhatsminerState } from './state.js'

export const mhs = (ths: number) => round(ths * 1e6, 2)
const capital = (word: string) => word[0]!.toUpperCase() + word.slice(1)

export function summary(state: WhatsminerState): Fields {
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
    'Pool Rejected%': percentOf(shares.rejected, shares.accepted),
    'Pool Stale%': percentOf(shares.stale, shares.accepted),
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

export function shareTotals({ machine }: WhatsminerState) {
  const totals = { accepted: 0, rejected: 0, stale: 0 }
  for (const pool of machine.pools.read()) {
    totals.accepted += pool.accepted
    totals.rejected += pool.rejected
    totals.stale += pool.stale
  }
  return totals
}

export function percentOf(part: number, rest: number): number {
  return part + rest > 0 ? round((100 * part) / (part + rest), 4) : 0
}
