import { type Event, SdkError } from '#model'
import { readCrowds } from './crowds.js'
import { readHistory } from './history.js'
import type { Sources } from './shelves.js'
import type { CrowdQuery, Crowds, EventQuery, HistoryQuery, Series, Span } from './types.js'

type Setting = { at: number; settings: unknown }

/** One feed of a worker: its newest, or one that it had to leave behind. `missed` is called for what is not here and with nobody. */
export interface Part {
  /** Changes with where things are: what was missed may be found where it is now. */
  readonly version: number
  sources(missed: (spans: readonly Span[]) => void): Sources
  events(query: EventQuery, missed: () => void): Promise<Event[]>
  settings(deviceId: string, limit: number | undefined, missed: () => void): Promise<Setting[]>
}

const defaultEvents = 100
const maxEvents = 1000

/** What was moved while it was read is read anew, so often at most. */
const maxReadings = 3

export async function historyOf(parts: readonly Part[], query: HistoryQuery, intervalMs: number): Promise<Series> {
  for (let reading = 1; ; reading++) {
    const versions = parts.map(({ version }) => version)
    const missing: Span[] = []
    const sources = parts.map((each) => each.sources((spans) => missing.push(...spans)))
    const series = await readHistory(sources, query, intervalMs)
    if (missing.length === 0) return series
    const moved = parts.some(({ version }, index) => version !== versions[index])
    if (!moved || reading === maxReadings) return { ...series, missing: joined(missing, query) }
  }
}

export function crowdsOf(parts: readonly Part[], query: CrowdQuery): Promise<Crowds | undefined> {
  return readCrowds(
    parts.map((each) => each.sources(() => undefined)),
    query,
  )
}

/** Newest first. Where the list ends because older ones are with nobody, its last event says so. */
export async function eventsOf(
  parts: readonly Part[],
  query: EventQuery,
  { worker, now }: { worker: string; now: number },
): Promise<Event[]> {
  let missed = false
  const note = () => {
    missed = true
  }
  const lists = await Promise.all(parts.map((each) => each.events(query, note)))
  const limit = Math.min(Math.max(0, query.limit ?? defaultEvents), maxEvents)
  const found = newestFirst(lists, limit)
  if (!missed || found.length >= limit) return found
  const at = found.at(-1)?.at ?? Math.min(query.to ?? now, now)
  const message = `Older events of ${worker} are not here, and nobody who has them can be reached.`
  return [...found, { at, type: 'service', message, data: { missing: true, worker } }]
}

/** Newest first. Throws UNAVAILABLE if there may be some with others, and none is here. */
export async function settingsOf(
  parts: readonly Part[],
  deviceId: string,
  limit: number | undefined,
  worker: string,
): Promise<Setting[]> {
  let missed = false
  const note = () => {
    missed = true
  }
  const lists = await Promise.all(parts.map((each) => each.settings(deviceId, limit, note)))
  const found = newestFirst(lists, limit)
  if (found.length > 0 || !missed) return found
  throw new SdkError(
    'UNAVAILABLE',
    `the settings are not here, and nobody who has the feed of ${worker} can be reached`,
  )
}

/** Each list is newest first already; the sort keeps the order of what is of the same moment. */
function newestFirst<T extends { at: number }>(lists: readonly (readonly T[])[], limit?: number): T[] {
  const found = lists.length === 1 ? [...lists[0]!] : lists.flat().sort((a, b) => b.at - a.at)
  return limit === undefined ? found : found.slice(0, limit)
}

/** Within what was asked, in order, without overlaps. */
function joined(spans: readonly Span[], { from, to }: Span): Span[] {
  const all: { from: number; to: number }[] = []
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = all.at(-1)
    if (last && span.from <= last.to) last.to = Math.max(last.to, span.to)
    else all.push({ ...span })
  }
  return all
    .map((span) => ({ from: Math.max(span.from, from), to: Math.min(span.to, to) }))
    .filter((span) => span.from <= span.to)
}
