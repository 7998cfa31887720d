import { type Pool, SdkError } from '#model'
import { difficulty } from '../kit/cgminer.js'
import { bool, type Fields, fields, num, rows, str } from '../kit/json.js'
import { count, defined, macOf, maxParts, object, positive, rateReader, tidy, words } from '../kit/values.js'

/** The replies of a Proto Rig as facts (protocols/proto-rig.md §2). Rates are GH/s here, units of their own in its telemetry. */

const gigahashes = rateReader('GH/s')
const prefixes: Readonly<Record<string, number>> = { m: 1e-3, k: 1e3 }

/** `{ value, unit }` in plain W, V, A or °C. */
function measure(value: unknown, unit: unknown): number | undefined {
  const number = num(value)
  const prefix = /^([mk])[WVA]$/.exec(str(unit) ?? '')?.[1]
  return number === undefined ? undefined : tidy(number * (prefix === undefined ? 1 : prefixes[prefix]!))
}

function quantity(reply: unknown, key = 'value'): number | undefined {
  const { unit, [key]: value } = fields(reply)
  return measure(value, unit)
}

function rateOf(reply: unknown): number | undefined {
  const { unit, value } = fields(reply)
  return rateReader(unit ?? 'TH/s')(value)
}

export interface Mining {
  readonly status: string
  readonly nowThs?: number
  readonly averageThs?: number
  readonly idealThs?: number
  readonly powerW?: number
  readonly targetW?: number
  readonly jth?: number
  readonly chipC?: number
  readonly boardC?: number
  readonly hwErrors?: number
  readonly installed?: number
  readonly hashing?: number
  readonly miningS?: number
  readonly uptimeS?: number
}

/** Throws DEVICE_BUSY for the empty answer of a rig that has just started. */
export function parseMining(reply: unknown): Mining {
  if (reply === undefined) throw new SdkError('DEVICE_BUSY', 'it has no mining information yet')
  const mining = object(fields(reply)['mining-status'] ?? reply, 'mining')
  const status = str(mining.status)
  if (!status) throw new SdkError('DEVICE_BAD_REPLY', 'mining has no status')
  return {
    status: status.slice(0, 32),
    ...defined({
      nowThs: gigahashes(mining.hashrate_ghs),
      averageThs: gigahashes(mining.average_hashrate_ghs),
      idealThs: positive(gigahashes(mining.ideal_hashrate_ghs)),
      powerW: num(mining.power_usage_watts),
      targetW: positive(num(mining.power_target_watts)),
      jth: positive(num(mining.power_efficiency_jth)),
      chipC: positive(num(mining.average_asic_temp_c)),
      boardC: positive(num(mining.average_hb_temp_c)),
      hwErrors: count(mining.hw_errors),
      installed: count(mining.hashboards_installed),
      hashing: count(mining.hashboards_mining),
      miningS: count(mining.mining_uptime_s),
      uptimeS: count(mining.reboot_uptime_s),
    }),
  }
}

export interface Target {
  readonly watts?: number
  readonly leastW?: number
  readonly mostW?: number
  /** `MaximumHashrate` or `Efficiency`. */
  readonly mode?: string
}

export function parseTarget(reply: unknown): Target {
  const target = object(fields(reply)['mining-target'] ?? reply, 'target')
  return defined({
    watts: positive(num(target.power_target_watts)),
    leastW: count(target.power_target_min_watts),
    mostW: positive(num(target.power_target_max_watts)),
    mode: words(target.performance_mode, 32),
  })
}

export interface BoardNow {
  /** 0-based. */
  readonly index: number
  readonly serial?: string
  readonly rateThs?: number
  readonly idealThs?: number
  readonly powerW?: number
  readonly voltageV?: number
  readonly averageC?: number
  readonly inletC?: number
  readonly outletC?: number
  readonly chipMaxC?: number
  readonly chipC?: number
  readonly status?: string
  /** One rate a chip, TH/s. */
  readonly chips?: readonly (number | undefined)[]
  readonly chipTemps?: readonly (number | undefined)[]
}

export interface PsuNow {
  readonly inputW?: number
  readonly outputW?: number
  readonly inputV?: number
  readonly inputA?: number
  readonly outputV?: number
  readonly hotC?: number
}

export interface Now {
  readonly rateThs?: number
  readonly powerW?: number
  readonly temperatureC?: number
  readonly jth?: number
  readonly boards: readonly BoardNow[]
  readonly psus: readonly PsuNow[]
}

