import type { Board, DeviceError, Fan, Pool, Psu } from '#model'
import type { Model } from '../define.js'
import { isLiquid } from '../hardware/whatsminer.js'
import { bool, type Fields, isObject, num, str } from '../kit/json.js'
import { within } from '../kit/values.js'
import { whatsminerError } from './whatsminer-errors.js'
import { above, ambiguousBelow, chipTemp, count, defined, rpm, temp, toThs } from './whatsminer-values.js'

/** Boards, fans, pools, errors and the power supply in the replies of API v1 and v2 (protocols/whatsminer.md §1.4). */

const boardRates = ['HS RT', 'MHS 5s', 'MHS 1m', 'MHS av', 'MHS 15m'] as const

/** One entry a board. A board of a miner that was told to sleep is `Dead` too: that is no finding. */
export function boardsOf(devs: readonly Fields[], asleep = false): Board[] {
  const isThs = devs.every((dev) => boardRates.every((key) => (num(dev[key]) ?? 0) < ambiguousBelow))
  return devs.map((dev, position): Board => {
    const status = boardStatus(dev, asleep)
    // Null, not absent, for what is not reported: boards of one shape are much cheaper to copy and to compare on every poll.
    const board: Board = {
      slot: slotOf(dev, position),
      serial: str(dev['PCB SN']) ?? null,
      hashrateThs: boardRate(dev, isThs) ?? null,
      expectedHashrateThs: boardLabel(dev) ?? null,
      chips: count(dev['Effective Chips']) ?? null,
      expectedChips: null,
      frequencyMhz: count(dev['Chip Frequency']) ?? count(dev.Frequency) ?? null,
      boardTempC: boardTemp(dev) ?? null,
      chipTempMinC: chipTemp(dev['Chip Temp Min']) ?? null,
      chipTempMaxC: chipTemp(dev['Chip Temp Max']) ?? null,
      chipTempAvgC: chipTemp(dev['Chip Temp Avg']) ?? null,
      hwErrors: count(dev['Hardware Errors']) ?? null,
      hwErrorPct: count(dev['Device Hardware%']) ?? null,
      tuned: bool(dev['Upfreq Complete']) ?? null,
    }
    if (status) board.status = status
    return board
  })
}

function boardRate(dev: Fields, isThs: boolean): number | undefined {
  for (const key of boardRates) {
    const value = num(dev[key])
    const rate = value === undefined ? undefined : within('hashrateThs', isThs ? value : toThs(value))
    if (rate !== undefined) return rate
  }
  return undefined
}

function boardLabel(dev: Fields): number | undefined {
  const ghs = num(dev['Factory GHS']) ?? num(dev['HS Factory'])
  return ghs !== undefined && ghs > 0 ? within('hashrateThs', ghs / 1000) : undefined
}

const maxSlots = 16

function slotOf(dev: Fields, position: number): number {
  const slot = num(dev.Slot) ?? num(dev.ASC)
  return slot !== undefined && Number.isInteger(slot) && slot >= 0 && slot < maxSlots
    ? slot
    : Math.min(position, maxSlots - 1)
}

/** `Alive` says nothing of missing chips: that is judged by the numbers. */
function boardStatus(dev: Fields, asleep: boolean): Board['status'] {
  const status = str(dev.Status)?.toLowerCase()
  if (bool(dev.Enabled) === false || status === 'disabled') return 'disabled'
  const failed = status === 'dead' || status === 'sick' || status === 'nostart'
  return failed && !asleep ? 'error' : undefined
}

function boardTemp(dev: Fields): number | undefined {
  const board = temp(dev.Temperature)
  return board === 0 && chipTemp(dev['Chip Temp Max']) === undefined ? undefined : board
}

export function fansOf(summary: Fields, model: Model): Fan[] | undefined {
  if (isLiquid(model)) return []
  const speeds = [rpm(summary['Fan Speed In']), rpm(summary['Fan Speed Out'])]
  if (speeds.every((speed) => speed === undefined)) return undefined
  return speeds.map(
    (speed, index): Fan => defined({ index, location: index === 0 ? ('in' as const) : ('out' as const), rpm: speed }),
  )
}

