import type Hypercore from 'hypercore'
import { type Metric, SdkError } from '#model'
import { damaged } from './bytes.js'
import { readChunk, readRollup } from './chunk.js'
import { type Day, keptFrom, type Progress, type SegmentSpan } from './directory.js'
import { keys, type Patience, rawName, rollupName, type Tier, tierName, volumeOf } from './layout.js'
import { rollupMs, tierColumns } from './rollup.js'
import type { Segment } from './segment.js'
import type { SortedLogs } from './sorted.js'
import type { Table } from './table.js'
import { type Span, stepMs } from './types.js'
import type { Volumes } from './volumes.js'

/** Where the samples of a device are: days and chunks on disk, and what is still in the journal in memory. */
export interface Sources {
  readonly volumes: Volumes
  readonly sorted: SortedLogs
  readonly spans: readonly SegmentSpan[]
  /** Those that can be read instead of the chunks of their segments. */
  readonly days: readonly Day[]
  readonly progress: Progress | undefined
  readonly segments: readonly Segment[]
  /** For chunks; default is not to wait. */
  readonly patience?: Patience
  /** Resolves when a log is known to be as long as that; throws if it does not come to it. */
  readonly reach?: (log: Hypercore, length: number) => Promise<void>
  /** What was stored of these times cannot be read now. */
  readonly missed: (spans: readonly Span[], error: unknown) => void
}

interface Wanted extends Span {
  readonly deviceId: string
  readonly metrics: readonly Metric[]
  /** ms; 0: every sample. */
  readonly step: number
}

/** What a table holds: samples, intervals of a tier, or a roll-up of format 2. */
type Kind = 'raw' | 'tier' | 'old'
type Visit = (table: Table, kind: Kind) => void

/** Coarsest first: with each, the longest of its intervals that fits a step. */
const byLength: readonly { tier: Tier; ms: number }[] = [
  { tier: '1h', ms: stepMs['1h'] },
  { tier: '5m', ms: stepMs['5m'] },
  { tier: '1m', ms: stepMs['1m'] },
  { tier: 'raw', ms: 0 },
]

/**
 * Shows what there is of a device that overlaps the span, oldest first, at the coarsest tier that the step allows; not those of segments
 * that were read from memory. What is damaged, or not here, is said with `missed`, and the rest is shown. Throws STORE_NEWER.
 */
export async function eachTable(
  sources: Sources,
  wanted: Wanted,
  inMemory: readonly Segment[],
  visit: Visit,
): Promise<void> {
  const { from, to, step } = wanted
  const inDays = new Set(sources.days.map(({ volume }) => volume))
  for (const day of [...sources.days].sort((a, b) => a.volume - b.volume)) {
    // An interval begins before its first sample.
    if (day.devices > 0 && day.to >= from - step && day.from <= to) await readDay(sources, wanted, day, visit)
  }
  const read = new Set(inMemory.map(({ number }) => number))
  const lead = Math.max(step, rollupMs)
  const there = sources.spans.filter(
    (span) =>
      span.to >= from - lead && span.from <= to && !read.has(span.segment) && !inDays.has(volumeOf(span.segment)),
  )
  const rawFrom = sources.progress ? keptFrom(sources.progress, 'raw') : 0
  const old = step >= rollupMs ? there.filter((span) => volumeOf(span.segment) < rawFrom && hasRollups(span)) : []
  await readSegments(sources, wanted, old, 'old', visit)
  await readSegments(
    sources,
    wanted,
    there.filter(({ segment }) => volumeOf(segment) >= rawFrom),
    'raw',
    visit,
  )
}

/** Of a day that was put together from what could be read: something of it is missing, nobody knows whose. */
export function sayLost(day: Day, missed: Sources['missed']): void {
  if (day.lost !== undefined) missed([day], damaged(`${day.lost} of its blocks are lost`))
}

/** Of a segment that stands in a day only the day has them. */
export function hasRollups({ raw, rollup }: SegmentSpan): boolean {
  return rollup !== undefined || raw === undefined
}

async function readDay(sources: Sources, { deviceId, metrics, step }: Wanted, day: Day, visit: Visit): Promise<void> {
  const { progress, patience = { wait: false }, reach, sorted, volumes, missed } = sources
  const kept = byLength.find(({ tier, ms }) => ms <= step && (!progress || day.volume >= keptFrom(progress, tier)))
  if (!kept) return
  const { tier } = kept
  sayLost(day, missed)
  const name = tierName(tier, day.volume)
  try {
    const bytes =
      tier === '1h'
        ? await volumes.with(name, async (volume) => {
            if (reach) await reach(volume.core, day.hours)
            return (await volume.get(keys.chunk(deviceId, day.volume), patience))?.value
          })
        : await sorted.get(name, day.devices, deviceId, { patience, reach })
    if (!bytes) return
    if (tier === 'raw') visit(readChunk(bytes, metrics), 'raw')
    else visit(readChunk(bytes, [...new Set(metrics.flatMap(tierColumns))]), 'tier')
  } catch (error) {
    passOver(error, () => missed([{ from: day.from, to: day.to }], error))
  }
}

/** Chunks of segments that are in no day yet. */
async function readSegments(
  { volumes, patience = { wait: false }, reach, missed }: Sources,
  { deviceId, metrics }: Wanted,
  spans: readonly SegmentSpan[],
  kind: 'raw' | 'old',
  visit: Visit,
): Promise<void> {
  const byVolume = new Map<string, SegmentSpan[]>()
  for (const span of spans) {
    const name = kind === 'raw' ? rawName(span.segment, span.table) : rollupName(span.segment)
    byVolume.set(name, [...(byVolume.get(name) ?? []), span])
  }
  for (const [name, inVolume] of byVolume) {
    const left = new Map(inVolume.map((span) => [span.segment, span]))
    const range = {
      gte: keys.chunk(deviceId, inVolume[0]!.segment),
      lte: keys.chunk(deviceId, inVolume.at(-1)!.segment),
    }
    try {
      await volumes.with(name, async (volume) => {
        const length = inVolume.at(-1)![kind === 'raw' ? 'raw' : 'rollup']
        if (reach && length !== undefined) await reach(volume.core, length)
        for await (const { key, value } of volume.createReadStream(range, patience)) {
          const span = left.get(Number(key.slice(-9)))
          if (!span) continue
          left.delete(span.segment)
          try {
            visit(kind === 'raw' ? readChunk(value, metrics) : readRollup(value, metrics), kind)
          } catch (error) {
            passOver(error, () => missed([span], error))
          }
        }
      })
    } catch (error) {
      passOver(error, () => missed([...left.values()], error))
    }
  }
}

/** A damaged or absent block is a gap that is said; what the caller must know is thrown on. */
function passOver(error: unknown, said: () => void): void {
  if (error instanceof SdkError && error.code !== 'STORE_FAILED') throw error
  said()
}
