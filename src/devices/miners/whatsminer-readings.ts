import type { Board, DeviceError, Fan, Network, Pool, PowerMode, Psu, Tuning } from '#model'
import type { Model } from '../define.js'
import { isLiquid } from '../hardware/whatsminer.js'
import { bool, type Fields, isObject, num, rows, str } from '../kit/json.js'
import { whatsminerError } from './whatsminer-errors.js'

/** The replies of API v1 and v2 in our units (protocols/whatsminer.md §1.4). Pure; what is not there is undefined, never 0. */

/** Firmwares give MH/s with two decimals; without rounding, division would add noise behind them. */
const toThs = (mhs: number) => Math.round(mhs * 100) / 1e8
/** Below it a rate may be TH/s under an MH/s name: 0.01 TH/s is no rate of a working board or miner. */
const ambiguousBelow = 1e4
/** How far a rate may be from the one it is compared with, either way. */
const plausibleFactor = 5

/**
 * One rate of the summary, TH/s. Some firmwares give `HS RT` in TH/s beside the others in MH/s (protocols/whatsminer.md §1.7): a small
 * value counts as TH/s if that fits the mean or the label, which are always MH/s and GH/s.
 */
export function summaryRate(summary: Fields, key: string): number | undefined {
  const value = num(summary[key])
  if (value === undefined || value < 0) return undefined
  if (value < ambiguousBelow && value > 0) {
    const mean = num(summary['MHS av'])
    const expected = mean !== undefined && mean >= ambiguousBelow ? toThs(mean) : factoryThs(summary)
    if (expected !== undefined && value < expected * plausibleFactor && value > expected / plausibleFactor) return value
  }
  return toThs(value)
}

/** The hashrate on the label, TH/s; firmwares write 0 or a small negative number where they do not know it. */
export function factoryThs(summary: Fields): number | undefined {
  const ghs = num(summary['Factory GHS'])
  return ghs !== undefined && ghs > 0 ? ghs / 1000 : undefined
}

/** What it should bring with its present settings, TH/s: the label, lowered by power and frequency; in low mode the vendor's target. */
export function expectedThs(summary: Fields, status: Fields | undefined): number | undefined {
  const target = num(summary['Target MHS'])
  const targetThs = target !== undefined && target > 0 ? toThs(target) : undefined
  const label = factoryThs(summary)
  if (label === undefined) return targetThs
  if (powerMode(summary['Power Mode']) === 'low' && targetThs !== undefined) return Math.min(label, targetThs)
  return label * share(powerPercent(status), frequencyPercent(summary, status))
}

/** The part of its nominal work that a lowered power or frequency leaves, 0 to 1. */
export function share(powerPct: number | undefined, frequencyPct: number | undefined): number {
  const byPower = powerPct !== undefined && powerPct > 0 && powerPct < 100 ? powerPct / 100 : 1
  const byFrequency = frequencyPct !== undefined && frequencyPct < 0 && frequencyPct > -100 ? 1 + frequencyPct / 100 : 1
  return Math.min(byPower, byFrequency)
}

/** Percent of the nominal power; 0 in the reply is "not set", which is all of it. Older firmware has it as `hash_percent`. */
function powerPercent(status: Fields | undefined): number | undefined {
  const percent = num(status?.power_pct) ?? num(status?.hash_percent)
  return percent === undefined || percent < 0 ? undefined : percent || 100
}

const lowestFrequencyPct = -100
const highestFrequencyPct = 100

/** A negative `hash_percent` can only be a shift of the frequency. `Target Freq` is percent in the newest API, MHz in the others. */
function frequencyPercent(summary: Fields, status: Fields | undefined): number | undefined {
  const percent = num(status?.hash_percent)
  if (percent !== undefined && percent < 0) return percent
  const target = num(summary['Target Freq'])
  return target !== undefined && target >= lowestFrequencyPct && target <= highestFrequencyPct ? target : undefined
}

const boardRates = ['HS RT', 'MHS 5s', 'MHS 1m', 'MHS av', 'MHS 15m'] as const

