import { type Pool, SdkError } from '#model'
import type { DeviceLimits, FanSetting, Range } from '../define.js'
import { bool, type Fields, fields, isObject, num, rows, str } from '../kit/json.js'
import { count, defined, macOf, maxParts, object, positive, temperature, tidy, words } from '../kit/values.js'

/** The replies of ePIC's firmware as facts (protocols/epic.md §2). Rates are MH/s; what no sensor measures is 0 there. */

export const ths = (value: unknown): number | undefined => {
  const mhs = count(value)
  return mhs === undefined ? undefined : tidy(mhs / 1e6)
}

export interface BoardNow {
  readonly slot: number
  readonly rateThs?: number
  readonly idealThs?: number
  readonly errorPct?: number
  readonly frequencyMhz?: number
  readonly voltageV?: number
  readonly powerW?: number
  readonly temperatureC?: number
}

export interface Tune {
  readonly algorithm: string
  readonly running: boolean
  readonly target?: number
  readonly unit?: 'TH/s' | 'W'
  readonly optimized?: boolean
  /** What heat has lowered the target to. */
  readonly throttled?: number
  readonly leastTarget?: number
  readonly step?: number
}

export interface Summary {
  readonly state: string
  readonly lastError?: string
  readonly licenseError?: string
  readonly software?: string
  readonly hostname?: string
  readonly uptimeS?: number
  readonly averageThs?: number
  readonly accepted?: number
  readonly rejected?: number
  readonly boards: readonly BoardNow[]
  readonly places: readonly { readonly slot: number; readonly detected: boolean; readonly enabled: boolean }[]
  readonly fans: readonly { readonly index: number; readonly rpm: number }[]
  readonly fanDutyPct?: number
  readonly fanSetting?: FanSetting
  readonly idlePct?: number
  readonly inputW?: number
  readonly outputW?: number
  readonly inputV?: number
  readonly inputA?: number
  readonly outputV?: number
  readonly pools: readonly Pool[]
  readonly isConnected?: boolean
  readonly idlesWithoutPool: boolean
  readonly coin?: string
  readonly uniqueId?: boolean
  readonly tune?: Tune
  readonly presetW?: number
  readonly shutdownC?: number
  readonly blinks?: boolean
}

export function parseSummary(reply: unknown): Summary {
  const root = object(reply, 'summary')
  const status = fields(root.Status)
  const state = str(status['Operating State'])
  if (!state) throw new SdkError('DEVICE_BAD_REPLY', 'the summary has no operating state')
  const session = fields(root.Session)
  const psu = fields(root['Power Supply Stats'])
  const misc = fields(root.Misc)
  const mining = fields(root.Mining)
  const stratum = fields(root.Stratum)
  const fans = fields(root.Fans)
  const measured = (key: string) => positive(num(psu[key]))
  return {
    state: state.slice(0, 48),
    boards: boardsNow(root.HBs),
    places: placesOf(root.HBStatus),
    fans: fansNow(root['Fans Rpm']),
    pools: poolsOf(root, stratum, session),
    idlesWithoutPool: bool(root.IdleOnConnectionLost) === true,
    ...defined({
      lastError: words(status['Last Error']),
      licenseError: words(root['Last License Error']),
      software: words(root.Software, 64),
      hostname: words(root.Hostname, 64),
      uptimeS: count(session.Uptime),
      averageThs: ths(session['Average MHs']),
      accepted: count(session.Accepted),
      rejected: count(session.Rejected),
      fanDutyPct: percent(fans['Fans Speed']),
      fanSetting: fanSettingOf(fans),
      idlePct: percent(fields(fields(fans['Fan Mode']).Auto)['Idle Speed']),
      inputW: measured('Input Power'),
      outputW: measured('Output Power'),
      inputV: measured('Input Voltage'),
      inputA: measured('Input Current'),
      outputV: measured('Output Voltage'),
      isConnected: bool(stratum.IsPoolConnected),
      coin: words(mining.Coin, 16),
      uniqueId: bool(stratum['Worker Unique Id']),
      tune: tuneOf(root.PerpetualTune),
      presetW: positive(num(fields(root.PresetInfo)['Target Power'])),
      shutdownC: positive(num(misc['Shutdown Temp'])),
      blinks: bool(misc['Locate Miner State']),
    }),
  }
}

