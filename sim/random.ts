/**
 * Chance without state: every number follows from a seed and a place (a time, a count), so that reading a miner often or seldom
 * makes no difference, and the same seed gives the same site.
 */

/** 0 <= x < 1, the same for the same pair (32-bit integer mixing, multiply and xor-shift). */
export function chance(seed: number, place: number): number {
  let h = (seed ^ Math.imul(place | 0, 0x9e3779b1)) | 0
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad)
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97)
  return ((h ^ (h >>> 15)) >>> 0) / 0x1_0000_0000
}

/** A smooth wander between -1 and 1 that takes about `period` to change its mind. */
export function wander(seed: number, at: number, period: number): number {
  const x = at / period
  const step = Math.floor(x)
  const part = x - step
  const ease = part * part * (3 - 2 * part)
  const from = chance(seed, step)
  return (from + (chance(seed, step + 1) - from) * ease) * 2 - 1
}

/**
 * How many arrivals a process with so many expected ones had: one in each unit of expectation, at a random place in it. Never falls
 * when `expected` grows, and its mean is right.
 */
export function arrivals(seed: number, expected: number): number {
  if (expected <= 0) return 0
  const whole = Math.floor(expected)
  return whole + (expected - whole >= chance(seed, whole) ? 1 : 0)
}

/** How much expectation ago the last arrival was; undefined before the first. */
export function sinceArrival(seed: number, expected: number): number | undefined {
  if (arrivals(seed, expected) === 0) return undefined
  const whole = Math.floor(expected)
  const last = whole + chance(seed, whole)
  return last <= expected ? expected - last : expected - (whole - 1 + chance(seed, whole - 1))
}

/** A sequence of numbers 0 <= x < 1 for what is drawn once (names, serials, the order of faults). */
export function sequence(seed: number): () => number {
  let place = 0
  return () => chance(seed, place++)
}

/** So many letters of the alphabet, drawn. */
export function letters(next: () => number, count: number, alphabet: string): string {
  return Array.from({ length: count }, () => alphabet[Math.floor(next() * alphabet.length)]).join('')
}
