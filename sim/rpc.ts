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

/** The RPC of a mining process on 4028 (protocols/cgminer.md §1): one request a connection, the answer ends with a NUL. */
export function rpcDoor(machine: Machine, { answer, refuse, isAway }: RpcOptions): Door {
  const open = (socket: Socket) => {
    let text = ''
    const stop = machine.clock.after(idleMs, () => socket.destroy())
    socket.on('close', stop)
    const take = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const isObject = /^\s*({|$)/.test(text)
      const end = isObject ? objectEnd(text) : -1
      if (end < 0 && isObject && text.length <= maxRequestBytes) return
      socket.off('data', take)
      socket.resume()
      stop()
      const { json, after } = reply(end < 0 ? undefined : parseObject(text.slice(0, end)))
      if (json) deliver(machine, socket, `${JSON.stringify(json)}\0`, true)
      else socket.destroySoon()
      after?.()
    }
    socket.on('data', take)
  }
  const reply = (fields: Fields | undefined): RpcReply => {
    if (!fields) return { json: refuse(23, 'Invalid JSON') }
    const { command, parameter } = fields
    if (typeof command !== 'string') return { json: refuse(24, "Missing JSON 'command'") }
    return answer({ command, parameter: typeof parameter === 'string' ? parameter : '', fields })
  }
  return { name: 'rpc', standardPort: 4028, open, ...(isAway ? { isAway } : {}) }
}
