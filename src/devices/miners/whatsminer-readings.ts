import type { PowerMode, Tuning } from '#model'
import { bool, type Fields, num, str } from '../kit/json.js'
import { above, ambiguousBelow, defined, toThs } from './whatsminer-values.js'

/** The replies of API v1 and v2 in our units (protocols/whatsminer.md §1.4). Pure; what is not there is undefined, never 0. */

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

const modes: Readonly<Record<string, PowerMode>> = { low: 'low', normal: 'normal', high: 'high' }

export function powerMode(value: unknown): PowerMode | undefined {
  return modes[str(value)?.toLowerCase() ?? '']
}

export function tuningOf(summary: Fields, status: Fields | undefined, devs: readonly Fields[] | undefined): Tuning {
  const isTuning = tuningNow(summary, devs)
  return defined({
    mode: powerMode(summary['Power Mode']) ?? powerMode(status?.power_mode),
    targetW: above(summary['Power Limit']) ?? above(status?.power_limit_set),
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