function percent(value: unknown): number | undefined {
  const number = num(value)
  return number !== undefined && number >= 0 && number <= 100 ? number : undefined
}

function slotOf(part: Fields): number | undefined {
  const slot = num(part.Index)
  return slot !== undefined && Number.isInteger(slot) && slot >= 0 && slot < maxParts ? slot : undefined
}

function boardsNow(value: unknown): BoardNow[] {
  return rows(value)
    .slice(0, maxParts)
    .flatMap((board) => {
      const slot = slotOf(board)
      if (slot === undefined) return []
      const [rate, share, errors] = Array.isArray(board.Hashrate) ? board.Hashrate : []
      const rateThs = ths(rate)
      const part = positive(num(share))
      return [
        {
          slot,
          ...defined({
            rateThs,
            // It says how much of the ideal rate that is.
            idealThs: rateThs && part ? tidy((rateThs * 100) / part) : undefined,
            errorPct: percent(errors),
            frequencyMhz: positive(num(board['Core Clock Avg'])),
            voltageV: positive(num(board['Input Voltage'])),
            powerW: positive(num(board['Input Power'])),
            temperatureC: temperature(board.Temperature),
          }),
        },
      ]
    })
}

function placesOf(value: unknown): Summary['places'] {
  return rows(value)
    .slice(0, maxParts)
    .flatMap((place) => {
      const slot = slotOf(place)
      if (slot === undefined) return []
      return [{ slot, detected: bool(place.Detected) !== false, enabled: bool(place.Enabled) !== false }]
    })
}

/** `Fans Speed 1` to `12`; null is not fitted, 0 stands still. */
function fansNow(value: unknown): Summary['fans'] {
  return Object.entries(fields(value))
    .flatMap(([key, rpm]) => {
      const index = Number(/^Fans Speed (\d{1,2})$/.exec(key)?.[1]) - 1
      const speed = count(rpm)
      return index >= 0 && index < maxParts && speed !== undefined ? [{ index, rpm: speed }] : []
    })
    .sort((a, b) => a.index - b.index)
}

function fanSettingOf(fans: Fields): FanSetting | undefined {
  const mode = fields(fans['Fan Mode'])
  const more = defined({ minFans: count(fans['Minimum Working Fans']) })
  if (mode.Manual !== undefined) return { mode: 'manual', ...more, ...defined({ dutyPct: percent(mode.Manual) }) }
  if (!isObject(mode.Auto)) return undefined
  return { mode: 'auto', ...more, ...defined({ targetTempC: positive(num(mode.Auto['Target Temperature'])) }) }
}

function poolsOf(root: Fields, stratum: Fields, session: Fields): Pool[] {
  const inUse = num(stratum['Config Id'])
  return rows(root.StratumConfigs)
    .slice(0, maxParts)
    .map((pool, index): Pool => {
      const active = inUse === undefined ? undefined : index === inUse
      return {
        index,
        url: words(pool.pool, 255) ?? '',
        user: words(pool.login, 255) ?? '',
        ...defined({
          active,
          alive: active ? bool(stratum.IsPoolConnected) : undefined,
          difficulty: active ? positive(num(session.Difficulty)) : undefined,
        }),
      }
    })
    .filter(({ url }) => url !== '')
}

function tuneOf(value: unknown): Tune | undefined {
  const tune = fields(value)
  const [algorithm, about] = Object.entries(fields(tune.Algorithm))[0] ?? []
  const running = bool(tune.Running)
  if (running === undefined) return undefined
  if (algorithm === undefined) return { algorithm: '', running }
  const detail = fields(about)

  return {
    algorithm: algorithm.slice(0, 48),
    running,
    ...defined({
      target: positive(num(detail.Target)),
      unit: unitOf(detail.Unit),
      optimized: bool(detail.Optimized),
      throttled: positive(num(detail['Throttle Target'])),
      leastTarget: positive(num(detail['Min Throttle Target'])),
      step: positive(num(detail['Throttle Step'])),
    }),
  }
}

