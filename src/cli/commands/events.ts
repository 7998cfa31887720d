import type { Event } from '#model'
import { type Call, type CliCommand, text } from '../command.js'
import { exit } from '../failure.js'
import type { Column, Output } from '../output.js'
import type { SiteClient } from '../site-client.js'
import { pause } from './pause.js'

const columns: readonly Column<Event>[] = [
  { title: 'time', get: ({ at }) => new Date(at).toISOString() },
  { title: 'type', get: ({ type }) => type },
  { title: 'device', get: ({ deviceId }) => deviceId },
  { title: 'what happened', get: ({ message }) => message },
]

export const events: CliCommand = {
  usage: '[id]',
  summary: 'what happened, newest first; to one device, or to all',
  options: [
    ['--from <time>', 'ISO time, ms, or relative like -24h (default: however old)'],
    ['--to <time>', 'default: now'],
    ['--limit <n>', 'so many at most, up to 1000 (default 100)'],
    ['--follow', 'oldest first, and then each as it comes; Ctrl-C ends it. With --json, a line each'],
  ],
  async run({ args, options, out, site, signal }) {
    const client = await site()
    const [id] = args
    const path = id === undefined ? '/api/v1/events' : `/api/v1/devices/${encodeURIComponent(id)}/events`
    const query = Object.fromEntries(['from', 'to', 'limit'].map((key) => [key, text(options, key)]))
    // First, so that what comes between the two is not taken for told.
    const recent = options.follow === true ? await eventsOf(client, path, window) : undefined
    const found = await eventsOf(client, path, query)
    if (recent) return follow(recent, found.reverse(), { client, path, out, signal })
    if (found.length === 0 && !out.json) out.note('Nothing that was asked for has happened.')
    else out.table(found, columns)
    return exit.ok
  },
}

async function eventsOf(client: SiteClient, path: string, query: Record<string, string | number | undefined>) {
  return (await client.get<{ data: Event[] }>(path, query)).data
}

const everyMs = 2000
/** What is looked at again and again, by the clock of the site: some of it comes late, with feeds that were away for a moment. */
const window = { from: '-1m', limit: 1000 }

interface Following extends Pick<Call, 'out' | 'signal'> {
  readonly client: SiteClient
  readonly path: string
}

async function follow(
  recent: readonly Event[],
  first: readonly Event[],
  { client, path, out, signal }: Following,
): Promise<number> {
  let told = new Set([...recent, ...first].map(keyOf))
  for (const event of first) line(out, event)
  while (await waited(signal)) {
    const events = await eventsOf(client, path, window)
    for (const event of events.toReversed()) if (!told.has(keyOf(event))) line(out, event)
    told = new Set(events.map(keyOf))
  }
  return exit.ok
}

const keyOf = (event: Event) => JSON.stringify(event)

function line(out: Output, event: Event): void {
  out.line(out.json ? JSON.stringify(event) : columns.map(({ get }) => get(event) ?? '—').join('  '))
}

/** False if the person ended it: that is how following ends. */
function waited(signal: AbortSignal): Promise<boolean> {
  return pause(everyMs, signal).then(
    () => true,
    () => false,
  )
}
