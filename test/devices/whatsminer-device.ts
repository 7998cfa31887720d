import { existsSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { whatsminerCrypto as crypto, type Io } from '#devices'
import { systemClock } from '#model'

type Fields = Record<string, unknown>
/** A whole reply, as text or value; a function sees the request. Undefined: the connection is closed without a word. */
export type Answer = unknown | ((request: Fields, socket: Socket) => unknown)
interface Test {
  teardown(close: () => unknown): void
}

export function fixture(folder: string, file: string): unknown {
  const path = join('test/fixtures', folder, file)
  return path.endsWith('.txt') ? readFileSync(path, 'utf8') : JSON.parse(readFileSync(path, 'utf8'))
}

export function hasFixture(folder: string, file: string): boolean {
  return existsSync(join('test/fixtures', folder, file))
}

const unknownCommand = { STATUS: 'E', When: 1, Code: 14, Msg: 'invalid cmd', Description: '' }

abstract class Listener {
  connections = 0
  readonly asked: Fields[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor() {
    this.#server = createServer((socket) => {
      this.connections++
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => {})
      this.serve(socket)
    })
  }

  protected abstract serve(socket: Socket): void

  async start(t: Test): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => this.stop())
    return this
  }

  async stop() {
    for (const socket of this.#sockets) socket.destroy()
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }
}

export interface V2Options {
  password?: string
  /** False: one answer of error instead of the parts. */
  joins?: boolean
  /** Keeps the connection open after its answer. */
  staysOpen?: boolean
  padding?: 'zero' | 'pkcs7'
}

/** The listening end of API v1 and v2: tokens, encryption and joined reads are real, what it answers is up to the test. */
export class BtminerDevice extends Listener {
  readonly replies: Record<string, Answer>
  /** Answers of the writes, by command; without one it says OK. */
  readonly writes: Record<string, Answer> = {}
  readonly written: Fields[] = []
  readonly challenge = { time: '5626', salt: 'BQ5hoXV9', newsalt: 'jbzkfQls' }
  readonly options: V2Options
  tokens = 0

  constructor(replies: Record<string, Answer>, options: V2Options = {}) {
    super()
    this.replies = replies
    this.options = options
  }

  get session() {
    return crypto.openSession(this.options.password ?? 'admin', this.challenge)
  }

