import type { ServerResponse } from 'node:http'
import { type Clock, type DeviceRecord, SdkError } from '#model'
import type { Change, FleetView } from '#replication'
import type { CommandJob } from '#rpc'
import type { Identity } from '../auth/authenticate.js'
import { seenBy } from '../sight.js'
import { createClient, type StreamClient } from './client.js'
import type { StreamEvent } from './events.js'
import { createRing } from './ring.js'

/** Changes are gathered for so long, ms: a client hears of a device at most once in it. */
export const gatherMs = 1000
/** A comment line so often, ms: keeps middle boxes awake and finds dead connections. */
export const heartbeatMs = 15_000
/** A client that takes nothing for so long, ms, is cut off. */
const stalledMs = 60_000
const maxClients = 200
const maxClientsOfOne = 20

export interface StreamRequest {
  readonly events: readonly StreamEvent[]
  readonly fields?: readonly (keyof DeviceRecord)[] | undefined
  readonly lastEventId?: string | undefined
  readonly identity: Identity
}

export interface StreamHub {
  /** Throws RATE_LIMITED if there are too many already; `take` then is not called. */
  open(request: StreamRequest, take: () => ServerResponse): void
  /** Commands may have changed: they are asked for and those that did are told. */
  commandsChanged(): void
  /** To be called each `heartbeatMs`: also looks which devices fell silent. */
  heartbeat(): void
  readonly clients: number
  readonly resyncs: number
  /** Ends every stream. */
  close(): void
}

export interface HubOptions {
  readonly clock: Clock
  readonly fleet: FleetView
  readonly site: string
  readonly demo: boolean
  /** Whether who opened a stream may still have it. */
  holds(identity: Identity): boolean
  /** The newest commands of each site, without results. */
  commands(): Promise<{ site: string; jobs: CommandJob[] }[]>
}

/** The live stream: one watch of the fleet, gathered once a second, told to every client what it may see and asked for. */
export function createHub({ clock, fleet, site, demo, holds, commands }: HubOptions): StreamHub {
  const boot = Math.floor(clock.now()).toString(36)
  const ring = createRing(boot)
  const clients = new Set<StreamClient>()
  const changed = new Set<string>()
  const removed = new Set<string>()
  const toldJobs = new Map<string, string>()
  let stale = new Set<string>()
  let commandsDue = false
  let asking = false
  let gathering: (() => void) | null = null
  let gatheredAt = Number.NEGATIVE_INFINITY
  let resyncs = 0

  const wants = (event: StreamEvent) => [...clients].some((client) => client.events.has(event))
  const totals = (sites: readonly string[] | undefined) => {
    const sums = seenBy(fleet, sites ? { sites } : {}).totals()
    return { site, at: clock.now(), totals: sums, simulated: demo || sums.simulated > 0 }
  }
  /** What clients of the same sites are told in one round is made once. */
  const oncePerSites = <T>(make: (sites: readonly string[] | undefined) => T) => {
    const made = new Map<string, T>()
    return (client: StreamClient) => {
      const key = client.sites?.join('\n') ?? ''
      const known = made.get(key)
      if (known !== undefined) return known
      const value = make(client.sites)
      made.set(key, value)
      return value
    }
  }

  const schedule = () => {
    gathering ??= clock.after(Math.max(0, gatheredAt + gatherMs - clock.hr()), () => {
      gathering = null
      gatheredAt = clock.hr()
      gather()
    })
  }
  const gather = () => {
    if (changed.size > 0 || removed.size > 0) {
      ring.push([...changed], [...removed])
      const fleetNow = oncePerSites((sites) => JSON.stringify(totals(sites)))
      for (const client of clients) {
        client.devicesChanged(changed, removed)
        if (client.events.has('fleet')) client.put('fleet', fleetNow(client))
      }
      changed.clear()
      removed.clear()
    }
    for (const client of clients) client.flush()
    if (commandsDue) askCommands()
  }
  const askCommands = () => {
    if (asking || !wants('commands')) return
    asking = true
    commandsDue = false
    commands()
      .then(tellCommands)
      // A commander that does not answer now is asked again at the next sign of a change.
      .catch(() => {})
      .finally(() => {
        asking = false
        if (commandsDue) schedule()
      })
  }
  const tellCommands = (found: { site: string; jobs: CommandJob[] }[]) => {
    const news: { site: string; job: CommandJob }[] = []
    const seen = new Set<string>()
    for (const { site, jobs } of found) {
      for (const job of jobs) {
        const text = JSON.stringify(job)
        seen.add(job.id)
        if (toldJobs.get(job.id) !== text) news.push({ site, job })
        toldJobs.set(job.id, text)
        if (job.state === 'running') commandsDue = true
      }
    }
    for (const id of toldJobs.keys()) if (!seen.has(id)) toldJobs.delete(id)
    if (news.length === 0) return
    for (const client of clients) {
      const jobs = news.filter((one) => !client.sites || client.sites.includes(one.site)).map(({ job }) => job)
      if (client.events.has('commands') && jobs.length > 0) client.jobsChanged(jobs)
      client.flush()
    }
  }

  const unwatch = fleet.watch((change: Change) => {
    for (const { id } of change.records) {
      changed.add(id)
      removed.delete(id)
    }
    for (const id of change.removed) {
      removed.add(id)
      changed.delete(id)
    }
    if (change.events.some(({ type }) => type === 'command')) commandsDue = true
    schedule()
  })

  /** A device becomes stale by time alone: no feed says so, that is just it. */
  const lookForStale = () => {
    const now = new Set(fleet.match({ status: ['stale'] }).map(({ id }) => id))
    for (const id of now) if (!stale.has(id)) changed.add(id)
    stale = now
    if (changed.size > 0) schedule()
  }

  const admit = (identity: Identity) => {
    const own = [...clients].filter(({ caller }) => caller === identity.caller.id).length
    if (clients.size >= maxClients || own >= maxClientsOfOne) {
      throw new SdkError(
        'RATE_LIMITED',
        `${own >= maxClientsOfOne ? 'you have' : 'there are'} too many streams open; close some`,
      )
    }
  }

  return {
    open({ events, fields, lastEventId, identity }, take) {
      admit(identity)
      const client = createClient({
        response: take(),
        clock,
        events: new Set(events),
        fields,
        identity,
        record: (id) => seenBy(fleet, identity.caller).device(id),
        lastId: () => ring.lastId,
        onReset: () => resyncs++,
        onClose: () => clients.delete(client),
      })
      clients.add(client)
      if (lastEventId !== undefined) {
        const missed = ring.since(lastEventId)
        if (missed) client.devicesChanged(missed.changed, missed.removed)
        else client.reset()
      }
      if (client.events.has('fleet')) client.put('fleet', JSON.stringify(totals(client.sites)))
      client.flush()
      if (client.events.has('commands')) {
        commandsDue = true
        schedule()
      }
    },
    commandsChanged() {
      commandsDue = true
      schedule()
    },
    heartbeat() {
      lookForStale()
      for (const client of clients) {
        if (!holds(client.identity) || client.stalledFor() > stalledMs) client.cut()
        else client.comment('heartbeat')
      }
    },
    get clients() {
      return clients.size
    },
    get resyncs() {
      return resyncs
    },
    close() {
      unwatch()
      gathering?.()
      for (const client of [...clients]) client.end()
    },
  }
}