/** Empty places of the list are left out; a pool keeps the index it has in the list. */
export function poolsOf(pools: readonly Fields[]): Pool[] {
  const found: Pool[] = []
  for (const [index, pool] of pools.entries()) {
    const url = str(pool.URL)
    if (url === undefined) continue
    const status = str(pool.Status)?.toLowerCase()
    const lastShareS = count(pool['Last Share Time'])
    found.push({
      index,
      url,
      user: str(pool.User) ?? '',
      active: bool(pool['Stratum Active']) ?? null,
      alive: status === undefined ? null : status === 'alive',
      priority: count(pool.Priority) ?? null,
      quota: above(pool.Quota) ?? null,
      accepted: count(pool.Accepted) ?? null,
      rejected: count(pool.Rejected) ?? null,
      stale: count(pool.Stale) ?? null,
      rejectPct: count(pool['Pool Rejected%']) ?? null,
      lastShareAt: lastShareS ? lastShareS * 1000 : null,
      difficulty: above(pool['Stratum Difficulty']) ?? null,
    })
  }
  return found
}

const maxErrors = 100

/** The list of `get_error_code` and of v3: objects of one code and its time, with a reason in newer firmware; bare codes and one object too. */
export function errorsOf(list: unknown): DeviceError[] | undefined {
  const items = Array.isArray(list) ? list : isObject(list) ? [list] : undefined
  if (!items) return undefined
  const found = items.flatMap((item): DeviceError[] => {
    if (!isObject(item)) {
      const code = str(item)
      return code !== undefined && /^\d+$/.test(code) ? [whatsminerError(code)] : []
    }
    const reason = str(item.reason)
    return Object.keys(item)
      .filter((key) => /^\d+$/.test(key))
      .map((code) => whatsminerError(code, reason))
  })
  const distinct = new Map(found.map((error) => [error.vendorCode, error]))
  return [...distinct.values()].slice(0, maxErrors)
}

/** API v1 has its errors in the summary: `Error Code Count` and `Error Code 0` to n-1. */
export function summaryErrors(summary: Fields): DeviceError[] | undefined {
  const count = num(summary['Error Code Count'])
  if (count === undefined || count < 0) return undefined
  const codes = Array.from({ length: Math.min(count, maxErrors) }, (_, index) => summary[`Error Code ${index}`])
  return errorsOf(codes.filter((code) => str(code) !== '0'))
}

/** Above it a PSU voltage is in 10 mV and its current in mA; below, in V and A. */
const rawVoltageFrom = 1000
const rawCurrentFrom = 300

export interface PsuReadings {
  readonly voltageV?: number
  readonly currentA?: number
  readonly powerW?: number
  readonly tempC?: number
  readonly fanRpm?: number
  readonly about?: Psu
}

/** `get_psu`, whose keys and units differ by firmware (protocols/whatsminer.md §1.4). */
export function psuOf(psu: Fields): PsuReadings {
  const vin = num(psu.vin ?? psu.Vin)
  const iin = num(psu.iin ?? psu.Iin)
  const isRaw = vin !== undefined && vin >= rawVoltageFrom
  return defined({
    voltageV: above(vin !== undefined && isRaw ? vin / 100 : vin),
    currentA: count(iin !== undefined && (isRaw || iin >= rawCurrentFrom) ? iin / 1000 : iin),
    powerW: count(psu.pin ?? psu.Pin),
    tempC: chipTemp(psu.temp0 ?? psu['Temp 0']),
    fanRpm: rpm(psu.fan_speed ?? psu['Fan Speed']),
    about: defined({
      model: str(psu.model ?? psu.Model) ?? str(psu.name ?? psu.Name),
      serial: str(psu.serial_no ?? psu['Series No']),
      version: str(psu.sw_version),
    }),
  })
}
