import { SdkError } from '#model'
import { bool, type Fields, fields, isObject, num, rows, str } from '../kit/json.js'
import {
  count,
  maxParts,
  object,
  orElse,
  positive,
  rateReader,
  rpms,
  share,
  temperature,
  temperatures,
} from '../kit/values.js'

/** One board as both forms of `stats` give it; sensor places not yet interpreted. */
export interface Chain {
  readonly slot: number
  readonly serial: string | undefined
  readonly chips: number | undefined
  readonly map: string | undefined
  readonly rateThs: number | undefined
  readonly idealThs: number | undefined
  readonly frequencyMhz: number | undefined
  readonly hwErrors: number | undefined
  readonly hwErrorPct: number | undefined
  readonly pic: readonly (number | undefined)[]
  readonly pcb: readonly (number | undefined)[]
  readonly chip: readonly (number | undefined)[]
  readonly eepromOk: boolean | undefined
}

/** `stats` of the web interface, of `new_api` and of the old RPC, in one shape (protocols/antminer.md §1.3, §2). */
export interface Stats {
  readonly type: string | undefined
  readonly compiled: string | undefined
  readonly api: string | undefined
  /** No device section at all: it sleeps or has not started. */
  readonly empty: boolean
  readonly elapsedS: number | undefined
  readonly nowThs: number | undefined
  readonly last30mThs: number | undefined
  readonly averageThs: number | undefined
  readonly idealThs: number | undefined
  readonly labelThs: number | undefined
  readonly hwErrors: number | undefined
  readonly hwErrorPct: number | undefined
  readonly fans: readonly (number | undefined)[] | undefined
  readonly mode: number | undefined
  readonly freqLevel: number | undefined
  readonly powerW: number | undefined
  readonly jt: number | undefined
  readonly ambientC: number | undefined
  readonly psuStatus: string | undefined
  readonly chains: readonly Chain[] | undefined
}

export function parseStats(reply: unknown): Stats {
  const root = object(reply, 'stats')
  if (!Array.isArray(root.STATS)) throw new SdkError('DEVICE_BAD_REPLY', 'stats has no section STATS')
  const sections = rows(root.STATS)
  const isNew = isObject(root.INFO) || isObject(root.STATUS) || sections.some((section) => Array.isArray(section.chain))
  return isNew ? newStats(root, sections[0] ?? {}) : oldStats(sections)
}

function newStats(root: Fields, stats: Fields): Stats {
  const info = fields(root.INFO)
  const rate = rateReader(stats.rate_unit)
  return {
    type: str(info.type),
    compiled: str(info.CompileTime),
    api: str(fields(root.STATUS).api_version),
    empty: num(stats.elapsed) === undefined && !Array.isArray(stats.chain),
    elapsedS: num(stats.elapsed),
    nowThs: rate(stats.rate_5s),
    last30mThs: rate(stats.rate_30m),
    averageThs: rate(stats.rate_avg),
    idealThs: positive(rate(stats.rate_ideal)),
    labelThs: positive(rate(stats.rate_sale)),
    hwErrors: undefined,
    hwErrorPct: share(stats.hwp_total),
    fans: Array.isArray(stats.fan) ? rpms(stats.fan) : undefined,
    mode: num(stats['miner-mode']),
    freqLevel: bool(stats['freq-level-mode']) === false ? undefined : num(stats['freq-level']),
    powerW: positive(num(stats.watt)),
    jt: positive(num(stats.jt)),
    ambientC: temperature(stats.ambient_temp),
    psuStatus: str(fields(stats.psu).status),
    chains: Array.isArray(stats.chain)
      ? rows(stats.chain)
          .slice(0, maxParts)
          .map((chain, at) => newChain(chain, at, rate))
      : undefined,
  }
}

