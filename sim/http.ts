import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Machine } from './machine.js'
import { type Door, deliver, isWireSound } from './server.js'

/** Firmware images have some 30 MB, everything else some hundred bytes. */
const maxBodyBytes = 64 * 1024 * 1024
const keepAliveMs = 5_000

export interface HttpCall {
  readonly method: string
  /** As it came, with the query. */
  readonly url: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface HttpReply {
  readonly status?: number
  readonly json?: unknown
  readonly text?: string
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Runs when the answer is out. */
  readonly after?: () => void
  /** No answer: the connection is cut. */
  readonly cut?: true
}

export interface HttpOptions {
  readonly name?: string
  readonly standardPort?: number
  /** What the server calls itself. */
  readonly server?: string
  readonly answer: (call: HttpCall) => HttpReply
}

/** A web interface: answers each call, and shows the faults of its wire. */
export function httpDoor(machine: Machine, options: HttpOptions): Door {
  // Never listens itself: it is handed the connections of the miner's port, so an idle miner has no timer.
  const server = createServer({ keepAliveTimeout: keepAliveMs }, (request, response) => {
    collect(request, (body) => {
      const reply = options.answer(callOf(request, body))
      if (!reply.cut) return send(machine, options, request, response, reply)
      // A reboot cuts every connection of the miner, this one too.
      request.socket.resetAndDestroy()
      reply.after?.()
    })
  })
  const { name = 'http', standardPort = 80 } = options
  return { name, standardPort, open: (socket) => server.emit('connection', socket) }
}

function callOf({ method = 'GET', url = '/', headers }: IncomingMessage, body: Buffer): HttpCall {
  const [path = '/', query = ''] = url.split('?')
  const texts = Object.entries(headers).map(([key, value]) => [key, String(value)])
  return { method, url, path, query: new URLSearchParams(query), headers: Object.fromEntries(texts), body }
}

function collect(request: IncomingMessage, done: (body: Buffer) => void) {
  const chunks: Buffer[] = []
  let size = 0
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > maxBodyBytes) request.destroy()
    else chunks.push(chunk)
  })
  request.on('end', () => done(Buffer.concat(chunks)))
}

function send(
  machine: Machine,
  { server = 'simulated' }: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
  { status = 200, json, text, type, headers = {}, after }: HttpReply,
) {
  const body = Buffer.from(text ?? (json === undefined ? '' : JSON.stringify(json)))
  const all = {
    'content-type': type ?? (text === undefined ? 'application/json' : 'text/html'),
    'content-length': String(body.length),
    server,
    ...headers,
  }
  if (isWireSound(machine)) {
    response.writeHead(status, all)
    response.end(body, after)
    return
  }
  const head = Object.entries({ ...all, connection: 'close' }).map(([key, value]) => `${key}: ${value}\r\n`)
  const bytes = Buffer.concat([Buffer.from(`HTTP/1.1 ${status} Simulated\r\n${head.join('')}\r\n`), body])
  deliver(machine, request.socket, bytes, true)
  after?.()
}
