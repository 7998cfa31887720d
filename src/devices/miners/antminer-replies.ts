import { type Metric, measured, type Pool, SdkError } from '#model'
import { difficulty, isAlive, secondsAgo } from '../kit/cgminer.js'
import { bool, type Fields, fields, isObject, num, rows, str } from '../kit/json.js'

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

/** TH/s of one unit as the firmware names it; what is not hashes a second is not reported. */
const units: Readonly<Record<string, number>> = { H: 1e-12, KH: 1e-9, MH: 1e-6, GH: 1e-3, TH: 1, PH: 1e3 }
const defaultUnit = 'GH'
/** Beyond this no machine has boards or fans. */
const maxParts = 16

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

/** `summary` of the web interface and both RPC forms. */
export interface Summary {
  readonly elapsedS: number | undefined
  readonly nowThs: number | undefined
  readonly last30mThs: number | undefined
  readonly averageThs: number | undefined
  readonly idealThs: number | undefined
  readonly hwErrors: number | undefined
  readonly hwErrorPct: number | undefined
  readonly bestShare: number | undefined
  readonly accepted: number | undefined
  readonly rejected: number | undefined
  readonly stale: number | undefined
  readonly poolRejectPct: number | undefined
  readonly poolStalePct: number | undefined
  readonly empty: boolean
  readonly alarms: readonly {
    readonly type: string
    readonly level: string
    readonly code: string
    readonly text: string
  }[]
}

export function parseSummary(reply: unknown): Summary {
  const root = object(reply, 'summary')
  if (!Array.isArray(root.SUMMARY)) throw new SdkError('DEVICE_BAD_REPLY', 'summary has no section SUMMARY')
  const summary = rows(root.SUMMARY)[0] ?? {}
  const rate = rateReader(summary.rate_unit)
  return {
    elapsedS: num(summary.elapsed) ?? num(summary.Elapsed),
    nowThs: rate(summary.rate_5s ?? summary['GHS 5s']),
    last30mThs: rate(summary.rate_30m ?? summary['GHS 30m']),
    averageThs: rate(summary.rate_avg ?? summary['GHS av']),
    idealThs: positive(rate(summary.rate_ideal)),
    hwErrors: count(summary.hw_all) ?? count(summary['Hardware Errors']),
    hwErrorPct: num(summary['Device Hardware%']),
    bestShare: num(summary.bestshare) ?? num(summary['Best Share']),
    accepted: count(summary.Accepted),
    rejected: count(summary.Rejected),
    stale: count(summary.Stale),
    poolRejectPct: num(summary['Pool Rejected%']),
    poolStalePct: num(summary['Pool Stale%']) ?? num(summary['Pool Stale%%']),
    empty: Object.keys(summary).length === 0,
    alarms: rows(summary.status)
      .slice(0, maxParts)
      .map((alarm) => ({
        type: str(alarm.type) ?? '',
        level: str(alarm.status) ?? '',
        code: str(alarm.code) ?? '',
        text: (str(alarm.msg) ?? '').slice(0, 200),
      })),
  }
}

const maxPools = 16
/** Before this (s) the clock of the device was never set, and times that it gives mean nothing. */
const clockSetS = 1_500_000_000
/** Nor after this. */
const clockEndS = 1e10

/** The configured pools, without empty places. Stock firmware fails over in order: the first that lives is the one in use. */
export function parsePools(reply: unknown): Pool[] {
  const root = object(reply, 'pools')
  if (!Array.isArray(root.POOLS)) throw new SdkError('DEVICE_BAD_REPLY', 'pools has no section POOLS')
  const status = fields(Array.isArray(root.STATUS) ? root.STATUS[0] : root.STATUS)
  const when = num(status.when) ?? num(status.When)
  const pools = rows(root.POOLS)
    .slice(0, maxPools)
    .map((pool, at) => poolOf(pool, at, when))
    .filter((pool) => pool.url !== '')
  if (pools.every((pool) => pool.active === undefined)) {
    const inUse = [...pools]
      .sort((a, b) => (a.priority ?? a.index) - (b.priority ?? b.index))
      .find((pool) => pool.alive)
    for (const pool of pools) if (pool.alive !== undefined) pool.active = pool === inUse
  }
  return pools
}

