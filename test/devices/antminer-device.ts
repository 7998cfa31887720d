import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net'
import type { Io } from '#devices'
import { systemClock } from '#model'

export interface Seen {
  method: string
  path: string
  body: string
  authorization: string | undefined
  socket: Socket
}
export type Answer = unknown | ((seen: Seen, response: ServerResponse) => unknown)

export interface Options {
  password?: string
  realm?: string
  /** Requests that a nonce may be used for. */
  nonceUses?: number
  noStaleFlag?: boolean
  /** Without a login, as other firmwares do. */
  open?: boolean
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

/** The listening end of a stock miner: the web interface with real digest login, and the RPC. What it answers is up to the test. */
export class AntminerDevice {
  readonly cgi: Record<string, Answer> = {}
  readonly rpc: Record<string, Answer> = {}
  readonly seen: Seen[] = []
  readonly asked: Record<string, unknown>[] = []
  readonly options: Options
  connections = 0
  challenges = 0
  readonly #web
  readonly #tcp: Server
  readonly #sockets = new Set<Socket>()
  #nonce = ''
  #uses = 0
  #counts = new Set<string>()

  constructor(options: Options = {}) {
    this.options = options
    this.#web = createServer((request, response) => void this.#onRequest(request, response))
    this.#web.on('connection', (socket) => this.#hold(socket, true))
    this.#tcp = createTcp((socket) => this.#onRpc(socket))
  }

