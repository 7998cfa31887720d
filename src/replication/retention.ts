import { type Day, keptFrom, type Progress, type SegmentSpan } from './directory.js'
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
    const { spans } = history
    const newest = spans.at(-1)
    if (!newest || !isDone(history, volume)) return false
    const later = newest.segment - (volume + 1) * rawSpan
    const ends = spans.filter(({ segment }) => volumeOf(segment) === volume).map(({ to }) => to)
    const last = ends.sort((a, b) => a - b)[Math.floor(ends.length * nearlyAll)] ?? 0
    return later * this.#segmentMs >= ageMs && last < newest.to - ageMs
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
