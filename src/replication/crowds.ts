import { type Kind, SdkError } from '#model'
import { readChunk } from './chunk.js'
import { crowdColumns, rowsOf } from './crowd.js'
import { keptFrom } from './directory.js'
import { keys, type Patience, rawName, tierName, under, volumeOf } from './layout.js'
import { hasRollups, type Sources, sayLost } from './shelves.js'
import { Turns } from './turns.js'
import { type CrowdQuery, type CrowdRow, type Span, stepMs } from './types.js'

/** A table with groups of devices, and of which volumes or segments they are wanted. */
interface Wanted {
  readonly name: string
  readonly length: number | undefined
  readonly spans: Map<number, Span>
}

/**
 * What groups of devices made together, of all of these feeds; what cannot be read is said with `missed`. Undefined if there is history of a
 * time from before groups were kept. Where a moment stands in two segments, that with more samples of it counts.
 */
export async function readCrowds(all: readonly Sources[], query: CrowdQuery): Promise<CrowdRow[] | undefined> {
  const found = new Map<string, CrowdRow>()
  const turns = new Turns()
  const put = (row: CrowdRow) => {
    const place = `${row.start}/${row.kind}/${row.key}`
    const known = found.get(place)
    if (!known || row.samples > known.samples) found.set(place, row)
  }
  for (const sources of all) {
    const wanted = wantedOf(sources, query)
    if (!wanted) return undefined
    for (const day of sources.days) if (day.to >= query.from && day.from <= query.to) sayLost(day, sources.missed)
    for (const table of wanted) {
      try {
        await readTable(sources, table, query, put)
        if (table.spans.size > 0) return undefined
      } catch (error) {
        if (error instanceof SdkError && error.code !== 'STORE_FAILED') throw error
        sources.missed([...table.spans.values()], error)
      }
    }
    for (const { crowd, from, to } of sources.segments) {
      // An interval begins before its first sample.
      if (to < query.from || from - stepMs['5m'] > query.to) continue
      for (const { name, samples } of await turns.all(crowd.tables())) {
        if (name.by !== query.by) continue
        const columns = new Map([
          ['#at', samples.at],
          ...samples.columns.map(({ name, values }) => [name, values] as const),
        ])
        rowsOf({ rows: samples.at.length, columns }, name, query).forEach(put)
      }
    }
  }
  return [...found.values()]
}

/** Undefined if of some of the time there are only roll-ups by device. */
function wantedOf({ days, spans, progress, segments }: Sources, { from, to }: CrowdQuery): Wanted[] | undefined {
  const tables = new Map<string, Wanted>()
  const want = (name: string, number: number, length: number | undefined, span: Span) => {
    const known = tables.get(name)
    const spans = known?.spans ?? new Map<number, Span>()
    spans.set(number, { from: span.from, to: span.to })
    tables.set(name, { name, spans, length: Math.max(length ?? 0, known?.length ?? 0) })
  }
  for (const day of days)
    if (day.devices > 0 && day.to >= from && day.from <= to)
      want(tierName('1h', day.volume), day.volume, day.hours, day)
  const inDays = new Set(days.map(({ volume }) => volume))
  const inMemory = new Set(segments.filter(({ samples }) => samples > 0).map(({ number }) => number))
  for (const span of spans) {
    const volume = volumeOf(span.segment)
    if (span.to < from || span.from > to || inMemory.has(span.segment) || inDays.has(volume)) continue
    if (progress && volume < keptFrom(progress, 'raw')) {
      if (hasRollups(span)) return undefined
      continue
    }
    want(rawName(span.segment, span.table), span.segment, span.raw, span)
  }
  return [...tables.values()]
}

/** What was found is no longer wanted. */
async function readTable(
  { volumes, reach, patience = { wait: false } }: Sources,
  { name, length, spans }: Wanted,
  query: CrowdQuery,
  put: (row: CrowdRow) => void,
): Promise<void> {
  const prefix = keys.crowdsBy(query.by)
  const columns = crowdColumns(query.metrics)
  const read = new Set<number>()
  await volumes.with(name, async (table) => {
    if (reach && length) await reach(table.core, length)
    for await (const { key, value } of table.createReadStream(under(prefix), patience satisfies Patience)) {
      const [kind = '', group = '', number = ''] = key.slice(prefix.length).split('/')
      if (!spans.has(Number(number))) continue
      read.add(Number(number))
      const of = { kind: kind as Kind, key: decodeURIComponent(group) }
      rowsOf(readChunk(value, columns), of, query).forEach(put)
    }
  })
  for (const number of read) spans.delete(number)
}