  async start(t: { teardown(close: () => unknown): void }): Promise<this> {
    for (const server of [this.#web, this.#tcp])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => this.stop())
    return this
  }

  async stop() {
    for (const socket of this.#sockets) socket.destroy()
    await this.stopWeb()
    await new Promise((resolve) => this.#tcp.close(resolve))
  }

  async stopWeb() {
    this.#web.closeAllConnections()
    await new Promise((resolve) => this.#web.close(resolve))
  }

  get ports(): Record<string, number> {
    const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo | null)?.port ?? 1
    return { http: portOf(this.#web), rpc: portOf(this.#tcp), engineering: 1 }
  }

  io(more: Partial<Io> = {}): Io {
    return {
      host: '127.0.0.1',
      ports: this.ports,
      credentials: [{ username: 'root', password: 'root' }],
      signal: new AbortController().signal,
      memory: new Map(),
      clock: systemClock,
      ...more,
    }
  }

  paths(): string[] {
    return this.seen.map(({ method, path }) => `${method} ${path}`)
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse) {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = '', url: path = '', headers } = request
    const seen: Seen = {
      method,
      path,
      body: Buffer.concat(chunks).toString('latin1'),
      authorization: headers.authorization,
      socket: request.socket,
    }
    if (!this.options.open && !this.#isLetIn(seen, response)) return
    this.seen.push(seen)
    const name = /^\/cgi-bin\/(\w+)\.cgi$/.exec(path)?.[1] ?? path
    if (!Object.hasOwn(this.cgi, name)) {
      response.writeHead(404).end('<html>404</html>')
      return
    }
    const answer = this.cgi[name]
    const value = typeof answer === 'function' ? await answer(seen, response) : answer
    if (value === undefined) return
    response.end(typeof value === 'string' ? value : JSON.stringify(value))
  }

  #isLetIn({ method, path, authorization = '' }: Seen, response: ServerResponse): boolean {
    const { password = 'root', realm = 'antMiner Configuration', nonceUses = Infinity } = this.options
    const given = Object.fromEntries(
      [...authorization.matchAll(/(\w+)="?([^",]*)"?/g)].map(([, key, value]) => [key, value]),
    ) as Record<string, string>
    const ha1 = md5(`root:${realm}:${password}`)
    const ha2 = md5(`${method}:${path}`)
    const right = md5(`${ha1}:${given.nonce}:${given.nc}:${given.cnonce}:${given.qop}:${ha2}`)
    const isRight = given.username === 'root' && given.uri === path && given.response === right
    const isFresh = given.nonce === this.#nonce && this.#uses < nonceUses && !this.#counts.has(given.nc ?? '')
    if (isRight && isFresh) {
      this.#uses++
      this.#counts.add(given.nc ?? '')
      return true
    }
    this.challenges++
    this.#nonce = md5(String(Math.random()))
    this.#uses = 0
    this.#counts = new Set()
    const stale = isRight && !isFresh && !this.options.noStaleFlag ? ', stale=true' : ''
    response.setHeader('www-authenticate', `Digest realm="${realm}", nonce="${this.#nonce}", qop="auth"${stale}`)
    response.writeHead(401).end('<html>401</html>')
    return false
  }

  #onRpc(socket: Socket) {
    this.#hold(socket, false)
    let text = ''
    socket.on('data', async (chunk) => {
      text += chunk
      const request = JSON.parse(text) as Record<string, unknown>
      this.asked.push(request)
      const name = request.new_api ? `${request.command} new` : String(request.command)
      const answer = this.rpc[name]
      if (typeof answer === 'function') return void answer(socket)
      const value = answer ?? {
        STATUS: [{ STATUS: 'E', Code: 14, Msg: 'Invalid command', Description: 'cgminer 1.0.0' }],
        id: 1,
      }
      socket.end(`${typeof value === 'string' ? value : JSON.stringify(value)}\0`)
    })
  }

  #hold(socket: Socket, isWeb: boolean) {
    if (isWeb) this.connections++
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
  }
}

export function capture(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(`../fixtures/antminer-stock/${name}`, import.meta.url), 'utf8'))
}

/** All that the web interface of the S19 answers, with its configuration changed by what is written to it. */
export function asS19(device: AntminerDevice): AntminerDevice {
  const conf = capture('s19_fleet/web_get_miner_conf.json')
  const system = capture('s19_fleet/web_get_system_info.json')
  const network: Record<string, unknown> = {
    nettype: 'DHCP',
    netdevice: 'eth0',
    macaddr: system.macaddr,
    ipaddress: system.ipaddress,
    netmask: system.netmask,
    conf_nettype: 'DHCP',
    conf_hostname: 'Antminer',
    conf_ipaddress: '',
    conf_netmask: '',
    conf_gateway: '',
    conf_dnsservers: '',
  }
  const stats = capture('s19_fleet/web_stats.json') as { STATS: Record<string, unknown>[] }
  let blink = false
  Object.assign(device.cgi, {
    stats: () => stats,
    summary: capture('s19_fleet/web_summary.json'),
    pools: () => ({
      STATUS: { STATUS: 'S', when: 1_800_000_000, Msg: 'pools', api_version: '1.0.0' },
      INFO: {},
      POOLS: (conf.pools as Record<string, string>[]).map(({ url, user }, index) => ({
        index,
        url,
        user,
        status: url ? (index === 0 ? 'Alive' : 'Dead') : 'Deed',
        priority: index,
        accepted: index === 0 ? 1000 : 0,
        rejected: index === 0 ? 10 : 0,
        stale: 0,
        diff: '131K',
        lstime: index === 0 ? '0:00:05' : '0',
      })),
    }),
    get_miner_conf: () => conf,
    get_system_info: () => system,
    get_network_info: () => network,
    get_blink_status: () => ({ blink }),
    set_miner_conf: ({ body }: Seen) => {
      const written = JSON.parse(body) as Record<string, unknown>
      for (const key of ['bitmain-fan-ctrl', 'bitmain-fan-pwm', 'bitmain-hashrate-percent', 'pools'])
        if (written[key] !== undefined) conf[key] = written[key]
      if (written['freq-level'] !== undefined) conf['bitmain-freq-level'] = written['freq-level']
      if (written['miner-mode'] !== undefined) conf['bitmain-work-mode'] = String(written['miner-mode'])
      stats.STATS = conf['bitmain-work-mode'] === '1' ? [] : (capture('s19_fleet/web_stats.json').STATS as never)
      if (stats.STATS[0]) stats.STATS[0].elapsed = 1
      return { stats: 'success', code: 'M000', msg: 'OK!' }
    },
    blink: ({ body }: Seen) => {
      blink = JSON.parse(body).blink
      return { code: blink ? 'B000' : 'B100' }
    },
    set_network_conf: ({ body }: Seen) => {
      const { ipHost, ipPro, ipAddress, ipSub, ipGateway, ipDns } = JSON.parse(body)
      Object.assign(network, {
        conf_nettype: ipPro === 1 ? 'DHCP' : 'Static',
        conf_hostname: ipHost,
        ...(ipPro === 2
          ? { ipaddress: ipAddress, netmask: ipSub, conf_gateway: ipGateway, conf_dnsservers: ipDns }
          : {}),
      })
      return { stats: 'success', code: 'N000', msg: 'OK!' }
    },
  })
  return device
}
