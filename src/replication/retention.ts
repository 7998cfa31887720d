import { type Day, type Directory, keptFrom, type Progress, type SegmentSpan } from './directory.js'
import { rawSpan, type Tier, tiers, volumeOf } from './layout.js'
import type { KeepTiers } from './types.js'

const dayMs = 86_400_000
const nearlyAll = 0.9

export const defaultKeep: KeepTiers = {
  raw: { ageMs: 14 * dayMs },
  '1m': { ageMs: 90 * dayMs },
  '5m': { ageMs: 365 * dayMs },
}

export interface History {
  readonly progress: Progress
  readonly spans: readonly SegmentSpan[]
  readonly days: ReadonlyMap<number, Day>
  readonly bytes: Readonly<Record<Tier, number>>
  /** Volumes that could not be put together. */
  readonly givenUp: { has(volume: number): boolean }
}

/** What was stored in feeds that are newer than one: until when, in how many segments, and how much of each tier is kept of it. */
export interface Stored {
  readonly to: number
  readonly segments: number
  readonly bytes: Readonly<Record<Tier, number>>
}

export function storedIn({ progress, spans, days }: Pick<Directory, 'progress' | 'spans' | 'days'>): Stored {
  const bytes = { raw: 0, '1m': 0, '5m': 0, '1h': 0 }
  for (const day of days.values())
    for (const tier of tiers) if (progress && day.volume >= keptFrom(progress, tier)) bytes[tier] += day.bytes[tier]
  const last = spans.at(-1)
  return { to: last?.to ?? Number.NEGATIVE_INFINITY, segments: last ? last.segment + 1 : 0, bytes }
}

/** Of two feeds. */
export function together(one: Stored, other: Stored): Stored {
  const bytes = { ...one.bytes }
  for (const tier of tiers) bytes[tier] += other.bytes[tier]
  return { to: Math.max(one.to, other.to), segments: one.segments + other.segments, bytes }
}

/** Which tier of which day is dropped next: what is older than it is kept, or more than there is room for. */
export class Retention {
  readonly #keep: KeepTiers
  readonly #segmentMs: number

  constructor(keep: KeepTiers, segmentMs: number) {
    this.#keep = { ...defaultKeep, ...keep }
    this.#segmentMs = segmentMs
  }

  /** The tier whose oldest day goes by itself. The newest day always stays. */
  next(history: History): Tier | undefined {
    return tiers.find((tier) => this.#isOver(history, tier))
  }

  /** That of these whose oldest day goes because the disk is nearly full. */
  yielding(history: History, givingWay: readonly Tier[]): Tier | undefined {
    return givingWay.find((tier) => isNotNewest(history, tier))
  }

  #isOver(history: History, tier: Tier): boolean {
    const { ageMs, bytes } = this.#keep[tier] ?? {}
    if (bytes !== undefined && history.bytes[tier] > bytes && isNotNewest(history, tier)) return true
    return ageMs !== undefined && this.#isTooOld(history, keptFrom(history.progress, tier), ageMs)
  }

  /**
   * By the times of nearly all of its samples, and by how much was stored after it: a clock that was wrong for a moment neither drops anything
   * nor keeps it for ever. Roll-ups come with the day: before it is put together nothing goes.
   */
  #isTooOld(history: History, volume: number, ageMs: number): boolean {
    const newest = history.spans.at(-1)
    if (!newest || !isDone(history, volume)) return false
    return this.#isOld(history.spans, volume, ageMs, { to: newest.to, segments: newest.segment })
  }

  /** `newest`: when and in which segment the newest was stored. */
  #isOld(spans: readonly SegmentSpan[], volume: number, ageMs: number, newest: Omit<Stored, 'bytes'>): boolean {
    const later = newest.segments - (volume + 1) * rawSpan
    const ends = spans.filter(({ segment }) => volumeOf(segment) === volume).map(({ to }) => to)
    const last = ends.sort((a, b) => a - b)[Math.floor(ends.length * nearlyAll)] ?? 0
    return later * this.#segmentMs >= ageMs && last < newest.to - ageMs
  }

  /**
   * From where on a feed is kept that was written before others. What stands at its end and was never put together has no roll-ups, and
   * stays.
   */
  inEarlier({ progress, spans, days }: Directory, newer: Stored): Progress | undefined {
    const last = spans.at(-1)
    if (!progress || !last) return progress
    const newest = { to: Math.max(last.to, newer.to), segments: last.segment + newer.segments }
    // The newest day of all stays.
    const end = Math.max(-1, ...days.keys()) - (newer.bytes.raw > 0 ? 0 : 1)
    const from = (tier: Tier) => {
      const { ageMs, bytes = Number.POSITIVE_INFINITY } = this.#keep[tier] ?? {}
      let first = keptFrom(progress, tier)
      let kept = newer.bytes[tier]
      for (const { volume, bytes } of days.values()) if (volume >= first) kept += bytes[tier]
      for (; first <= end; first++) {
        if (kept <= bytes && !(ageMs !== undefined && this.#isOld(spans, first, ageMs, newest))) break
        kept -= days.get(first)?.bytes[tier] ?? 0
      }
      return first
    }
    return { ...progress, rawFrom: from('raw'), from: { '1m': from('1m'), '5m': from('5m'), '1h': from('1h') } }
  }
}

function isNotNewest(history: History, tier: Tier): boolean {
  const oldest = keptFrom(history.progress, tier)
  return isDone(history, oldest) && [...history.days.keys()].some((volume) => volume > oldest)
}

/** It is put together, or never will be. */
function isDone({ days, givenUp, progress }: History, volume: number): boolean {
  return days.has(volume) || givenUp.has(volume) || volume < progress.rawFrom
}
