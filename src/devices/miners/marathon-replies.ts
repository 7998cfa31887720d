import { type Board, type DeviceError, type Fan, type Network, type Pool, SdkError, type Tuning } from '#model'
import type { Model } from '../define.js'
import { antminerTitle } from '../hardware/antminer.js'
import { parsePools } from '../kit/cgminer-pools.js'
import { bool, type Fields, fields, isObject, num, rows, str } from '../kit/json.js'
import { topicOf } from '../kit/topics.js'
import {
  count,
  defined,
  highest,
  lowest,
  macOf,
  maxParts,
  mean,
  object,
  positive,
  rateReader,
  temperature,
  words,
} from '../kit/values.js'

/**
 * The replies of MaraFW (protocols/other-firmwares.md). There are no captures: `brief`, `hashboards`, `fans` and `miner_config` are as
 * the reference has them; how `overview`, `network_config` and `pools` name their values it does not say, so the usual names are tried.
 */

/** Any of these names; the first that is there. */
const any = (from: Fields, ...names: readonly string[]): unknown =>
  names.map((name) => from[name]).find((value) => value !== undefined && value !== null)

export interface Brief {
  readonly status?: string
  readonly rate: (name: string) => number | undefined
  /** How its rates, and those of its boards, are to be read. */
  readonly unit: unknown
  readonly powerW?: number
  readonly workMode?: string
  readonly elapsedS?: number
  readonly indicator?: string
  readonly indicatorText?: string
  readonly boardC?: number
  readonly chipC?: number
}

export function parseBrief(reply: unknown): Brief {
  const brief = object(reply, 'brief')
  if (!('status' in brief) && !('hashrate_realtime' in brief))
    throw new SdkError('DEVICE_BAD_REPLY', 'the reply is no brief')
  const unit = any(brief, 'hashrate_unit')
  const reader = rateReader(unit ?? usualUnit)
  const hottest = (what: RegExp) =>
    highest(
      Object.keys(brief)
        .filter((key) => key.startsWith('temperature') && what.test(key))
        .slice(0, maxParts)
        .map((key) => hottestOf(brief[key])),
    )
  return {
    rate: (name) => reader(brief[`hashrate_${name}`]),
    unit,
    ...defined({
      status: words(brief.status, 32),
      powerW: count(brief.power_consumption_estimated),
      workMode: words(brief.work_mode, 32),
      elapsedS: count(any(brief, 'elapsed', 'uptime')),
      indicator: words(brief.indicator, 64),
      indicatorText: words(brief.indicator_long),
      boardC: hottest(/pcb|board/),
      chipC: hottest(/chip/),
    }),
  }
}

const usualUnit = 'TH/s'

function celsiusOf(value: unknown): (number | undefined)[] {
  return Array.isArray(value) ? value.slice(0, 64).map(temperature) : [temperature(value)]
}
const hottestOf = (value: unknown) => highest(celsiusOf(value))

export function isAsleep({ status }: Brief): boolean | undefined {
  return status === undefined ? undefined : /sleep|suspend|standby/i.test(status)
}

export const isTuning = ({ status }: Brief) => (status !== undefined && /tun/i.test(status) ? true : undefined)

/** The lists come bare, or under their own name. */
function listOf(reply: unknown, name: string): Fields[] {
  const list = Array.isArray(reply) ? reply : fields(reply)[name]
  if (!Array.isArray(list)) throw new SdkError('DEVICE_BAD_REPLY', `the reply holds no ${name}`)
  return rows(list).slice(0, maxParts)
}

export interface Boards {
  readonly list: readonly Fields[]
  readonly unit: unknown
}

export function parseBoards(reply: unknown): Boards {
  return { list: listOf(reply, 'hashboards'), unit: fields(reply).hashrate_unit }
}

/** Slots as they are counted there: from 0, or from 1 where no board has the 0. */
export function boardsOf({ list, unit }: Boards, brief: Brief | undefined): Board[] | undefined {
  if (list.length === 0) return undefined
  const base = list.every(({ index }) => (num(index) ?? 0) >= 1) ? 1 : 0
  const boards = list.map((board, at): Board => {
    const rate = rateReader(unit ?? board.hashrate_unit ?? brief?.unit ?? usualUnit)
    const index = num(board.index)
    const slot =
      index === undefined || !Number.isInteger(index) ? at : Math.min(maxParts - 1, Math.max(0, index - base))
    const pcb = celsiusOf(board.temperature_pcb)
    const chip = celsiusOf(board.temperature_chip)
    return {
      slot,
      ...defined({
        serial: words(any(board, 'serial_number', 'sn', 'serial'), 64),
        status: bool(board.present) === false ? ('missing' as const) : undefined,
        hashrateThs: rate(any(board, 'hashrate_realtime', 'hashrate_average')),
        expectedHashrateThs: positive(rate(board.hashrate_ideal)),
        chips: count(board.asic_num),
        expectedChips: positive(count(board.asic_num_ideal)),
        frequencyMhz: positive(num(board.frequency_average)),
        powerW: positive(num(board.power_consumption_estimated)),
        boardTempC: highest(pcb),
        chipTempMaxC: highest(chip),
        chipTempMinC: lowest(chip),
        chipTempAvgC: mean(chip),
      }),
    }
  })
  return boards.sort((a, b) => a.slot - b.slot)
}

