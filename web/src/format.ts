/** Values as people read them. Missing is a dash, never 0; a measured zero is 0. All times are ms since the epoch. */
export const none = '—'

/** A number and its unit, apart, so that the unit can be set smaller. */
export interface Quantity {
  value: string
  unit: string
}

type Maybe = number | null | undefined

const known = (value: Maybe): value is number => value !== null && value !== undefined && Number.isFinite(value)

/** About three significant digits, grouped by thin spaces: 5.42, 71.5, 205, 12 040. */
export function digits(value: number): string {
  const size = Math.abs(value)
  const decimals = value === 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2
  return grouped(value.toFixed(decimals))
}

export function integer(value: Maybe): string {
  return known(value) ? grouped(Math.round(value).toString()) : none
}

function grouped(text: string): string {
  const [whole = '', fraction] = text.split('.')
  const spaced = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, '\u2009') : whole
  return fraction === undefined ? spaced : `${spaced}.${fraction}`
}

/** The largest unit of the ladder in which the value is at least 1; the smallest one below. */
function scaled(value: Maybe, ladder: readonly (readonly [number, string])[]): Quantity {
  if (!known(value)) return { value: none, unit: '' }
  const smallest = ladder[ladder.length - 1]!
  const zero = ladder.find(([factor]) => factor === 1) ?? smallest
  const [factor, unit] = value === 0 ? zero : (ladder.find(([step]) => Math.abs(value) >= step * 0.9995) ?? smallest)
  return { value: digits(value / factor), unit }
}

const hashrateUnits = [
  [1e6, 'EH/s'],
  [1e3, 'PH/s'],
  [1, 'TH/s'],
  [1e-3, 'GH/s'],
  [1e-6, 'MH/s'],
] as const
const powerUnits = [
  [1e9, 'GW'],
  [1e6, 'MW'],
  [1e3, 'kW'],
  [1, 'W'],
] as const

export const hashrate = (ths: Maybe): Quantity => scaled(ths, hashrateUnits)
export const power = (watts: Maybe): Quantity => scaled(watts, powerUnits)
export const efficiency = (jth: Maybe): Quantity =>
  known(jth) ? { value: digits(jth), unit: 'J/TH' } : { value: none, unit: '' }
export const temperature = (celsius: Maybe): Quantity =>
  known(celsius) ? { value: celsius.toFixed(1), unit: '°C' } : { value: none, unit: '' }

/** Any metric of the vocabulary by its unit. */
export function quantity(value: Maybe, unit: string): Quantity {
  if (!known(value)) return { value: none, unit: '' }
  if (unit === 'TH/s') return hashrate(value)
  if (unit === 'W') return power(value)
  if (unit === '°C') return temperature(value)
  if (unit === 's') return { value: duration(value * 1000), unit: '' }
  if (unit === '1') return { value: integer(value), unit: '' }
  return { value: digits(value), unit }
}

export const text = ({ value, unit }: Quantity): string => (unit ? `${value} ${unit}` : value)

/** The share in percent, or undefined if one of them is not known or the whole is nothing. */
export function share(part: Maybe, whole: Maybe): number | undefined {
  return known(part) && known(whole) && whole > 0 ? (part / whole) * 100 : undefined
}

export const percent = (value: Maybe): string =>
  known(value) ? `${value >= 99.95 || value === 0 ? value.toFixed(0) : value.toFixed(1)} %` : none

const spans = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
] as const

/** One unit: `3 s`, `5 min`, `2 h`, `9 d`. Negative (a clock ahead of ours) counts as 0. */
export function age(ms: Maybe): string {
  if (!known(ms)) return none
  const [size, unit] = spans.find(([step]) => ms >= step) ?? [1000, 's']
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`
}

/** Two units: `3 d 4 h`, `12 min 5 s`. */
export function duration(ms: Maybe): string {
  if (!known(ms)) return none
  const at = spans.findIndex(([step]) => ms >= step)
  if (at < 0) return `${Math.max(0, Math.floor(ms / 1000))} s`
  const [size, unit] = spans[at]!
  const whole = Math.floor(ms / size)
  const next = spans[at + 1]
  const rest = next ? Math.floor((ms - whole * size) / next[0]) : 0
  return next && rest > 0 ? `${whole} ${unit} ${rest} ${next[1]}` : `${whole} ${unit}`
}

const two = (value: number) => String(value).padStart(2, '0')

/** Local time: the hour today, with the date on other days. */
export function time(at: Maybe, now: number): string {
  if (!known(at)) return none
  const date = new Date(at)
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return date.toDateString() === new Date(now).toDateString() ? clock : `${day} ${clock}`
}

/** The same moment in UTC, for the hover text. */
export const utc = (at: Maybe): string =>
  known(at) ? `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC` : ''

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${integer(count)} ${count === 1 ? one : many}`

/** Of whose feeds a part could not be read; '' if all could. */
export function incomplete(missing: readonly { readonly worker: string }[] = []): string {
  const workers = [...new Set(missing.map(({ worker }) => worker))]
  return workers.length === 0 ? '' : `Incomplete: part of what ${workers.join(', ')} stored cannot be read now.`
}