export function parseTelemetry(reply: unknown): Now {
  const root = object(reply, 'telemetry')
  const miner = fields(root.miner)
  if (root.miner === undefined && root.hashboards === undefined)
    throw new SdkError('DEVICE_BAD_REPLY', 'telemetry has neither miner nor hashboards')
  return {
    ...defined({
      rateThs: rateOf(miner.hashrate),
      powerW: quantity(miner.power),
      temperatureC: positive(quantity(miner.temperature)),
      jth: positive(quantity(miner.efficiency)),
    }),
    boards: rows(root.hashboards).slice(0, maxParts).map(boardOf),
    psus: rows(root.psus).slice(0, maxParts).map(psuOf),
  }
}

function boardOf(board: Fields, at: number): BoardNow {
  const { hashrate, temperature } = fields(board.asics)
  return {
    index: placeOf(board.index, at),
    ...defined({
      serial: words(board.serial_number, 64),
      rateThs: rateOf(board.hashrate),
      powerW: quantity(board.power),
      voltageV: quantity(board.voltage),
      averageC: positive(quantity(board.temperature, 'average')),
      inletC: positive(quantity(board.temperature, 'inlet')),
      outletC: positive(quantity(board.temperature, 'outlet')),
      chips: valuesOf(hashrate)?.map(rateReader(fields(hashrate).unit ?? 'TH/s')),
      chipTemps: valuesOf(temperature)?.map((value) => positive(num(value))),
    }),
  }
}

const maxChips = 1024

function valuesOf(reply: unknown): unknown[] | undefined {
  const { values } = fields(reply)
  return Array.isArray(values) && values.length > 0 ? values.slice(0, maxChips) : undefined
}

function psuOf(psu: Fields): PsuNow {
  return defined({
    inputW: quantity(psu.power, 'input'),
    outputW: quantity(psu.power, 'output'),
    inputV: quantity(psu.voltage, 'input'),
    inputA: quantity(psu.current, 'input'),
    outputV: quantity(psu.voltage, 'output'),
    hotC: positive(quantity(psu.temperature, 'hotspot') ?? quantity(psu.temperature, 'average')),
  })
}

/** A place that is none keeps the order. */
function placeOf(value: unknown, at: number): number {
  const place = num(value)
  return place !== undefined && Number.isInteger(place) && place >= 0 && place < maxParts ? place : at
}

/** The statistics of each board, which its telemetry does not have all. */
export function parseBoards(reply: unknown): BoardNow[] {
  if (!Array.isArray(reply)) throw new SdkError('DEVICE_BAD_REPLY', 'hashboards is no list')
  return rows(reply)
    .slice(0, maxParts)
    .map((board, at) => ({
      index: placeOf((num(board.slot) ?? at + 1) - 1, at),
      ...defined({
        serial: words(board.hb_sn ?? board.serial_number, 64),
        rateThs: gigahashes(board.hashrate_ghs),
        idealThs: positive(gigahashes(board.ideal_hashrate_ghs)),
        powerW: num(board.power_usage_watts),
        voltageV: positive(measure(board.voltage_mv, 'mV')),
        inletC: positive(num(board.inlet_temp_c)),
        outletC: positive(num(board.outlet_temp_c)),
        chipMaxC: positive(num(board.max_asic_temp_c)),
        chipC: positive(num(board.avg_asic_temp_c)),
        status: words(board.status, 32),
      }),
    }))
}

export interface Hardware {
  readonly controlBoard?: string
  readonly serial?: string
  readonly boards: readonly { readonly slot: number; readonly serial?: string; readonly chips?: number }[]
  readonly fans: readonly { readonly slot: number; readonly minRpm?: number; readonly maxRpm?: number }[]
  readonly psu?: { readonly model?: string; readonly serial?: string; readonly version?: string }
}

