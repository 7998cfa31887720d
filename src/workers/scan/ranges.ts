import { SdkError } from '#model'

/** First and last address of a stretch, both in it, as numbers. */
export interface Stretch {
  readonly first: number
  readonly last: number
}

/** A scan tries at most so many addresses: a /16. */
export const maxAddresses = 65_536

/**
 * The addresses of CIDR (`10.0.0.0/22`), ranges (`10.0.0.10-10.0.0.60`, `10.0.0.10-60`) and single addresses: in order, without overlap.
 * Throws BAD_REQUEST naming the text that is none, TOO_LARGE beyond a /16 in all.
 */
export function parseRanges(texts: readonly string[]): Stretch[] {
  const merged: Stretch[] = []
  for (const stretch of texts.map(parseRange).sort((a, b) => a.first - b.first)) {
    const last = merged.at(-1)
    if (last && stretch.first <= last.last + 1) {
      merged[merged.length - 1] = { first: last.first, last: Math.max(last.last, stretch.last) }
    } else {
      merged.push(stretch)
    }
  }
  const count = countOf(merged)
  if (count > maxAddresses) {
    throw new SdkError('TOO_LARGE', `${count} addresses are too many for one scan; at most ${maxAddresses} (a /16)`)
  }
  return merged
}

export function countOf(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, { first, last }) => sum + last - first + 1, 0)
}

export function* addresses(stretches: readonly Stretch[]): Generator<string> {
  for (const { first, last } of stretches) for (let address = first; address <= last; address++) yield dotted(address)
}

function parseRange(text: string): Stretch {
  const trimmed = text.trim()
  const [from, to, ...more] = trimmed.split('-').map((part) => part.trim())
  const [base, bits, ...rest] = trimmed.split('/')
  if (more.length > 0 || rest.length > 0) throw notARange(text)
  if (bits !== undefined) return cidr(text, base!, bits)
  const first = numberOf(from!)
  if (first === undefined) throw notARange(text)
  if (to === undefined) return { first, last: first }
  const last = /^\d{1,3}$/.test(to) && Number(to) < 256 ? first - (first % 256) + Number(to) : numberOf(to)
  if (last === undefined) throw notARange(text)
  if (last < first) throw new SdkError('BAD_REQUEST', `${text} ends before it begins`)
  return { first, last }
}

function cidr(text: string, base: string, bits: string): Stretch {
  const address = numberOf(base)
  const prefix = /^\d{1,2}$/.test(bits) ? Number(bits) : Number.NaN
  if (address === undefined || !(prefix <= 32)) throw notARange(text)
  const size = 2 ** (32 - prefix)
  const first = address - (address % size)
  return { first, last: first + size - 1 }
}

function notARange(text: string): SdkError {
  return new SdkError('BAD_REQUEST', `${JSON.stringify(text.slice(0, 64))} is neither an address, a range nor a CIDR`)
}

function numberOf(text: string): number | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let value = 0
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
    value = value * 256 + Number(part)
  }
  return value
}

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
}
