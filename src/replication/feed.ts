import type { Event } from '#model'
import { between, keys, type Main, type Patience, under } from './layout.js'
import type { Segment } from './segment.js'
import type { EventQuery } from './types.js'

const defaultEvents = 100
const maxEvents = 1000
const defaultSettings = 20
const maxSettings = 1000

const originDigits = 12

/** Events that come with the inventory stand in `main` at once; its version tells them from those of the journal and from each other. */
export function eventPuts(main: Main, events: readonly Event[]): [string, unknown][] {
  return events.flatMap((event, index): [string, unknown][] => {
    const origin = `m${String(main.version).padStart(originDigits, '0')}.${String(index).padStart(6, '0')}`
    const puts: [string, unknown][] = [[keys.event(event.at, origin), event]]
    if (event.deviceId !== undefined) puts.push([keys.deviceEvent(event.deviceId, event.at, origin), event])
    return puts
  })
}

/** How to read where not everything may be here. `missed`: what follows of the table cannot be read; what was found is answered. */
interface Sparse {
  patience?: Patience
  missed?: (error: unknown) => void
}

function rethrow(error: unknown): never {
  throw error
}

/** Newest first: those that wait in the journal and those in their table, each once. */
export async function readEvents(
  main: Main,
  segments: readonly Segment[],
  query: EventQuery,
  { patience = {}, missed = rethrow }: Sparse = {},
): Promise<Event[]> {
  const { deviceId, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = query
  const limit = Math.min(Math.max(0, query.limit ?? defaultEvents), maxEvents)
  const found = new Map<string, Event>()
  for (const { events } of segments) {
    for (const { origin, value } of events) {
      const asked = (deviceId === undefined || value.deviceId === deviceId) && value.at >= from && value.at <= to
      if (asked) found.set(keys.event(value.at, origin), value)
    }
  }
  const prefix = deviceId === undefined ? keys.events : keys.deviceEvents(deviceId)
  const stored = main.createReadStream(between(prefix, query.from, query.to), { reverse: true, limit, ...patience })
  try {
    for await (const { key, value } of stored) found.set(keys.events + key.slice(prefix.length), value as Event)
  } catch (error) {
    missed(error)
  }
  return newestFirst(found, limit)
}

/** Newest first. */
export async function readSettings(
  main: Main,
  segments: readonly Segment[],
  deviceId: string,
  limit = defaultSettings,
  { patience = {}, missed = rethrow }: Sparse = {},
) {
  const most = Math.min(Math.max(0, limit), maxSettings)
  const found = new Map<string, { at: number; settings: unknown }>()
  for (const { settings } of segments) {
    for (const { origin, value } of settings) {
      if (value.deviceId === deviceId)
        found.set(keys.setting(deviceId, value.at, origin), { at: value.at, settings: value.settings })
    }
  }
  const prefix = keys.settings(deviceId)
  try {
    for await (const { key, value } of main.createReadStream(under(prefix), {
      reverse: true,
      limit: most,
      ...patience,
    })) {
      found.set(key, value as { at: number; settings: unknown })
    }
  } catch (error) {
    missed(error)
  }
  return newestFirst(found, most)
}

function newestFirst<T>(found: ReadonlyMap<string, T>, limit: number): T[] {
  return [...found]
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .slice(0, limit)
    .map(([, value]) => value)
}
