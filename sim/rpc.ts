import type { Socket } from 'node:net'
import { type Fields, objectEnd, parseObject } from './json.js'
import type { Machine } from './machine.js'
import { type Door, deliver } from './server.js'

const idleMs = 10_000
/** What the daemon reads at once. */
const maxRequestBytes = 4096

export interface RpcRequest {
  readonly command: string
  /** Of `command|parameter`; '' for none. */
  readonly parameter: string
  readonly fields: Fields
}

/** What a command answers: its reply, or nothing because the connection is cut over it. `after` runs when the answer is out. */
export interface RpcReply {
  readonly json?: Fields
  readonly after?: () => void
}

export interface RpcOptions {
  readonly answer: (request: RpcRequest) => RpcReply
  /** To a request that is no JSON object or has no command; the code is cgminer's. */
  readonly refuse: (code: 23 | 24, text: string) => Fields
  readonly isAway?: () => boolean
}

/**
 * Waits for one JSON object, and gives it to `take` with what came behind it; undefined for what is none, or longer than the daemon reads.
 * A connection that sends nothing is dropped.
 */
export function takeOne(
  machine: Machine,
  socket: Socket,
  maxBytes: number,
  take: (object: string | undefined, rest: Buffer) => void,
) {
  let text = ''
  const stop = machine.clock.after(idleMs, () => socket.destroy())
  socket.on('close', stop)
  const onData = (chunk: Buffer) => {
    text += chunk.toString('latin1')
    const isObject = /^\s*({|$)/.test(text)
    const end = isObject ? objectEnd(text) : -1
    if (end < 0 && isObject && text.length <= maxBytes) return
    socket.off('data', onData)
    socket.resume()
    stop()
    const object = end < 0 ? undefined : Buffer.from(text.slice(0, end), 'latin1').toString('utf8')
    take(object, Buffer.from(text.slice(Math.max(0, end)), 'latin1'))
  }
  socket.on('data', onData)
}

/** The envelopes of a daemon's replies (protocols/cgminer.md §2), under the name that it gives itself. */
export function framesOf<S extends { readonly machine: Machine }>(describe: (state: S) => string) {
  const status = (state: S, letter: 'S' | 'I' | 'E', code: number, text: string): Fields => ({
    STATUS: letter,
    When: Math.floor(state.machine.clock.now() / 1000),
    Code: code,
    Msg: text,
    Description: describe(state),
  })
  const framed =
    (letter: 'S' | 'I' | 'E') =>
    (state: S, code: number, text: string, body: Fields = {}): Fields => ({
      STATUS: [status(state, letter, code, text)],
      ...body,
      id: 1,
    })
  return { ok: framed('S'), info: framed('I'), refusal: framed('E') }
}

/** The RPC of a mining process on 4028 (protocols/cgminer.md §1): one request a connection, the answer ends with a NUL. */
export function rpcDoor(machine: Machine, { answer, refuse, isAway }: RpcOptions): Door {
  const open = (socket: Socket) =>
    takeOne(machine, socket, maxRequestBytes, (object) => {
      const { json, after } = reply(object === undefined ? undefined : parseObject(object))
      if (json) deliver(machine, socket, `${JSON.stringify(json)}\0`, true)
      else socket.destroySoon()
      after?.()
    })
  const reply = (fields: Fields | undefined): RpcReply => {
    if (!fields) return { json: refuse(23, 'Invalid JSON') }
    const { command, parameter } = fields
    if (typeof command !== 'string') return { json: refuse(24, "Missing JSON 'command'") }
    return answer({ command, parameter: typeof parameter === 'string' ? parameter : '', fields })
  }
  return { name: 'rpc', standardPort: 4028, open, ...(isAway ? { isAway } : {}) }
}
