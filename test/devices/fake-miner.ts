import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net'
import { type Device, execute, type Io } from '#devices'
import { type CommandName, SdkError, systemClock } from '#model'

export interface Call {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly socket: Socket
}
type RpcAnswer = unknown | ((request: Record<string, unknown>, socket: Socket) => unknown)
type HttpAnswer = unknown | ((call: Call, response: ServerResponse) => unknown)

/** The listening end of a miner: an RPC and a web server that answer what the test says, by name. */
export class FakeMiner {
  /** By command, or by command and parameter: `ascset 0,led,1-1`. A function that answers undefined has answered itself. */
  readonly rpc: Record<string, RpcAnswer> = {}
  /** By method and path without query: `GET /api/v1/info`. */
  readonly http: Record<string, HttpAnswer> = {}
  readonly asked: Record<string, unknown>[] = []
  readonly calls: Call[] = []
  /** What the RPC says to a command that it does not know. */
  unknown: unknown = {
    STATUS: [{ STATUS: 'E', Code: 14, Msg: 'Invalid command', Description: 'cgminer 4.11.1' }],
    id: 1,
  }
  readonly #web = createServer((request, response) => void this.#onCall(request, response))
  readonly #tcp: Server = createTcp((socket) => this.#onRpc(socket))
  readonly #sockets = new Set<Socket>()

  async start(t: { teardown(close: () => unknown): void }): Promise<this> {
    this.#web.on('connection', (socket) => this.#hold(socket))
    for (const server of [this.#web, this.#tcp])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => this.stop())
    return this
  }

  async stop() {
    for (const socket of this.#sockets) socket.destroy()
    await this.stopWeb()
    await this.stopRpc()
  }

  async stopWeb() {
    this.#web.closeAllConnections()
    await new Promise((resolve) => this.#web.close(resolve))
  }

  stopRpc() {
    return new Promise((resolve) => this.#tcp.close(resolve))
  }

  get ports(): Record<string, number> {
    const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo | null)?.port ?? 1
    return { http: portOf(this.#web), rpc: portOf(this.#tcp), engineering: 1, v3: 1 }
  }

  io(more: Partial<Io> = {}): Io {
    return {
      host: '127.0.0.1',
      ports: this.ports,
      credentials: [],
      signal: new AbortController().signal,
      memory: new Map(),
      clock: systemClock,
      ...more,
    }
  }

  /** The commands that came over the RPC, as their keys. */
  commands(): string[] {
    return this.asked.map(({ command, parameter }) =>
      [command, parameter].filter((part) => part !== undefined).join(' '),
    )
  }

  paths(): string[] {
    return this.calls.map(({ method, path }) => `${method} ${path}`)
  }

  /** The JSON bodies that came to a place. */
  bodies(key: string): unknown[] {
    return this.calls
      .filter((call) => `${call.method} ${call.path.split('?')[0]}` === key)
      .map(({ body }) => JSON.parse(body))
  }

  async #onCall(request: IncomingMessage, response: ServerResponse) {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = '', url: path = '', headers, socket } = request
    const call: Call = { method, path, headers, body: Buffer.concat(chunks).toString('latin1'), socket }
    this.calls.push(call)
    const key = `${method} ${path.split('?')[0]}`
    if (!Object.hasOwn(this.http, key)) return void response.writeHead(404).end('Not Found')
    const answer = this.http[key]
    const value = typeof answer === 'function' ? await answer(call, response) : answer
    if (value !== undefined && !response.writableEnded)
      response.end(typeof value === 'string' ? value : JSON.stringify(value))
  }

  #onRpc(socket: Socket) {
    this.#hold(socket)
    let text = ''
    socket.on('data', async (chunk) => {
      text += chunk
      let request: Record<string, unknown>
      try {
        request = JSON.parse(text)
      } catch {
        return
      }
      this.asked.push(request)
      const name = String(request.command ?? request.cmd)
      const exact = `${name} ${request.parameter}`
      const answer = Object.hasOwn(this.rpc, exact) ? this.rpc[exact] : (this.rpc[name] ?? this.unknown)
      const value = typeof answer === 'function' ? await answer(request, socket) : answer
      if (value !== undefined) socket.end(typeof value === 'string' ? value : `${JSON.stringify(value)}\0`)
    })
  }

  #hold(socket: Socket) {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
  }
}

/** A capture: its JSON, or its text. */
// biome-ignore lint/suspicious/noExplicitAny: replies of foreign shapes, into which tests look key by key
export function capture(name: string): any {
  const text = readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8')
  return name.endsWith('.json') ? JSON.parse(text) : text.trimEnd()
}

/** All replies of a folder under their names: `summary.json` answers `summary`. */
export function answersOf(folder: string, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((file) => [file.replace(/\.\w+$/, ''), capture(`${folder}/${file}`)]))
}

export function run(device: Device, io: Io, command: CommandName, params: unknown = {}) {
  return execute(device, io, command, params)
}

export async function failure(call: Promise<unknown>): Promise<SdkError> {
  try {
    await call
  } catch (error) {
    if (error instanceof SdkError) return error
    throw error
  }
  throw new Error('it did not fail')
}

/** What no reading may hold: NaN or an infinity; the path of the first, if there is one. */
export function flaw(value: unknown, path = ''): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return `${path} is ${value}`
  if (value === null || typeof value !== 'object') return undefined
  for (const [key, inner] of Object.entries(value)) {
    const found = flaw(inner, `${path}.${key}`)
    if (found) return found
  }
  return undefined
}