/** One entry a board. A board of a miner that was told to sleep is `Dead` too: that is no finding. */
export function boardsOf(devs: readonly Fields[], asleep = false): Board[] {
  const largest = Math.max(0, ...devs.flatMap((dev) => boardRates.map((key) => num(dev[key]) ?? 0)))
  const isThs = largest < ambiguousBelow
  return devs.map((dev, position) => {
    const rate = boardRates.map((key) => num(dev[key])).find((value) => value !== undefined && value >= 0)
    const label = num(dev['Factory GHS']) ?? num(dev['HS Factory'])
    const chips = num(dev['Effective Chips'])
    return defined({
      slot: slotOf(dev, position),
      serial: str(dev['PCB SN']),
      status: boardStatus(dev, asleep),
      hashrateThs: rate === undefined || isThs ? rate : toThs(rate),
      expectedHashrateThs: label !== undefined && label > 0 ? label / 1000 : undefined,
      chips: positive(chips, true),
      frequencyMhz: positive(num(dev['Chip Frequency']) ?? num(dev.Frequency), true),
      boardTempC: boardTemp(dev),
      chipTempMinC: chipTemp(dev['Chip Temp Min']),
      chipTempMaxC: chipTemp(dev['Chip Temp Max']),
      chipTempAvgC: chipTemp(dev['Chip Temp Avg']),
      hwErrors: positive(num(dev['Hardware Errors']), true),
      hwErrorPct: positive(num(dev['Device Hardware%']), true),
      tuned: bool(dev['Upfreq Complete']),
    })
  })
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

const coldest = -60
const hottest = 200

/** A temperature in the range of the sensors, else undefined: -1, 255, -273 and their like are no readings. */
export function temp(value: unknown): number | undefined {
  const number = num(value)
  return number !== undefined && number > coldest && number < hottest && number !== -1 ? number : undefined
}

/** Firmwares write 0 for a chip that was not measured; none stands at exactly 0 °C. */
export function chipTemp(value: unknown): number | undefined {
  return temp(value) || undefined
}

function boardTemp(dev: Fields): number | undefined {
  const board = temp(dev.Temperature)
  return board === 0 && chipTemp(dev['Chip Temp Max']) === undefined ? undefined : board
}

function positive(value: number | undefined, zeroCounts = false): number | undefined {
  return value !== undefined && (value > 0 || (zeroCounts && value === 0)) ? value : undefined
}

export function fansOf(summary: Fields, model: Model): Fan[] | undefined {
  if (isLiquid(model)) return []
  const speeds = [rpm(summary['Fan Speed In']), rpm(summary['Fan Speed Out'])]
  if (speeds.every((speed) => speed === undefined)) return undefined
  return speeds.map(
    (speed, index): Fan => defined({ index, location: index === 0 ? ('in' as const) : ('out' as const), rpm: speed }),
  )
}

const maxRpm = 60_000

export function rpm(value: unknown): number | undefined {
  const number = num(value)
  return number !== undefined && number >= 0 && number < maxRpm ? number : undefined
}

/** Empty places of the list are left out; a pool keeps the index it has in the list. */
export function poolsOf(pools: readonly Fields[]): Pool[] {
  return pools.flatMap((pool, index): Pool[] => {
    const url = str(pool.URL)
    if (url === undefined) return []
    const status = str(pool.Status)?.toLowerCase()
    const lastShare = num(pool['Last Share Time'])
    return [
      defined({
        index,
        url,
        user: str(pool.User) ?? '',
        active: bool(pool['Stratum Active']),
        alive: status === undefined ? undefined : status === 'alive',
        priority: positive(num(pool.Priority), true),
        quota: positive(num(pool.Quota)),
        accepted: positive(num(pool.Accepted), true),
        rejected: positive(num(pool.Rejected), true),
        stale: positive(num(pool.Stale), true),
        rejectPct: positive(num(pool['Pool Rejected%']), true),
        lastShareAt: lastShare !== undefined && lastShare > 0 ? lastShare * 1000 : undefined,
        difficulty: positive(num(pool['Stratum Difficulty'])),
      }),
    ]
  })
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
    voltageV: positive(vin !== undefined && isRaw ? vin / 100 : vin),
    currentA: positive(iin !== undefined && (isRaw || iin >= rawCurrentFrom) ? iin / 1000 : iin, true),
    powerW: positive(num(psu.pin ?? psu.Pin), true),
    tempC: chipTemp(psu.temp0 ?? psu['Temp 0']),
    fanRpm: rpm(psu.fan_speed ?? psu['Fan Speed']),
    about: defined({
      model: str(psu.model ?? psu.Model) ?? str(psu.name ?? psu.Name),
      serial: str(psu.serial_no ?? psu['Series No']),
      version: str(psu.sw_version),
    }),
  })
}