function newChain(chain: Fields, at: number, rate: (value: unknown) => number | undefined): Chain {
  const index = num(chain.index) ?? at
  return {
    slot: Number.isInteger(index) && index >= 0 && index < maxParts ? index : at,
    serial: str(chain.sn),
    chips: count(chain.asic_num),
    map: str(chain.asic),
    rateThs: rate(chain.rate_real),
    idealThs: positive(rate(chain.rate_ideal)),
    frequencyMhz: positive(num(chain.freq_avg)),
    hwErrors: count(chain.hw),
    hwErrorPct: share(chain.hwp),
    pic: temperatures(chain.temp_pic),
    pcb: temperatures(chain.temp_pcb),
    chip: temperatures(chain.temp_chip),
    eepromOk: bool(chain.eeprom_loaded),
  }
}

/** The first number that is used: S9 counts its chains from 6, others from 1. */
const chainGroups = [1, 6, 11] as const
const chainsInGroup = 5
const maxFans = 8

function oldStats(sections: readonly Fields[]): Stats {
  const head = sections.find((section) => section.Type !== undefined || section.BMMiner !== undefined) ?? {}
  const stats = sections.find((section) => section.Elapsed !== undefined) ?? {}
  const rate = rateReader(stats.rate_unit)
  return {
    type: str(head.Type),
    compiled: str(head.CompileTime),
    api: undefined,
    empty: num(stats.Elapsed) === undefined,
    elapsedS: num(stats.Elapsed),
    nowThs: rate(stats['GHS 5s']),
    last30mThs: rate(stats.rate_30m),
    averageThs: rate(stats['GHS av']),
    idealThs: positive(rate(stats.total_rateideal)),
    labelThs: undefined,
    hwErrors: count(stats.no_matching_work),
    hwErrorPct: undefined,
    fans: oldFans(stats),
    mode: undefined,
    freqLevel: undefined,
    powerW: positive(num(stats.watt) ?? num(stats.power) ?? num(str(stats.chain_power)?.replace(/ *W$/i, ''))),
    jt: undefined,
    ambientC: undefined,
    psuStatus: undefined,
    chains: oldChains(stats, rate),
  }
}

/** The boards of the old form, numbered from the group that is in use; the empty place after the last board is none. */
function oldChains(stats: Fields, rate: (value: unknown) => number | undefined): Chain[] | undefined {
  const first = chainGroups.find((start) => places(start, chainsInGroup).some((n) => num(stats[`chain_acn${n}`])))
  if (first === undefined) return undefined
  const all = places(first, chainsInGroup).filter((n) => num(stats[`chain_acn${n}`]) !== undefined)
  const used = num(stats.miner_count)
  const boards = all.filter((n, at) => num(stats[`chain_acn${n}`]) || (used !== undefined && at < used))
  return boards.map((n) => ({
    slot: n - first,
    serial: undefined,
    chips: count(stats[`chain_acn${n}`]),
    map: str(stats[`chain_acs${n}`]),
    rateThs: rate(stats[`chain_rate${n}`]),
    idealThs: positive(rate(stats[`chain_rateideal${n}`])),
    frequencyMhz: positive(num(stats[`freq_avg${n}`]) ?? num(stats[`freq${n}`])),
    hwErrors: count(stats[`chain_hw${n}`]),
    hwErrorPct: undefined,
    pic: temperatures(stats[`temp_pic${n}`]),
    pcb: orElse(temperatures(stats[`temp_pcb${n}`]), stats[`temp${n}`]),
    chip: orElse(temperatures(stats[`temp_chip${n}`]), stats[`temp2_${n}`]),
    eepromOk: undefined,
  }))
}

/** S9 has its two fans at two of the places 3 to 6, others from 1 on: a place is only counted as a still fan where none is beyond it. */
function oldFans(stats: Fields): (number | undefined)[] | undefined {
  const total = num(stats.fan_num)
  if (total === 0) return []
  const all = rpms(places(1, maxFans).map((n) => stats[`fan${n}`]))
  const turning = all.filter((rpm) => rpm)
  const from1 = all.slice(0, total ?? turning.length)
  const isFrom1 = turning.length === from1.filter((rpm) => rpm).length
  const found = isFrom1 ? from1 : [...turning, ...Array<number>(Math.max(0, (total ?? 0) - turning.length)).fill(0)]
  return found.length > 0 ? found.slice(0, maxFans) : undefined
}

function places(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => first + at)
}
