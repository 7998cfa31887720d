import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'

const deadlineMs = 8_000

export interface Heard {
  readonly text: string
  /** `end`: closed in order. `reset`: cut. `open`: still open after `waitMs` of silence. */
  readonly ending: 'end' | 'reset' | 'open' | 'refused'
}

/** Sends one text on a new connection and hears until it closes, or until `waitMs` without a byte have passed. */
export function say(
  port: number,
  text: string | Buffer,
  options: { host?: string; waitMs?: number; localAddress?: string } = {},
): Promise<Heard> {
  const { host = '127.0.0.1', waitMs = deadlineMs, localAddress } = options
  return new Promise((resolve) => {
    const socket = connect({ port, host, ...(localAddress ? { localAddress } : {}) })
    const chunks: Buffer[] = []
    const done = (ending: Heard['ending']) => {
      socket.destroy()
      resolve({ text: Buffer.concat(chunks).toString('latin1'), ending })
    }
    socket.setTimeout(waitMs, () => done('open'))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('end', () => done('end'))
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code === 'ECONNREFUSED' ? 'refused' : 'reset'))
    socket.write(text)
  })
}

// biome-ignore lint/suspicious/noExplicitAny: replies of foreign shapes, into which tests look key by key
export type Json = Record<string, any>

/** One JSON question, one JSON answer, a trailing NUL taken away. */
export async function ask(port: number, question: object, options: { localAddress?: string } = {}): Promise<Json> {
  const { text, ending } = await say(port, JSON.stringify(question), options)
  if (ending !== 'end') throw new Error(`${ending} after "${text.slice(0, 80)}"`)
  return JSON.parse(text.replace(/\0$/, ''))
}

/** A connection with frames of u32 little-endian length and JSON. */
export class Frames {
  readonly #socket: Socket
  #buffer: Buffer = Buffer.alloc(0)
  #wake: () => void = () => {}
  closed = false

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1' })
    this.#socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk])
      this.#wake()
    })
    const end = () => {
      this.closed = true
      this.#wake()
    }
    this.#socket.on('close', end)
    this.#socket.on('error', end)
  }

  send(message: object | Buffer) {
    const body = Buffer.isBuffer(message) ? message : Buffer.from(JSON.stringify(message))
    const head = Buffer.alloc(4)
    head.writeUInt32LE(body.length)
    this.#socket.write(Buffer.concat([head, body]))
  }

  raw(bytes: Buffer) {
    this.#socket.write(bytes)
  }

  async take(count: number): Promise<Buffer> {
    while (this.#buffer.length < count) {
      if (this.closed) throw new Error('closed')
      await this.#change()
    }
    const bytes = this.#buffer.subarray(0, count)
    this.#buffer = this.#buffer.subarray(count)
    return bytes
  }

  async next(): Promise<Json> {
    const length = (await this.take(4)).readUInt32LE(0)
    return length === 0 ? { heartbeat: true } : JSON.parse((await this.take(length)).toString())
  }

  async ask(message: object): Promise<Json> {
    this.send(message)
    return this.next()
  }

  async untilClosed() {
    while (!this.closed) await this.#change()
  }

  close() {
    this.#socket.destroy()
  }

  #change(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no frame in time')), deadlineMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

export interface Page {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Buffer
}

export interface Login {
  readonly user: string
  readonly password: string
}

/** One HTTP request on a connection of its own. */
export function http(
  port: number,
  method: string,
  path: string,
  options: { body?: string | Buffer; headers?: Record<string, string> } = {},
): Promise<Page> {
  return new Promise((resolve, reject) => {
    const call = request(
      { host: '127.0.0.1', port, method, path, agent: false, headers: { ...options.headers }, timeout: deadlineMs },
      (reply) => {
        const chunks: Buffer[] = []
        reply.on('data', (chunk: Buffer) => chunks.push(chunk))
        reply.on('end', () =>
          resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: Buffer.concat(chunks) }),
        )
        reply.on('error', reject)
      },
    )
    call.on('timeout', () => call.destroy(new Error('no answer in time')))
    call.on('error', reject)
    call.end(options.body)
  })
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

/** The `Authorization` of RFC 7616 for a challenge, written anew for the test. */
export function authorize(
  challenge: string,
  { user, password }: Login,
  method: string,
  path: string,
  count = 1,
): string {
  const nonce = /nonce="([^"]+)"/.exec(challenge)![1]!
  const realm = /realm="([^"]+)"/.exec(challenge)![1]!
  const nc = count.toString(16).padStart(8, '0')
  const cnonce = randomBytes(6).toString('hex')
  const response = md5(
    [md5(`${user}:${realm}:${password}`), nonce, nc, cnonce, 'auth', md5(`${method}:${path}`)].join(':'),
  )
  return `Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${path}", response="${response}", qop=auth, nc=${nc}, cnonce="${cnonce}"`
}

/** Knocks, takes the challenge, and comes again with a login. */
export async function page(port: number, login: Login, method: string, name: string, body?: unknown): Promise<Page> {
  const path = `/cgi-bin/${name}.cgi`
  const first = await http(port, 'GET', path)
  const challenge = String(first.headers['www-authenticate'])
  const authorization = authorize(challenge, login, method, path)
  const text = body === undefined ? {} : { body: JSON.stringify(body) }
  return http(port, method, path, { ...text, headers: { authorization, 'content-type': 'application/json' } })
}

export const parsed = ({ body }: Page): Json => JSON.parse(body.toString())
