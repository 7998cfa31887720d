import type { Socket } from 'node:net'
import { whatsminerCrypto } from '#devices'
import { type Fields, parseObject } from '../json.js'
import { type Door, deliver } from '../server.js'
import { type CommandV3, codes, type OutcomeV3, readsV3 } from './reads-v3.js'
import { accounts, type WhatsminerState } from './state.js'
import { Upload } from './upload.js'
import { sealedParams, writesV3 } from './writes-v3.js'

const maxClients = 10
const idleMs = 300_000
const lengthBytes = 4
const maxFrameBytes = 1024 * 1024
/** How far the client's clock may be off; the vendor does not say, so it is generous, s. */
const timeWindowS = 300

/** API v3 on 4433: frames of u32 little-endian length and JSON on a connection that stays open; an empty frame is a heartbeat. */
export function doorV3(state: WhatsminerState): Door {
  const api = new ApiV3(state)
  return { name: 'v3', standardPort: 4433, open: (socket) => api.open(socket) }
}

class ApiV3 {
  readonly #state: WhatsminerState
  #clients = 0

  constructor(state: WhatsminerState) {
    this.#state = state
  }

  open(socket: Socket) {
    if (this.#clients >= maxClients) return void socket.destroy()
    this.#clients++
    const { clock } = this.#state.machine
    let stopIdle = clock.after(idleMs, () => socket.destroy())
    socket.on('close', () => {
      this.#clients--
      stopIdle()
    })
    let rest: Buffer = Buffer.alloc(0)
    let upload: Upload | undefined
    const take = (bytes: Buffer) => {
      rest = rest.length > 0 ? Buffer.concat([rest, bytes]) : bytes
      while (rest.length >= lengthBytes && !upload && !socket.destroyed) {
        const length = rest.readUInt32LE(0)
        if (length > maxFrameBytes) return void socket.destroy()
        if (rest.length < lengthBytes + length) return
        const body = rest.subarray(lengthBytes, lengthBytes + length)
        rest = rest.subarray(lengthBytes + length)
        if (length === 0) socket.write(Buffer.alloc(lengthBytes))
        else upload = this.#request(socket, body.toString('utf8'))
      }
      if (upload) upload.take(rest, socket)
      if (upload) rest = Buffer.alloc(0)
    }
    socket.on('data', (chunk: Buffer) => {
      stopIdle()
      stopIdle = clock.after(idleMs, () => socket.destroy())
      take(chunk)
    })
  }

  #request(socket: Socket, text: string): Upload | undefined {
    const request = parseObject(text)
    const command = typeof request?.cmd === 'string' ? request.cmd : ''
    const outcome = request ? this.#run(command, request) : { code: codes.missing, msg: 'invalid json' }
    const { bytes, after, upload } = outcome
    const answer = frame(this.#reply(command, outcome))
    const close = after !== undefined
    deliver(this.#state.machine, socket, bytes ? Buffer.concat([answer, bytes]) : answer, close)
    after?.()
    if (!upload) return undefined
    return new Upload((image) => {
      deliver(this.#state.machine, socket, frame(this.#reply(command, { msg: 'ok' })), true)
      upload(image)
    })
  }

  #reply(command: string, { code = codes.ok, msg }: OutcomeV3): Fields {
    return { code, when: this.#state.when, msg, desc: command }
  }

  #run(command: string, request: Fields): OutcomeV3 {
    const read = own(readsV3, command)
    if (read) return read(this.#state, request.param)
    const write = own(writesV3, command)
    if (!write) return { code: codes.invalid, msg: 'invalid command' }
    return this.#write(command, request, write)
  }

  #write(command: string, request: Fields, write: CommandV3): OutcomeV3 {
    const { ts, token, account } = request
    const denied: OutcomeV3 = { code: codes.denied, msg: 'no permission' }
    if (typeof ts !== 'number' || typeof token !== 'string' || typeof account !== 'string')
      return { code: codes.missing, msg: 'token, ts or account is null' }
    const password = accounts.some((each) => each === account) ? this.#state.passwords[account] : undefined
    if (password === undefined || Math.abs(ts - this.#state.when) > timeWindowS) return denied
    const digest = whatsminerCrypto.v3Digest(command, password, this.#state.salt, ts)
    // The factory's password of an account is its own name.
    if (whatsminerCrypto.v3Token(digest) !== token || password === account || !this.#state.mayWrite) return denied
    if (!sealedParams.has(command)) return write(this.#state, request.param)
    const param = opened(request.param, digest)
    return param === undefined ? { code: codes.invalid, msg: 'param decrypt error' } : write(this.#state, param)
  }
}

function opened(param: unknown, digest: Buffer): unknown {
  const plain = typeof param === 'string' ? whatsminerCrypto.decrypt(param, digest) : undefined
  try {
    return JSON.parse(plain ?? '')
  } catch {
    return undefined
  }
}

function frame(reply: Fields): Buffer {
  const body = Buffer.from(JSON.stringify(reply))
  const head = Buffer.alloc(lengthBytes)
  head.writeUInt32LE(body.length)
  return Buffer.concat([head, body])
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}
