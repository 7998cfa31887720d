import { num } from '../kit/json.js'

export { count, defined } from '../kit/values.js'

/** Numbers of Whatsminers as they are written, in our form; what is a sentinel or not there is undefined. */

/** More than zero, where 0 stands for "not set" or "not known". */
export function above(value: unknown): number | undefined {
  const number = num(value)
  return number !== undefined && number > 0 ? number : undefined
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

const maxRpm = 60_000

export function rpm(value: unknown): number | undefined {
  const number = num(value)
  return number !== undefined && number >= 0 && number < maxRpm ? number : undefined
}

/** Below it a rate may be TH/s under an MH/s name: 0.01 TH/s is no rate of a working board or miner. */
export const ambiguousBelow = 1e4

/** Firmwares give MH/s with two decimals; without rounding, division would add noise behind them. */
export const toThs = (mhs: number) => Math.round(mhs * 100) / 1e8
