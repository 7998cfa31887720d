import { SdkError } from '#model'
import { avalonName } from '../hardware/avalon.js'
import { type Brackets, boardBrackets, brackets, numberOf, numbersOf } from '../kit/avalon.js'
import { section } from '../kit/cgminer.js'
import { type Fields, num, str } from '../kit/json.js'
import { positive } from '../kit/values.js'

/** What one `estats`, `stats` or `litestats` holds: the bracket string, and the boards where they have strings of their own. */
export interface Stats {
  readonly elapsedS: number | undefined
  readonly own: Brackets
  /** Further miners behind the same controller, as A9 and older chain them. */
  readonly chained: readonly Brackets[]
  readonly boards: ReadonlyMap<number, Brackets>
}

const keyOfOwn = /^MM ID(\d+)(:Summary)?$/

/** Throws DEVICE_BAD_REPLY where there is no bracket string, as on some Avalon Q whose `stats` is empty. */
export function parseStats(reply: unknown): Stats {
  const [first = {}, ...rest] = section(reply, 'STATS')
  const rows = [first, ...rest]
  const strings = rows.flatMap((row) =>
    Object.entries(row).flatMap(([key, value]) => (keyOfOwn.test(key) && str(value) ? [[key, String(value)]] : [])),
  )
  const [own, ...chained] = strings.map(([, text]) => brackets(text!)).filter((each) => each.size > 0)
  if (!own) throw new SdkError('DEVICE_BAD_REPLY', 'the stats hold no bracket string')
  const row = rows.find((each) => Object.keys(each).some((key) => keyOfOwn.test(key))) ?? first
  return {
    elapsedS: num(row.Elapsed) ?? numberOf(own.get('Elapsed')),
    own,
    chained,
    boards: boardBrackets(str(row.HBinfo) ?? ''),
  }
}

/** Model, bin and firmware of `1246-83-21072802_4ec6bb0_211fc46` or `Q-25052801_14a19a2`. */
export interface Version {
  readonly model: string | undefined
  readonly variant: string | undefined
  readonly firmware: string | undefined
}

export function versionOf(text: string | undefined): Version {
  const [model, ...rest] = (text ?? '').split('-')
  const variant = rest.find((part) => /^\d{2,3}[A-Za-z]{0,2}$/.test(part))
  const firmware = rest.find((part) => /^\d{6,}/.test(part))
  return { model: avalonName(model), variant, firmware }
}

/** The bin of a model is the hashrate on its label, TH/s. */
export function labelThs(variant: string | undefined): number | undefined {
  return positive(numberOf(variant))
}

/** `version`: who it is, as far as this firmware tells it there. */
export interface About extends Version {
  readonly api: string | undefined
  readonly serial: string | undefined
  readonly mac: string | undefined
  readonly controlBoard: string | undefined
}

export function parseVersion(reply: unknown): About {
  const [row = {}] = section(reply, 'VERSION')
  const named = versionOf(str(row.MODEL))
  return {
    model: named.model ?? avalonName(str(row.PROD)?.split('-')[0]),
    variant: named.variant,
    firmware: str(row.VERSION) ?? str(row.LVERSION) ?? str(row.BVERSION) ?? str(row.CGVERSION),
    api: str(row.API),
    serial: serialOf(str(row.DNA)),
    mac: str(row.MAC),
    controlBoard: str(row.HWTYPE),
  }
}

/** Firmwares without one write zeros. */
export function serialOf(dna: string | undefined): string | undefined {
  return dna && /^[0-9a-f]{8,}$/i.test(dna) && !/^0+$/.test(dna) ? dna : undefined
}

/** The miner says that it works; undefined if it does not say. */
export function isWorking({ own }: Stats): boolean | undefined {
  const status = own.get('SYSTEMSTATU')
  return status === undefined ? undefined : /in work/i.test(status)
}

export function isSoftOff({ own }: Stats): boolean | undefined {
  const state = numberOf(own.get('SoftOFF'))
  return state === undefined ? undefined : state !== 0
}

/** GH/s as TH/s. */
export function thsOf(text: string | undefined): number | undefined {
  const ghs = numberOf(text)
  return ghs === undefined || ghs < 0 ? undefined : Number((ghs / 1000).toPrecision(12))
}

/** The power supply (protocols/avalon.md §3.1): volts and amperes of the bus, W; all undefined where it does not answer. */
export interface Supply {
  readonly faults: number
  readonly isSilent: boolean
  readonly busV: number | undefined
  readonly dcW: number | undefined
  readonly wallW: number | undefined
}

export function supplyOf({ own }: Stats): Supply | undefined {
  const values = numbersOf(own.get('PS'))
  if (values.length < 5) return undefined
  const [faults = 0, , bus, , dcW, , wallW] = values
  const isSilent = values.every((value) => !value)
  const wall = positive(numberOf(own.get('WALLPOWER'))) ?? positive(wallW)
  if (isSilent) return { faults: 0, isSilent, busV: undefined, dcW: undefined, wallW: wall }
  return { faults, isSilent, busV: bus === undefined ? undefined : bus / 100, dcW, wallW: wall }
}

/** Watts from the wall; the first generation measures only what it gives to the boards. */
export function powerOf(stats: Stats): number | undefined {
  const supply = supplyOf(stats)
  return supply?.wallW ?? numberOf(stats.own.get('WALLPOWER')) ?? supply?.dcW
}

export function summaryOf(reply: unknown): Fields {
  const [summary] = section(reply, 'SUMMARY')
  if (!summary || Object.keys(summary).length === 0) throw new SdkError('DEVICE_BAD_REPLY', 'the summary is empty')
  return summary
}

/** MH/s of the first key that is there, as TH/s. */
export function rateOf(summary: Fields, ...keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const mhs = num(summary[key])
    if (mhs !== undefined && mhs >= 0) return Number((mhs / 1e6).toPrecision(12))
  }
  return undefined
}