  protected serve(socket: Socket) {
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
      let request: Fields
      try {
        request = JSON.parse(text)
      } catch {
        return
      }
      text = ''
      const answer = request.enc ? this.#write(request, socket) : this.#read(request, socket)
      if (answer === handled) return
      if (answer !== undefined) socket.write(typeof answer === 'string' ? answer : JSON.stringify(answer))
      if (!this.options.staysOpen) socket.end()
    })
  }

  #read(request: Fields, socket: Socket): unknown {
    this.asked.push(request)
    const names = String(request.cmd).split('+')
    if (request.cmd === 'get_token') {
      this.tokens++
      if (!this.replies.get_token) return { STATUS: 'S', When: 1, Code: 134, Msg: this.challenge, Description: '' }
    }
    if (Object.hasOwn(this.replies, 'anything')) return this.#one('anything', request, socket)
    if (names.length === 1) return this.#one(names[0]!, request, socket)
    if (this.options.joins === false) return unknownCommand
    return { ...Object.fromEntries(names.map((name) => [name, [this.#one(name, request, socket)]])), id: 1 }
  }

  #one(name: string, request: Fields, socket: Socket): unknown {
    if (!Object.hasOwn(this.replies, name)) return unknownCommand
    const answer = this.replies[name]
    return typeof answer === 'function' ? answer(request, socket) : answer
  }

  #write(request: Fields, socket: Socket): unknown {
    const { aesKey, sign } = this.session
    const fail = (Code: number, Msg: string) => ({ STATUS: 'E', When: 1, Code, Msg, Description: '' })
    let command: Fields
    try {
      command = JSON.parse(crypto.decrypt(String(request.data), aesKey) ?? '')
    } catch {
      return fail(23, 'enc json load err')
    }
    if (command.token !== sign) return fail(135, 'check token err')
    this.written.push(command)
    const answer = this.writes[String(command.cmd)]
    const reply =
      typeof answer === 'function'
        ? answer(command, socket)
        : (answer ?? { STATUS: 'S', When: 1, Code: 131, Msg: 'API command OK', Description: '' })
    return reply === handled || reply === undefined ? reply : this.seal(reply)
  }

  seal(reply: unknown): string {
    return JSON.stringify({ enc: crypto.encrypt(JSON.stringify(reply), this.session.aesKey) })
  }
}

/** Says that the answer was written already. */
export const handled = Symbol('handled')

export interface V3Options {
  account?: string
  password?: string
  salt?: string
  apiSwitch?: boolean
}

/** The listening end of API v3: frames, salt and tokens are real. */
export class V3Device extends Listener {
  readonly replies: Record<string, Answer>
  readonly writes: Record<string, Answer> = {}
  readonly written: Fields[] = []
  readonly options: V3Options
  salts = 0

  constructor(replies: Record<string, Answer>, options: V3Options = {}) {
    super()
    this.replies = replies
    this.options = options
  }

  protected serve(socket: Socket) {
    let bytes = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk])
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32LE()) {
        const length = bytes.readUInt32LE()
        const request = JSON.parse(bytes.subarray(4, 4 + length).toString())
        bytes = bytes.subarray(4 + length)
        const answer = this.#answer(request, socket)
        if (answer === handled) return
        if (answer === undefined) return socket.end()
        if (Buffer.isBuffer(answer)) socket.write(answer)
        else socket.write(frame(answer))
      }
    })
  }

  #answer(request: Fields, socket: Socket): unknown {
    const cmd = String(request.cmd)
    const ok = (msg: unknown, code = 0) => ({ code, when: Math.floor(Date.now() / 1000), msg, desc: cmd })
    if (request.token === undefined) {
      this.asked.push(request)
      if (cmd === 'get.device.info' && request.param === 'salt') {
        this.salts++
        return ok({ salt: this.options.salt ?? '5QAHiKMb' })
      }
      if (cmd === 'get.device.info' && request.param === 'system')
        return ok({ system: { apiswitch: this.options.apiSwitch === false ? '0' : '1' } })
      const answer = this.replies[`${cmd} ${request.param ?? ''}`.trim()] ?? this.replies[cmd]
      if (answer === undefined) return ok('invalid command', -2)
      return typeof answer === 'function' ? answer(request, socket) : answer
    }
    const { account = 'super', password = 'super', salt = '5QAHiKMb' } = this.options
    const digest = crypto.v3Digest(cmd, password, salt, Number(request.ts))
    const isFresh = Math.abs(Number(request.ts) - Date.now() / 1000) < 60
    if (
      this.options.apiSwitch === false ||
      request.account !== account ||
      request.token !== crypto.v3Token(digest) ||
      !isFresh
    )
      return ok('no permission', -4)
    const secret = ['set.miner.pools', 'set.user.change_passwd'].includes(cmd)
    const param = secret ? JSON.parse(crypto.decrypt(String(request.param), digest) ?? '') : request.param
    this.written.push({ ...request, param })
    const answer = this.writes[cmd]
    return typeof answer === 'function' ? answer({ ...request, param }, socket) : (answer ?? ok('ok'))
  }
}

export function frame(value: unknown): Buffer {
  const body = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  const head = Buffer.alloc(4)
  head.writeUInt32LE(body.length)
  return Buffer.concat([head, body])
}

/** Nothing listens there. */
export const closedPort = 1

export function ioTo(ports: Io['ports'], credentials: Io['credentials'], timeoutMs = 20_000): Io {
  return {
    host: '127.0.0.1',
    ports: { rpc: closedPort, v3: closedPort, ...ports },
    credentials,
    signal: AbortSignal.timeout(timeoutMs),
    memory: new Map(),
    clock: systemClock,
  }
}
