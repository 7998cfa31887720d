import type { ServerResponse } from 'node:http'
import type { Clock, DeviceRecord } from '#model'
import type { CommandJob } from '#rpc'
import type { Identity } from '../auth/authenticate.js'
import { project } from '../project.js'
import type { StreamEvent } from './events.js'

/** Records in one `devices` event; more follow in the next, as the client takes them. */
const slice = 250
/** Devices that may wait for a slow client; beyond it the client is told to read everything anew. */
const maxWaiting = 50_000
const maxWaitingJobs = 500

export interface ClientOptions {
  readonly response: ServerResponse
  readonly clock: Clock
  readonly events: ReadonlySet<StreamEvent>
  readonly fields: readonly (keyof DeviceRecord)[] | undefined
  readonly identity: Identity
  /** The record as it is now, if this client may see it. */
  record(id: string): DeviceRecord | undefined
  lastId(): string
  onReset(): void
  onClose(): void
}

export interface StreamClient {
  readonly events: ReadonlySet<StreamEvent>
  readonly identity: Identity
  readonly caller: string
  readonly sites: readonly string[] | undefined
  devicesChanged(changed: Iterable<string>, removed: Iterable<string>): void
  jobsChanged(jobs: readonly CommandJob[]): void
  /** The newest of its kind is what waits; an older one that was not sent yet is forgotten. */
  put(event: StreamEvent, data: string): void
  reset(): void
  /** Sends what waits, as far as the client takes it. */
  flush(): void
  comment(text: string): void
  /** How long it takes nothing although something waits, ms. */
  stalledFor(): number
  end(): void
  cut(): void
}

/**
 * One open stream. What waits for it are names and the newest of each kind, never a queue of messages: a client that is slow hears
 * less often, not later and later.
 */
export function createClient(options: ClientOptions): StreamClient {
  const { response, clock, events, fields, identity, record } = options
  const changed = new Set<string>()
  const removed = new Set<string>()
  const jobs = new Map<string, CommandJob>()
  const newest = new Map<StreamEvent, string>()
  let resetDue = false
  let blockedAt: number | null = null

  const write = (text: string) => {
    if (response.write(text)) return
    blockedAt = clock.hr()
    response.once('drain', () => {
      blockedAt = null
      client.flush()
    })
  }
  const send = (event: string, data: string) => write(`event: ${event}\nid: ${options.lastId()}\ndata: ${data}\n\n`)
  const nextSlice = () => {
    const records: Partial<DeviceRecord>[] = []
    for (const id of changed) {
      changed.delete(id)
      const found = record(id)
      if (found && records.push(project(found, fields)) >= slice) break
    }
    const gone = [...removed]
    removed.clear()
    if (records.length > 0 || gone.length > 0) send('devices', JSON.stringify({ records, removed: gone }))
  }
  const nextJobs = () => {
    const waiting = [...jobs.values()]
    jobs.clear()
    send('commands', JSON.stringify({ jobs: waiting }))
  }

  const client: StreamClient = {
    events,
    identity,
    caller: identity.caller.id,
    sites: identity.caller.sites,
    devicesChanged(more, gone) {
      if (!events.has('devices') || resetDue) return
      for (const id of more) {
        changed.add(id)
        removed.delete(id)
      }
      for (const id of gone) {
        // Where a removed device stood cannot be told any more, so who may not see all sites reads anew instead of learning its name.
        if (client.sites) return client.reset()
        removed.add(id)
        changed.delete(id)
      }
      if (changed.size + removed.size > maxWaiting) client.reset()
    },
    jobsChanged(more) {
      for (const job of more) {
        jobs.delete(job.id)
        jobs.set(job.id, job)
      }
      while (jobs.size > maxWaitingJobs) jobs.delete(jobs.keys().next().value as string)
    },
    put(event, data) {
      newest.set(event, data)
    },
    reset() {
      changed.clear()
      removed.clear()
      resetDue = true
      options.onReset()
    },
    flush() {
      while (blockedAt === null && !response.destroyed) {
        if (resetDue) {
          resetDue = false
          send('reset', '{}')
        } else if (changed.size > 0 || removed.size > 0) nextSlice()
        else if (jobs.size > 0) nextJobs()
        else {
          const next = newest.entries().next().value
          if (!next) return
          newest.delete(next[0])
          send(next[0], next[1])
        }
      }
    },
    comment(text) {
      if (blockedAt === null) write(`: ${text}\n\n`)
    },
    stalledFor: () => (blockedAt === null ? 0 : clock.hr() - blockedAt),
    end() {
      response.end()
    },
    cut() {
      response.destroy()
    },
  }
  response.on('close', options.onClose)
  // The id alone: from now on the browser comes back with it, whatever else was sent.
  write(`retry: 2000\nid: ${options.lastId()}\n\n`)
  return client
}
