import { type Event, SdkError } from '#model'
import { readCrowds } from './crowds.js'
import { readHistory } from './history.js'
import { Misses } from './missing.js'
import type { Sources } from './shelves.js'
import type { CrowdQuery, Crowds, EventQuery, HistoryQuery, Missing, Reader, Series, Span } from './types.js'

type Setting = { at: number; settings: unknown }
/** Whose feeds are read. */
type Of = Pick<Reader, 'worker' | 'site' | 'intervalMs'>

/** One feed of a worker: its newest, or one that it had to leave behind. `missed` is called for what is not here and with nobody. */
export interface Part {
  /** Changes with where things are: what was missed may be found where it is now. */
  readonly version: number
  sources(missed: (spans: readonly Span[], error: unknown) => void): Sources
  events(query: EventQuery, missed: () => void): Promise<Event[]>
  settings(deviceId: string, limit: number | undefined, missed: () => void): Promise<Setting[]>
}

const defaultEvents = 100
const maxEvents = 1000

/** What was moved while it was read is read anew, so often at most. */
const maxReadings = 3

export async function historyOf(parts: readonly Part[], query: HistoryQuery, of: Of): Promise<Series> {
  const { found, missing } = await readWhole(parts, query, of, (sources) => readHistory(sources, query, of.intervalMs))
  return missing.length === 0 ? found : { ...found, missing }
}

export async function crowdsOf(parts: readonly Part[], query: CrowdQuery, of: Of): Promise<Crowds | undefined> {
  const { found, missing } = await readWhole(parts, query, of, (sources) => readCrowds(sources, query))
  return found && { rows: found, missing }
}

async function readWhole<T>(
  parts: readonly Part[],
  span: Span,
  of: Of,
  read: (sources: Sources[]) => Promise<T>,
): Promise<{ found: T; missing: Missing[] }> {
  for (let reading = 1; ; reading++) {
    const versions = parts.map(({ version }) => version)
    const misses = new Misses(of)
    const found = await read(parts.map((each) => each.sources((spans, error) => misses.add(spans, error))))
    const missing = misses.within(span)
    const moved = parts.some(({ version }, index) => version !== versions[index])
    if (missing.length === 0 || !moved || reading === maxReadings) return { found, missing }
  }
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
