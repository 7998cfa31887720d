import { type Clock, type ErrorCode, type Event, type Log, toSdkError } from '#model'
import type { Reader, RemoteReader } from '#replication'
import type { Client, FoldedEvent, registrar } from '#rpc'

/** Waiting to be written, one at a time; beyond it the oldest give way. */
const maxWaiting = 100
/** So far back a feed is read of which the record has nothing. */
const firstLookMs = 86_400_000
const pageSize = 1_000
const maxPages = 20
const maxKnown = 2_000

/** Trying again would not help. */
const refusals = new Set<ErrorCode>([
  'BAD_REQUEST',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'CONFLICT',
  'TOO_LARGE',
])

export interface FoldOptions {
  readers(): readonly Reader[]
  /** Whoever writes the record; undefined: nobody can be asked now. */
  write(): Client<(typeof registrar)['methods']> | undefined
  /** Whether the feed may say so: not of a device that is another site's. */
  maySay(reader: Reader, event: Event): boolean
  readonly clock: Clock
  readonly log: Log
}

export interface Fold {
  readonly counts: { readonly written: number; readonly refused: number; readonly waiting: number }
  /** Takes up what happened and writes at most one event. Never rejects. */
  pulse(): Promise<void>
  close(): void
}

interface Watched {
  stop(): void
  /** All of it was taken up: what comes is heard as it comes. */
  settled: boolean
  /** The newest of its events while that was so. */
  newest: number | undefined
}

/**
 * Folds what matters to all out of the feeds into the record, one event a pulse. Where it goes on with each worker the record itself says:
 * so what happens while no aggregator runs is not lost, and what another one has folded is not folded again.
 */
export function foldEvents({ readers, write, maySay, clock, log }: FoldOptions): Fold {
  const watched = new Map<Reader, Watched>()
  const counts = { written: 0, refused: 0 }
  /** Names of what is in the record, or waits, the oldest first. */
  const known = new Set<string>()
  /** The newest event of each worker that was in the record at first. */
  const inRecord = new Map<string, number>()
  let from: number | undefined
  let waiting: FoldedEvent[] = []

  const note = (one: FoldedEvent): boolean => {
    const name = nameOf(one)
    if (known.has(name)) return false
    known.add(name)
    for (const oldest of known) {
      if (known.size <= maxKnown) break
      known.delete(oldest)
    }
    return true
  }
  const take = (reader: Reader, events: readonly Event[]): number => {
    const { site, worker } = reader
    const fresh = events
      .filter((event) => mattersToAll(event) && maySay(reader, event))
      .map((event) => ({ site, worker, event }))
      .filter(note)
    if (fresh.length === 0) return 0
    waiting = [...waiting, ...fresh].sort((a, b) => a.event.at - b.event.at).slice(-maxWaiting)
    return fresh.length
  }

  /** What the record has: from there on it goes. */
  const begin = async (client: Client<(typeof registrar)['methods']>) => {
    const { events, more } = await client.foldedEvents({})
    const first = clock.now() - firstLookMs
    from = more ? Math.max(first, events.at(-1)?.event.at ?? first) : first
    for (const one of events.toReversed()) {
      note(one)
      inRecord.set(workerOf(one), one.event.at)
    }
  }
  const catchUp = async (reader: Reader, since: number) => {
    let found = 0
    let to: number | undefined
    for (let page = 0; page < maxPages && found < maxWaiting; page++) {
      const events = await reader.events({ from: since, limit: pageSize, ...(to === undefined ? {} : { to }) })
      found += take(reader, events)
      if (events.length < pageSize) return
      const { at } = events.at(-1)!
      to = at === to ? at - 1 : at
    }
  }

  /** Taken up when they come, and again after they were away. */
  const follow = () => {
    const now = new Set(readers())
    for (const [reader, { stop }] of watched) {
      if (now.has(reader)) continue
      stop()
      watched.delete(reader)
    }
    for (const reader of now) {
      const one = watched.get(reader)
      if (one) one.settled &&= !isAway(reader)
      else watched.set(reader, watch(reader))
    }
  }
  const watch = (reader: Reader): Watched => {
    const one: Watched = { stop: () => {}, settled: false, newest: undefined }
    one.stop = reader.watch(({ events }) => {
      take(reader, events)
      if (one.settled) one.newest = events.reduce((newest, { at }) => Math.max(newest, at), one.newest ?? 0)
    })
    return one
  }
  const takeUp = async (client: Client<(typeof registrar)['methods']>) => {
    if (from === undefined) await begin(client)
    for (const [reader, one] of watched) {
      if (one.settled || !isCurrent(reader)) continue
      const since = one.newest ?? inRecord.get(workerOf(reader)) ?? from!
      await catchUp(reader, since)
      one.newest = since
      one.settled = true
    }
  }
  const writeNext = async (client: Client<(typeof registrar)['methods']>) => {
    const [next] = waiting
    if (!next) return
    try {
      await client.putEvent(next)
      counts.written++
    } catch (error) {
      const { code } = toSdkError(error)
      if (!refusals.has(code)) throw error
      counts.refused++
      log.warn(
        { err: error, site: next.site, worker: next.worker },
        'the record does not take an event: it is left out',
      )
    }
    waiting = waiting.filter((one) => one !== next)
  }

  return {
    get counts() {
      return { ...counts, waiting: waiting.length }
    },
    async pulse() {
      follow()
      const client = write()
      if (!client) return
      try {
        await takeUp(client)
        await writeNext(client)
      } catch (error) {
        log.debug({ err: error }, 'events are not written now; it is tried again')
      }
    },
    close() {
      for (const { stop } of watched.values()) stop()
    },
  }
}

function mattersToAll({ type, data }: Event): boolean {
  const { error, missing } = (data ?? {}) as { error?: { severity?: string }; missing?: boolean }
  // That older events are with nobody is no event of the worker.
  if (type === 'service') return missing !== true
  return type === 'error-raised' && (error?.severity === 'critical' || error?.severity === 'high')
}

const workerOf = ({ site, worker }: Pick<FoldedEvent, 'site' | 'worker'>) => `${site}/${worker}`

const nameOf = ({ site, worker, event: { at, type, deviceId = '', message } }: FoldedEvent) =>
  JSON.stringify([site, worker, at, type, deviceId, message])

/** A node's own feed is always there. */
const lagOf = (reader: Reader) => (reader as Partial<RemoteReader>).lag?.()

function isAway(reader: Reader): boolean {
  return lagOf(reader)?.connections === 0
}

function isCurrent(reader: Reader): boolean {
  const lag = lagOf(reader)
  return lag === undefined || (lag.behind === 0 && lag.at !== null)
}
