import type { Key } from '#keys'
import { keyOf, type NoiseStream } from './network.js'

export const kinds = ['call', 'reply', 'cancel', 'ping', 'pong'] as const
export type Kind = (typeof kinds)[number]
export type Takers = Partial<Record<Kind, (bytes: Uint8Array) => void>>

/** What is used of a channel of @hyperswarm/rpc. */
export interface Wire {
  readonly closed: boolean
  readonly stream: NoiseStream
  readonly mux: { readonly drained: boolean }
  respond(method: string, options: typeof plain, handler: (bytes: Uint8Array) => Uint8Array): unknown
  event(method: string, bytes: Uint8Array, options: typeof plain): void
  cork(): void
  uncork(): void
  destroy(error?: Error): void
  /** `open`: the far side has opened the channel, too. */
  on(event: 'open' | 'close', listener: () => void): unknown
}

/** Messages to and from one peer, over one connection. */
export interface Line {
  readonly key: Key
  readonly stream: NoiseStream
  readonly closed: boolean
  /** What is sent in one turn of the event loop travels together. Nothing is sent once the line is closed. */
  send(kind: Kind, bytes: Uint8Array): void
  /** Grows with all that arrives. */
  heard(): number
  /** Bytes of ours that the stream has not taken on yet. */
  backlog(): number
  close(): void
}

const plain = { requestEncoding: null, responseEncoding: null } as const
const nothing = new Uint8Array()
/** More than this does not wait for company: a batch of the library and a message must fit into one Noise message of 16 MiB. */
const batchBytes = 64 * 1024

/**
 * Only events of the library are used, no requests: while the answer to a request that came in a batch is pending, the library holds back
 * everything that goes out on the connection, replication included. A `taker` that throws ends the line.
 */
export function lineOf(wire: Wire, takers: Takers, onClose: () => void): Line {
  const { stream } = wire
  let messages = 0
  let unsent = 0
  let batched = 0
  let corked = false

  for (const kind of kinds) {
    const take = takers[kind]
    // The answer matters only to who asked with a request: without one, the library would throw.
    wire.respond(kind, plain, (bytes) => {
      messages++
      try {
        take?.(bytes)
      } catch {
        wire.destroy()
      }
      return nothing
    })
  }
  wire.on('close', onClose)
  stream.on('drain', () => {
    unsent = 0
  })

  const passOn = () => {
    wire.uncork()
    batched = 0
    if (wire.mux.drained) unsent = 0
  }
  const flush = () => {
    corked = false
    passOn()
  }

  return {
    key: keyOf(stream),
    stream,
    get closed() {
      return wire.closed
    },
    send(kind, bytes) {
      if (wire.closed) return
      unsent += bytes.length
      if (!corked) {
        corked = true
        wire.cork()
        process.nextTick(flush)
      } else if (batched + bytes.length > batchBytes) {
        passOn()
        wire.cork()
      }
      batched += bytes.length
      wire.event(kind, bytes, plain)
    },
    heard: () => messages + (stream.rawStream?.packetsReceived ?? 0),
    backlog: () => unsent,
    close: () => wire.destroy(),
  }
}
