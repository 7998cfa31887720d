import { request } from 'node:http'
import type { Assertions } from 'brittle'
import { until } from '../support/fake-clock.js'
import type { Site } from './site.js'

export interface Told {
  event: string
  id: string
  // biome-ignore lint/suspicious/noExplicitAny: a test names the parts that it expects
  data: any
}

export interface Listener {
  readonly told: Told[]
  readonly comments: string[]
  status: number
  headers: Record<string, string | string[] | undefined>
  /** The id that a browser would come back with. */
  lastId: string
  ended: boolean
  /** Waits for the next event of this name that was not waited for before. */
  next(event: string): Promise<Told>
  pause(): void
  resume(): void
  close(): void
}

/** A live stream as a browser has it. */
export async function listenTo(
  t: Assertions,
  site: Site,
  query = '',
  options: { token?: string; lastEventId?: string } = {},
): Promise<Listener> {
  const headers = {
    authorization: `Bearer ${options.token ?? site.adminToken}`,
    ...(options.lastEventId === undefined ? {} : { 'last-event-id': options.lastEventId }),
  }
  const asked = request(`${site.url}/api/v1/stream${query}`, { headers, agent: false })
  let paused = () => {}
  let resumed = () => {}
  const listener: Listener = {
    told: [],
    comments: [],
    status: 0,
    headers: {},
    lastId: '',
    ended: false,
    async next(event) {
      const at = () => listener.told.findIndex((one) => one.event === event)
      await until(() => at() >= 0 || listener.ended, event)
      if (at() < 0) throw new Error(`the stream ended before ${event}`)
      return listener.told.splice(at(), 1)[0]!
    },
    pause: () => paused(),
    resume: () => resumed(),
    close: () => asked.destroy(),
  }
  asked.on('error', () => {
    listener.ended = true
  })
  asked.on('response', (reply) => {
    listener.status = reply.statusCode!
    listener.headers = reply.headers
    let rest = ''
    paused = () => reply.pause()
    resumed = () => reply.resume()
    reply.setEncoding('utf8')
    reply.on('data', (part: string) => {
      const blocks = (rest + part).split('\n\n')
      rest = blocks.pop()!
      for (const block of blocks) read(block, listener)
    })
    reply.on('close', () => {
      listener.ended = true
    })
  })
  asked.end()
  t.teardown(() => asked.destroy(), { order: -1 })
  await until(() => listener.status !== 0, 'an answer')
  if (listener.status === 200) await until(() => listener.lastId !== '', 'the first id')
  return listener
}

function read(block: string, listener: Listener): void {
  const fields = new Map<string, string>()
  for (const line of block.split('\n')) {
    const at = line.indexOf(': ')
    fields.set(line.slice(0, at), line.slice(at + 2))
  }
  listener.lastId = fields.get('id') ?? listener.lastId
  const comment = fields.get('')
  if (comment !== undefined) listener.comments.push(comment)
  const data = fields.get('data')
  if (data !== undefined) {
    listener.told.push({ event: fields.get('event')!, id: fields.get('id')!, data: JSON.parse(data) })
  }
}
