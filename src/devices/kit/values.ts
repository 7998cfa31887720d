import { type Metric, measured, SdkError } from '#model'
import { type Fields, isObject, num, str } from './json.js'

export { defined } from '#model'

/** TH/s of one unit as the firmware names it; what is not hashes a second is not reported. */
const units: Readonly<Record<string, number>> = { H: 1e-12, KH: 1e-9, MH: 1e-6, GH: 1e-3, TH: 1, PH: 1e3 }
const defaultUnit = 'GH'
/** Beyond this no machine has boards or fans. */
export const maxParts = 16

/** The reply as an object; throws DEVICE_BAD_REPLY if it is none. */
export function object(reply: unknown, what: string): Fields {
  if (!isObject(reply)) throw new SdkError('DEVICE_BAD_REPLY', `${what} is no object`)
  return reply
}

export function rateReader(unit: unknown): (value: unknown) => number | undefined {
  const name = (str(unit) ?? defaultUnit).replace(/\/s$/i, '').toUpperCase()
  const factor = Object.hasOwn(units, name) ? units[name]! : undefined
  return (value) => {
    const number = num(value)
    return factor === undefined || number === undefined ? undefined : within('hashrateThs', tidy(number * factor))
  }
}

/** Without the digits that only the conversion made: 88422 GH/s is 88.422 TH/s. */
export function tidy(value: number): number {
  return Number(value.toPrecision(12))
}

export function within(metric: Metric, value: number | undefined): number | undefined {
  return measured(metric, value)
}

/** Nothing is counted below 0 or beyond what a number holds exactly. */
export function count(value: unknown): number | undefined {
  const number = num(value)
  return number !== undefined && number >= 0 && number <= Number.MAX_SAFE_INTEGER ? number : undefined
}

export function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined
}

export function share(value: unknown): number | undefined {
  const part = num(value)
  return part === undefined ? undefined : within('hwErrorPct', tidy(part * 100))
}

/** 0, below and 255 are empty places, not temperatures. */
export function temperature(value: unknown): number | undefined {
  const celsius = num(value)
  return celsius !== undefined && celsius > 0 && celsius < 200 ? celsius : undefined
}

/** The places of a sensor list, `[34, 34, 42, 42]` or `"34-34-42-42"`; what measures nothing is undefined in its place. */
export function temperatures(value: unknown): (number | undefined)[] {
  const list = typeof value === 'string' ? value.slice(0, 64).split('-') : Array.isArray(value) ? value : []
  return list.slice(0, maxParts).map(temperature)
}

export function orElse(sensors: (number | undefined)[], single: unknown): (number | undefined)[] {
  return sensors.some((each) => each !== undefined) ? sensors : [temperature(single)]
}

/** Each fan in its place; a place without a number keeps it, so that the others keep theirs. */
export function rpms(list: readonly unknown[]): (number | undefined)[] {
  return list.slice(0, maxParts).map((rpm) => within('fanMaxRpm', num(rpm)))
}

export function mean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  if (known.length === 0) return undefined
  return Math.round((known.reduce((sum, value) => sum + value, 0) / known.length) * 100) / 100
}

export function highest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

export function lowest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

/** `AA:BB:CC:DD:EE:FF` of any common spelling, also without separators; undefined for what is no address, or one of zeros. */
export function macOf(value: unknown): string | undefined {
  const digits =
    str(value)
      ?.toUpperCase()
      .replace(/[:\-.]/g, '') ?? ''
  if (!/^[0-9A-F]{12}$/.test(digits) || /^0+$/.test(digits)) return undefined
  return digits.match(/../g)!.join(':')
}

/** A short text of the vendor, for a message; what is no text is undefined. */
export function words(value: unknown, length = 200): string | undefined {
  return str(value)?.replace(/\s+/g, ' ').slice(0, length)
}

/** Its value, or undefined where a stranger's answer cannot be taken. */
export function attempt<T>(take: () => T): T | undefined {
  try {
    return take()
  } catch {
    return undefined
  }
}