/** Slots count from 1 on the wire, from 0 here, and may have gaps. */
export function parseHardware(reply: unknown): Hardware {
  const info = object(fields(reply)['hardware-info'] ?? reply, 'hardware')
  const board = fields(info['cb-info'])
  const slot = (part: Fields, at: number) => placeOf((num(part.slot) ?? at + 1) - 1, at)
  const [psu] = rows(info['psus-info'])
  return {
    ...defined({ controlBoard: words(board.board_id, 64), serial: words(board.serial_number, 64) }),
    boards: rows(info['hashboards-info'])
      .slice(0, maxParts)
      .map((each, at) => ({
        slot: slot(each, at),
        ...defined({ serial: words(each.hb_sn, 64), chips: positive(count(each.mining_asic_count)) }),
      })),
    fans: rows(info['fans-info'])
      .slice(0, maxParts)
      .map((each, at) => ({
        slot: slot(each, at),
        ...defined({ minRpm: count(each.min_rpm), maxRpm: positive(count(each.max_rpm)) }),
      })),
    ...(psu
      ? {
          psu: defined({
            model: words(psu.model, 64),
            serial: words(psu.psu_sn, 64),
            version: words(fields(psu.firmware).app_version, 32),
          }),
        }
      : {}),
  }
}

export interface Cooling {
  readonly mode?: 'auto' | 'manual' | 'off'
  readonly dutyPct?: number
  readonly targetC?: number
  readonly fans: readonly { readonly index: number; readonly rpm?: number; readonly dutyPct?: number }[]
}

const fanModes: Readonly<Record<string, Cooling['mode']>> = { auto: 'auto', manual: 'manual', off: 'off' }

export function parseCooling(reply: unknown): Cooling {
  const cooling = object(fields(reply)['cooling-status'] ?? reply, 'cooling')
  const percent = (part: Fields) => {
    const value = num(part.speed_percentage) ?? num(part.percentage)
    return value !== undefined && value >= 0 && value <= 100 ? value : undefined
  }
  return {
    ...defined({
      mode: fanModes[(str(cooling.fan_mode) ?? '').toLowerCase()],
      dutyPct: percent(cooling),
      targetC: positive(num(cooling.target_temperature_c)),
    }),
    fans: rows(cooling.fans)
      .slice(0, maxParts)
      .map((fan, at) => ({
        index: placeOf((num(fan.slot) ?? at + 1) - 1, at),
        ...defined({ rpm: count(fan.rpm), dutyPct: percent(fan) }),
      })),
  }
}

const poolStates: Readonly<Record<string, boolean>> = { active: true, idle: true, dead: false }

export function parseProtoPools(reply: unknown): Pool[] {
  const list = Array.isArray(reply) ? reply : object(reply, 'pools').pools
  if (!Array.isArray(list)) throw new SdkError('DEVICE_BAD_REPLY', 'pools is no list')
  return rows(list)
    .slice(0, maxParts)
    .map((pool, at): Pool => {
      const status = (str(pool.status) ?? str(pool.connection_status) ?? '').toLowerCase()
      const isOn = bool(pool.enabled) !== false
      return {
        index: placeOf(pool.id, at),
        url: words(pool.url, 255) ?? '',
        user: words(pool.user ?? pool.username, 255) ?? '',
        ...defined({
          alive: isOn && Object.hasOwn(poolStates, status) ? poolStates[status] : undefined,
          active: status === '' ? undefined : isOn && status === 'active',
          priority: count(pool.priority),
          accepted: count(pool.accepted),
          rejected: count(pool.rejected),
          difficulty: positive(difficulty(pool.difficulty)),
        }),
      }
    })
    .filter(({ url }) => url !== '')
}

export function parseProtoNetwork(reply: unknown) {
  const info = object(fields(reply)['network-info'] ?? fields(reply)['network-config'] ?? reply, 'network')
  return {
    ...defined({ mac: macOf(info.mac), hostname: words(info.hostname, 64) }),
    network: defined({
      dhcp: bool(info.dhcp),
      ip: words(info.ip ?? info.ip_address, 64),
      netmask: words(info.netmask, 64),
      gateway: words(info.gateway, 64),
    }),
  }
}

export interface System {
  readonly product?: string
  readonly model?: string
  readonly make?: string
  readonly system?: string
  readonly version?: string
  readonly hostname?: string
  readonly serial?: string
  readonly board?: string
  readonly uptimeS?: number
  readonly update?: string
}

export function parseSystem(reply: unknown): System {
  const info = object(fields(reply)['system-info'] ?? reply, 'system')
  const os = fields(info.os)
  return defined({
    product: words(info.product_name, 64),
    model: words(info.model, 64),
    make: words(info.manufacturer, 64),
    system: words(os.name, 64),
    version: words(os.version, 64),
    hostname: words(os.hostname, 64),
    serial: words(info.cb_sn, 64),
    board: words(info.board ?? info.soc, 64),
    uptimeS: count(info.uptime_seconds),
    update: words(fields(info.sw_update_status).status, 32),
  })
}
