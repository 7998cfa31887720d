import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { type Clock, toSdkError, within } from '#model'
import { type Caller, defaultTimeoutMs, type Endpoint, local, type Transport } from '#rpc'

/** A way to reach an endpoint, for tests whose promises hold over every transport. */
export interface Way {
  readonly name: string
  open(endpoint: Endpoint, caller: Caller, clock: Clock): Promise<{ transport: Transport; close(): Promise<void> }>
}

/** `u32 length | u8 kind | u32 id | bytes` */
const kinds = { request: 0, reply: 1, cancel: 2 } as const
const headBytes = 9

function frame(kind: keyof typeof kinds, id: number, bytes: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(headBytes)
  head.writeUInt32BE(bytes.length)
  head[4] = kinds[kind]
  head.writeUInt32BE(id, 5)
  return Buffer.concat([head, bytes])
}

function onFrames(socket: Socket, take: (kind: number, id: number, bytes: Uint8Array) => void): void {
  let waiting = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    waiting = Buffer.concat([waiting, chunk])
    while (waiting.length >= headBytes && waiting.length >= headBytes + waiting.readUInt32BE()) {
      const end = headBytes + waiting.readUInt32BE()
      take(waiting[4]!, waiting.readUInt32BE(5), waiting.subarray(headBytes, end))
      waiting = waiting.subarray(end)
    }
  })
}

const socket: Way = {
  name: 'a socket',
  async open(endpoint, caller, clock) {
    const server = createServer((peer) => {
      const open = new Map<number, AbortController>()
      onFrames(peer, async (kind, id, bytes) => {
        if (kind === kinds.cancel) return open.get(id)?.abort()
        const cancel = new AbortController()
        open.set(id, cancel)
        const reply = await endpoint(bytes, { ...caller, signal: cancel.signal })
        open.delete(id)
        if (!peer.destroyed) peer.write(frame('reply', id, reply))
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const near = connect((server.address() as { port: number }).port, '127.0.0.1')
    await once(near, 'connect')
    const replies = new Map<number, (bytes: Uint8Array) => void>()
    let last = 0
    onFrames(near, (_kind, id, bytes) => replies.get(id)?.(bytes))
    return {
      async transport(request, { signal, timeoutMs = defaultTimeoutMs }) {
        const id = ++last
        try {
          return await within({ what: 'the call', ms: timeoutMs + 250, signals: [signal], clock }, () => {
            near.write(frame('request', id, request))
            return new Promise<Uint8Array>((resolve) => replies.set(id, resolve))
          })
        } catch (error) {
          near.write(frame('cancel', id))
          throw toSdkError(error)
        } finally {
          replies.delete(id)
        }
      },
      async close() {
        near.destroy()
        server.close()
        await once(server, 'close')
      },
    }
  },
}

const inProcess: Way = {
  name: 'the process itself',
  open: async (endpoint, caller, clock) => ({ transport: local(endpoint, caller, { clock }), close: async () => {} }),
}

export const ways: readonly Way[] = [inProcess, socket]