const modes: Readonly<Record<string, PowerMode>> = { low: 'low', normal: 'normal', high: 'high' }

export function powerMode(value: unknown): PowerMode | undefined {
  return modes[str(value)?.toLowerCase() ?? '']
}

export function tuningOf(summary: Fields, status: Fields | undefined, devs: readonly Fields[] | undefined): Tuning {
  const isTuning = tuningNow(summary, devs)
  return defined({
    mode: powerMode(summary['Power Mode']) ?? powerMode(status?.power_mode),
    targetW: positive(num(summary['Power Limit']) ?? num(status?.power_limit_set)),
    percent: powerPercent(status),
    frequencyPct: frequencyPercent(summary, status),
    tuned: isTuning === undefined ? undefined : !isTuning,
  })
}

/** True while the firmware still raises the frequency, by the summary or else by any board. */
export function tuningNow(summary: Fields, devs: readonly Fields[] | undefined): boolean | undefined {
  const done = [summary, ...(devs ?? [])]
    .map((each) => bool(each['Upfreq Complete']))
    .filter((each) => each !== undefined)
  return done.length === 0 ? undefined : done.includes(false)
}

const ipv4 = /^\d{1,3}(\.\d{1,3}){3}$/

function address(value: unknown): string | undefined {
  const text = str(value)
  return text !== undefined && ipv4.test(text) ? text : undefined
}

export function networkOf(info: Fields): Network | undefined {
  const proto = str(info.proto)?.toLowerCase()
  const dns = str(info.dns)
    ?.split(/[\s,]+/)
    .filter((each) => ipv4.test(each))
  const network: Network = defined({
    dhcp: proto === 'dhcp' ? true : proto === 'static' ? false : undefined,
    ip: address(info.ip),
    netmask: address(info.netmask),
    gateway: address(info.gateway),
    dns: dns && dns.length > 0 ? dns : undefined,
  })
  return Object.keys(network).length > 0 ? network : undefined
}

/** `auto`: the firmware shows its own state; anything else is a pattern that somebody set. */
export function ledOf(state: unknown): 'off' | 'blink' | undefined {
  const text = str(state)?.toLowerCase()
  return text === undefined ? undefined : text === 'auto' ? 'off' : 'blink'
}

export function macOf(value: unknown): string | undefined {
  const text = str(value)?.toUpperCase()
  return text !== undefined && /^([0-9A-F]{2}:){5}[0-9A-F]{2}$/.test(text) ? text : undefined
}

/** Versions come in quotes inside quotes, or with the product before them. */
export function versionText(value: unknown): string | undefined {
  return str(str(value)?.replace(/^whatsminer\s+v?|['"]/gi, ''))
}

/** The first of a list of rows that names the model: `devdetails` has one a board. */
export function detailModel(details: readonly Fields[]): string | undefined {
  return rows(details)
    .map((detail) => str(detail.Model))
    .find((model) => model !== undefined)
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** The object without its undefined values. */
export function defined<T extends object>(object: T): Defined<T> {
  const result: Partial<T> = {}
  for (const key in object) if (object[key] !== undefined) result[key] = object[key]
  return result as unknown as Defined<T>
}