export function parseFans(reply: unknown): Fan[] {
  const list = listOf(reply, 'fans')
  const base = list.length > 0 && list.every(({ index }) => (num(index) ?? 0) >= 1) ? 1 : 0
  return list.map((fan, at) => {
    const index = num(fan.index)
    return {
      index: index === undefined || !Number.isInteger(index) ? at : Math.min(maxParts - 1, Math.max(0, index - base)),
      ...defined({ rpm: count(fan.current_speed) }),
    }
  })
}

/** A liquid-cooled build lists no fan, or only such that stand. */
export function fansOf(fans: readonly Fan[], model: Model): Fan[] | undefined {
  if (model.fans === 0 && fans.every(({ rpm }) => !rpm)) return []
  return fans.length > 0 ? [...fans] : undefined
}

export function parseMaraPools(reply: unknown): Pool[] {
  const list = listOf(reply, 'pools').map((pool) => {
    const status = str(pool.status)?.toLowerCase()
    const isActive = status === 'active' || bool(pool.active) === true
    const alive = status === 'active' || status === 'working' ? 'alive' : status
    return {
      ...pool,
      user: any(pool, 'user', 'username'),
      status: alive,
      'Stratum Active': isActive ? true : undefined,
    }
  })
  return parsePools({ POOLS: list })
}

export interface Overview {
  readonly model?: string
  readonly firmware?: string
  readonly mac?: string
  readonly serial?: string
  readonly hostname?: string
}

export function parseOverview(reply: unknown): Overview {
  const overview = object(reply, 'overview')
  return defined({
    model: antminerTitle(words(any(overview, 'model', 'miner_model', 'miner_type'), 48)),
    firmware: words(any(overview, 'version_firmware', 'firmware_version', 'version'), 64),
    mac: macOf(any(overview, 'mac', 'mac_address')),
    serial: words(any(overview, 'serial_number', 'miner_serial', 'serial'), 64),
    hostname: words(overview.hostname, 64),
  })
}

export function parseControl(reply: unknown): string | undefined {
  return words(any(object(reply, 'controlboard_info'), 'model', 'name', 'type', 'controlboard'), 64)
}

export interface NetworkInfo {
  readonly hostname?: string
  readonly network?: Network
}

export function parseNetwork(reply: unknown): NetworkInfo {
  const config = object(reply, 'network_config')
  const ip = words(any(config, 'ip', 'ipaddress', 'address'), 64)
  const dns = any(config, 'dns', 'dnsservers')
  const list = (Array.isArray(dns) ? dns : [dns]).map((each) => words(each, 64)).filter((each) => each !== undefined)
  const protocol = words(any(config, 'protocol', 'proto'), 16)
  const dhcp = bool(config.dhcp) ?? (protocol === undefined ? undefined : /dhcp/i.test(protocol))
  return defined({
    hostname: words(config.hostname, 64),
    network:
      ip === undefined
        ? undefined
        : defined({
            dhcp,
            ip,
            netmask: words(config.netmask, 64),
            gateway: words(config.gateway, 64),
            dns: list.length > 0 ? list.slice(0, 8) : undefined,
          }),
  })
}

export function parseLocate(reply: unknown): 'blink' | 'off' {
  const on = bool(object(reply, 'locate_miner').blinking)
  if (on === undefined) throw new SdkError('DEVICE_BAD_REPLY', 'the reply does not say whether it blinks')
  return on ? 'blink' : 'off'
}

export const sleepMode = 'Sleep'
export const stockMode = 'Stock'

/** The whole configuration: it is written back as it is, but for what is changed. */
export function parseConfig(reply: unknown): Fields {
  const config = object(reply, 'miner_config')
  if (!isObject(config.mode)) throw new SdkError('DEVICE_BAD_REPLY', 'the configuration has no mode')
  return config
}

/** `Stock`, `Auto`, `Fixed` or `Sleep`. */
export function selectorOf(config: Fields): string | undefined {
  return words(fields(config.mode)['work-mode-selector'], 32)
}

export function tuningOf(config: Fields): Tuning | undefined {
  const selector = selectorOf(config)
  if (selector === undefined) return undefined
  const concorde = fields(fields(config.mode).concorde)
  const target = selector === 'Auto' ? str(concorde['mode-select']) : undefined
  return {
    preset: selector,
    mode: selector === sleepMode ? 'sleep' : selector === stockMode ? 'normal' : 'custom',
    ...defined({
      targetW: target === 'PowerTarget' ? positive(num(concorde['power-target'])) : undefined,
      targetThs: target === 'Hashrate' ? positive(num(concorde['hash-target'])) : undefined,
    }),
  }
}

/** It says how it is in one word, and why in a sentence. */
export function maraErrors({ indicator, indicatorText, status }: Brief): DeviceError[] {
  if (indicator === undefined || /fully functional|^ok$|^normal$/i.test(indicator)) return []
  if (status !== undefined && /sleep/i.test(status)) return []
  const topic = topicOf(indicatorText ?? indicator)
  const isDegraded = /degraded|warn/i.test(indicator)
  return [
    {
      code: topic.code,
      vendorCode: indicator,
      severity: isDegraded ? 'medium' : 'high',
      component: topic.component,
      message: `The miner says that it is ${indicator.toLowerCase()}${indicatorText ? `: ${indicatorText}` : ''}.`,
      action: topic.action,
    },
  ]
}
