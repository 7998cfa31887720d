import type { Socket } from 'node:net'
import { whatsminerCrypto } from '#devices'
import { type Fields, parseObject } from '../json.js'
import { takeOne } from '../rpc.js'
import { type Door, deliver } from '../server.js'
import { apiStyle } from './envelopes-v2.js'
import { joinable, single } from './replies-v2.js'
import type { WhatsminerState } from './state.js'
import { Tokens } from './tokens.js'
import { Upload } from './upload.js'
import { type Outcome, writes } from './writes-v2.js'

const maxRequestBytes = 16_384
const base64 = /^[A-Za-z0-9+/]+={0,2}$/

/** API v2 on 4028: one JSON request a connection, one answer, then it closes. */
export function doorV2(state: WhatsminerState): Door {
  const api = new ApiV2(state)
  return { name: 'rpc', standardPort: 4028, open: (socket) => api.open(socket) }
}

class ApiV2 {
  readonly #state: WhatsminerState
  readonly #tokens: Tokens
  #key: { password: string; salt: string; aes: Buffer } | undefined

  constructor(state: WhatsminerState) {
    this.#state = state
    this.#tokens = new Tokens(state.machine.clock, state.machine.seed)
  }

  open(socket: Socket) {
    takeOne(this.#state.machine, socket, maxRequestBytes, (object, rest) => {
      const request = object === undefined ? undefined : parseObject(object)
      if (!request) this.#refuse(socket, 23, 'invalid json')
      else if ('enc' in request) this.#sealed(socket, request, rest)
      else this.#plain(socket, request)
    })
  }

  #answer(socket: Socket, reply: unknown) {
    const end = this.#state.row.legacy ? '\0' : ''
    deliver(this.#state.machine, socket, JSON.stringify(reply) + end, true)
  }

  #refuse(socket: Socket, code: number, message: string) {
    this.#answer(socket, apiStyle(this.#state, message, code, 'E'))
  }

  #plain(socket: Socket, request: Fields) {
    const command = commandOf(request)
    if (command === 'get_token') return this.#token(socket)
    const reply = this.#read(command, request)
    if (reply) this.#answer(socket, reply)
    else if (Object.hasOwn(writes, command)) this.#refuse(socket, 45, 'permission denied')
    else this.#refuse(socket, 14, 'invalid cmd')
  }

  #read(command: string, request: Fields): Fields | undefined {
    const alone = own(joinable, command) ?? own(single, command)
    if (alone) return alone(this.#state, request)
    if (!command.includes('+')) return undefined
    const parts = [...new Set(command.split('+'))]
    const answered = parts.map((part): [string, Fields[]] => {
      const reply = own(joinable, part)?.(this.#state, request)
      return [part, [reply ?? apiStyle(this.#state, 'invalid cmd', 14, 'E')]]
    })
    return { ...Object.fromEntries(answered), id: 1 }
  }

  #token(socket: Socket) {
    const { passwords, salt } = this.#state
    const challenge = this.#tokens.issue(socket.remoteAddress ?? '', passwords.admin!, salt)
    if (challenge) this.#answer(socket, apiStyle(this.#state, challenge, 134))
    else this.#refuse(socket, 136, 'over max connect')
  }

  /** Writes, and reads of a client that encrypts everything. `rest`: what came behind the request. */
  #sealed(socket: Socket, request: Fields, rest: Buffer) {
    const data = request.data
    if (typeof data !== 'string' || !base64.test(data)) return this.#refuse(socket, 137, 'base64 decode error')
    const key = this.#aesKey()
    const plain = whatsminerCrypto.decrypt(data, key)
    const inner = plain === undefined ? undefined : parseObject(plain)
    if (!inner) return this.#refuse(socket, 23, 'enc json load err')
    if (!this.#tokens.isLive(socket.remoteAddress ?? '', inner.token))
      return this.#refuse(socket, 135, 'check token err')
    const command = commandOf(inner)
    const read = this.#read(command, inner)
    if (read) return this.#answer(socket, this.#seal(read, key))
    const write = own(writes, command)
    if (!write) return this.#refuse(socket, 14, 'invalid cmd')
    if (!this.#state.mayWrite) return this.#refuse(socket, 45, "can't access write cmd")
    const before = this.#state.passwords.admin
    this.#finish(socket, write(this.#state, inner), key, rest)
    if (this.#state.passwords.admin !== before) this.#tokens.clear()
  }

  #finish(socket: Socket, outcome: Outcome, key: Buffer, rest: Buffer) {
    const { machine } = this.#state
    const { code = 131, msg, mute, after, bytes, upload } = outcome
    const frame = JSON.stringify(this.#seal(apiStyle(this.#state, msg, code, code === 131 ? 'S' : 'E'), key))
    if (mute) socket.end()
    else if (bytes) deliver(machine, socket, Buffer.concat([Buffer.from(frame), bytes]), true)
    else if (upload) {
      const done = new Upload((image) => {
        this.#answer(socket, this.#seal(apiStyle(this.#state, 'API command OK'), key))
        upload(image)
      })
      socket.on('data', (chunk) => done.take(chunk, socket))
      deliver(machine, socket, frame, false)
      done.take(rest, socket)
    } else deliver(machine, socket, frame, true)
    after?.()
  }

  #seal(reply: unknown, key: Buffer): Fields {
    return { enc: whatsminerCrypto.encrypt(this.#pad(JSON.stringify(reply)), key) }
  }

  /** PKCS#7 where the firmware has it; zeros are what `encrypt` adds by itself. */
  #pad(text: string): string {
    if (this.#state.row.padding === 'zero') return text
    const missing = 16 - (Buffer.byteLength(text) % 16)
    return text + String.fromCharCode(missing).repeat(missing)
  }

  #aesKey(): Buffer {
    const { passwords, salt } = this.#state
    const password = passwords.admin!
    if (this.#key?.password !== password || this.#key.salt !== salt) {
      const { aesKey } = whatsminerCrypto.openSession(password, { salt, time: '0000', newsalt: 'x' })
      this.#key = { password, salt, aes: aesKey }
    }
    return this.#key.aes
  }
}

/** `cmd` is documented, `command` is taken as well. */
function commandOf({ cmd, command }: Fields): string {
  const name = cmd ?? command
  return typeof name === 'string' ? name : ''
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}