function unitOf(value: unknown): 'TH/s' | 'W' | undefined {
  return value === 'TH/s' || value === 'W' ? value : undefined
}

export interface Capabilities {
  readonly model?: string
  readonly boards?: number
  readonly chips?: number
  readonly nominalThs?: number
  readonly serial?: string
  readonly boardSerials: readonly string[]
  readonly controlBoard?: string
  readonly psu?: { readonly model?: string; readonly version?: string }
  readonly limits: DeviceLimits
  readonly algorithms: readonly string[]
}

export function parseCapabilities(reply: unknown): Capabilities {
  const root = object(reply, 'capabilities')
  const board = fields(root['Control Board Version'])
  const psu = fields(root['Psu Info'])
  const serials = root['Board Serial Numbers']
  const algorithms = rows(root.PerpetualTune).slice(0, 16)
  const rangeOf = (matches: (name: string) => boolean): Range | undefined => {
    const { min, max } = algorithms.find(({ algorithm }) => matches(str(algorithm) ?? '')) ?? {}
    const [low, high] = [count(min), positive(count(max))]
    return low === undefined || high === undefined ? undefined : [low, high]
  }
  const psuFacts = defined({ model: words(psu['PSU Type'], 32), version: words(psu.FW, 32) })
  return {
    boardSerials: Array.isArray(serials) ? serials.slice(0, maxParts).map((serial) => words(serial, 64) ?? '') : [],
    limits: defined({
      hashrateThs: rangeOf((name) => name !== '' && name !== 'Power'),
      powerW: rangeOf((name) => name === 'Power'),
    }),
    algorithms: algorithms.map(({ algorithm }) => words(algorithm, 48) ?? ''),
    ...(Object.keys(psuFacts).length > 0 ? { psu: psuFacts } : {}),
    ...defined({
      model: words(root.Model, 48),
      boards: positive(count(root['Max HBs'])),
      chips: positive(count(fields(root['Performance Estimator'])['Chip Count'])),
      nominalThs: positive(num(root['Default Hashrate'])),
      serial: words(root['Miner Serial Number'], 64),
      controlBoard: words(board.cpuHardware, 64),
    }),
  }
}

/** One list of numbers a board: `[{ Index, Data }]`. A list that is all 0 is of a sensor that there is not. */
export type PerBoard = ReadonlyMap<number, readonly unknown[]>

const maxChips = 1024

export function parsePerBoard(reply: unknown): PerBoard {
  if (!Array.isArray(reply)) throw new SdkError('DEVICE_BAD_REPLY', 'it is no list of boards')
  const found = new Map<number, readonly unknown[]>()
  for (const board of rows(reply).slice(0, maxParts)) {
    const slot = slotOf(board)
    if (slot !== undefined && Array.isArray(board.Data)) found.set(slot, board.Data.slice(0, maxChips))
  }
  return found
}

/** Rates of the chips, TH/s; undefined if the firmware does not measure them. */
export function chipRates(data: readonly unknown[] | undefined): (number | undefined)[] | undefined {
  const rates = data?.map((chip) => ths(Array.isArray(chip) ? chip[0] : chip))
  return rates?.some((rate) => rate !== undefined && rate > 0) ? rates : undefined
}

export function temperaturesOf(data: readonly unknown[] | undefined): (number | undefined)[] {
  return (data ?? []).map(temperature)
}

export function parseEpicNetwork(reply: unknown) {
  const root = object(reply, 'network')
  const kind = isObject(root.dhcp) ? 'dhcp' : isObject(root.static) ? 'static' : undefined
  if (!kind) throw new SdkError('DEVICE_BAD_REPLY', 'the network is neither dhcp nor static')
  const own = fields(root[kind])
  const dns = words(own.dns, 64)
  return {
    ...defined({ mac: macOf(own.mac_address) }),
    network: {
      dhcp: kind === 'dhcp',
      ...defined({
        ip: words(own.address, 64),
        netmask: words(own.netmask, 64),
        gateway: words(own.gateway, 64),
        dns: dns ? [dns] : undefined,
      }),
    },
  }
}
