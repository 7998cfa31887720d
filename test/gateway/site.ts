import { readFile } from 'node:fs/promises'
import { Agent, request as httpRequest } from 'node:http'
import { join } from 'node:path'
import type { Assertions } from 'brittle'
import { gateway } from '#gateway'
import { type Clock, type Log, silentLog } from '#model'
import { createNode, type Node, type Placement } from '#node'
import { gatewayContract } from '#rpc'
import { FakeClock } from '../support/fake-clock.js'
import { type Farm, farmServices } from './farm.js'
import { fleetService } from './fleet.js'

export interface Reply {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: a test names the parts that it expects
  json: any
}

export interface Ask {
  method?: string
  token?: string | null
  headers?: Record<string, string>
  body?: unknown
  /** Sent as it is. */
  raw?: string
}

export interface Site {
  readonly node: Node
  readonly farm: Farm
  readonly clock: FakeClock
  readonly storage: string
  readonly url: string
  readonly port: number
  readonly adminToken: string
  /** As the operator, unless the token is another one or null. */
  ask(path: string, options?: Ask): Promise<Reply>
  /** A new token; answers its text. */
  tokenOf(scope: string, sites?: string[] | null): Promise<string>
}

export interface SiteOptions {
  storage?: string
  config?: Record<string, unknown>
  /** Services beside the gateway; default: those of the farm. */
  services?: readonly Placement[]
  demo?: boolean
  clock?: FakeClock
  farm?: Farm
  log?: Log
}

/** A node on loopback with the gateway and a small farm, closed after the test. Its clock stands still until it is moved. */
export async function openSite(t: Assertions, options: SiteOptions = {}): Promise<Site> {
  const clock = options.clock ?? new FakeClock()
  const storage = options.storage ?? (await t.tmp())
  const { farm, services } = farmServices(clock as Clock, options.farm)
  const node = await createNode({
    site: 'home',
    storage,
    clock,
    log: options.log ?? silentLog,
    demo: options.demo ?? false,
    services: [
      ...(options.services ?? [...services, fleetService(clock)]),
      { name: 'api', service: gateway, config: { port: 0, ...options.config } },
    ],
  })
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => node.close(), { order: 10 })
  t.teardown(() => agent.destroy())
  await node.ready()
  const { url, port } = await node.connect(gatewayContract).address({})
  const adminToken = (await readFile(join(storage, 'admin.token'), 'utf8')).trim()

  const ask = (path: string, { token = adminToken, ...rest }: Ask = {}) =>
    send(agent, url, path, {
      ...rest,
      headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...rest.headers },
    })
  return {
    node,
    farm,
    clock,
    storage,
    url,
    port,
    adminToken,
    ask,
    async tokenOf(scope, sites = null) {
      const { json } = await ask('/api/v1/tokens', { method: 'POST', body: { name: `a ${scope}`, scope, sites } })
      return json.token
    },
  }
}

function send(
  agent: Agent,
  url: string,
  path: string,
  { method = 'GET', headers = {}, body, raw }: Ask,
): Promise<Reply> {
  const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const asked = httpRequest(`${url}${path}`, { method, agent, headers: { ...type, ...headers } }, (reply) => {
      let text = ''
      reply.setEncoding('utf8')
      reply.on('data', (part) => {
        text += part
      })
      reply.on('error', reject)
      reply.on('end', () => {
        const json = /json/.test(reply.headers['content-type'] ?? '') && text !== '' ? JSON.parse(text) : undefined
        resolve({ status: reply.statusCode!, headers: reply.headers, text, json })
      })
    })
    asked.on('error', reject)
    asked.end(payload)
  })
}