function poolOf(pool: Fields, at: number, when: number | undefined): Pool {
  const ago = secondsAgo(pool.lstime ?? pool['Last Share Time'])
  const index = num(pool.index) ?? num(pool.POOL) ?? at
  const accepted = count(pool.accepted) ?? count(pool.Accepted)
  const rejected = count(pool.rejected) ?? count(pool.Rejected)
  const tried = (accepted ?? 0) + (rejected ?? 0)
  return {
    index: Number.isInteger(index) && index >= 0 ? index : at,
    url: str(pool.url) ?? str(pool.URL) ?? '',
    user: str(pool.user) ?? str(pool.User) ?? '',
    ...defined({
      alive: isAlive(pool.status ?? pool.Status),
      active: bool(pool['Stratum Active']),
      priority: count(pool.priority) ?? count(pool.Priority),
      quota: count(pool.Quota),
      accepted,
      rejected,
      stale: count(pool.stale) ?? count(pool.Stale),
      rejectPct: tried > 0 && rejected !== undefined ? Math.round((rejected / tried) * 1e4) / 100 : undefined,
      lastShareAt:
        ago !== undefined && when !== undefined && when > clockSetS && when < clockEndS
          ? (when - ago) * 1000
          : undefined,
      difficulty: positive(difficulty(pool.diff ?? pool.Diff)),
    }),
  }
}

/** The object without what is undefined: absent means not reported. */
export function defined<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const out: Record<string, unknown> = {}
  for (const key in object) if (object[key] !== undefined) out[key] = object[key]
  return out as never
}

/** The reply as an object; throws DEVICE_BAD_REPLY if it is none. */
export function object(reply: unknown, what: string): Fields {
  if (!isObject(reply)) throw new SdkError('DEVICE_BAD_REPLY', `${what} is no object`)
  return reply
}

function rateReader(unit: unknown): (value: unknown) => number | undefined {
  const name = (str(unit) ?? defaultUnit).replace(/\/s$/i, '').toUpperCase()
  const factor = Object.hasOwn(units, name) ? units[name]! : undefined
  return (value) => {
    const number = num(value)
    return factor === undefined || number === undefined ? undefined : within('hashrateThs', tidy(number * factor))
  }
}

/** Without the digits that only the conversion made: 88422 GH/s is 88.422 TH/s. */
function tidy(value: number): number {
  return Number(value.toPrecision(12))
}

function within(metric: Metric, value: number | undefined): number | undefined {
  return measured(metric, value)
}

/** Nothing is counted below 0 or beyond what a number holds exactly. */
function count(value: unknown): number | undefined {
  const number = num(value)
  return number !== undefined && number >= 0 && number <= Number.MAX_SAFE_INTEGER ? number : undefined
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined
}

function share(value: unknown): number | undefined {
  const part = num(value)
  return part === undefined ? undefined : within('hwErrorPct', tidy(part * 100))
}

/** 0, below and 255 are empty places, not temperatures. */
function temperature(value: unknown): number | undefined {
  const celsius = num(value)
  return celsius !== undefined && celsius > 0 && celsius < 200 ? celsius : undefined
}

/** The places of a sensor list, `[34, 34, 42, 42]` or `"34-34-42-42"`; what measures nothing is undefined in its place. */
function temperatures(value: unknown): (number | undefined)[] {
  const list = typeof value === 'string' ? value.slice(0, 64).split('-') : Array.isArray(value) ? value : []
  return list.slice(0, maxParts).map(temperature)
}

function orElse(sensors: (number | undefined)[], single: unknown): (number | undefined)[] {
  return sensors.some((each) => each !== undefined) ? sensors : [temperature(single)]
}

/** Each fan in its place; a place without a number keeps it, so that the others keep theirs. */
function rpms(list: readonly unknown[]): (number | undefined)[] {
  return list.slice(0, maxParts).map((rpm) => within('fanMaxRpm', num(rpm)))
}
