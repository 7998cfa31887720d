import b4a from 'b4a'
import type { Key } from '#keys'
import { forEachMessage, type Kind } from './envelope.js'
import { keyOf, type NoiseStream } from './network.js'

export type Takers = Partial<Record<Kind, (body: Uint8Array) => void>>

/** What is used of a channel of @hyperswarm/rpc. */
export interface Wire {
  readonly closed: boolean
  readonly stream: NoiseStream
  readonly mux: { readonly drained?: boolean }
  respond(method: string, options: typeof plain, handler: (bytes: Uint8Array) => Uint8Array): unknown
  event(method: string, bytes: Uint8Array, options: typeof plain): void
  destroy(error?: Error): void
  /** `open`: the far side has opened the channel, too. */
  on(event: 'open' | 'close', listener: () => void): unknown
}

/** Messages to and from one peer, over one connection. */
export interface Line {
  readonly key: Key
  readonly stream: NoiseStream
  readonly closed: boolean
  /** A message as the envelope makes it. What is sent in one turn of the event loop travels together; nothing once the line is closed. */
  send(message: Uint8Array): void
  /** Grows with all that arrives. */
  heard(): number
  /** Bytes of ours that the connection has not taken on yet, whichever of its lines sent them. */
  backlog(): number
  close(): void
  /** Ends the connection itself, whatever else goes over it. */
  cut(reason: string): void
}

export interface LineOptions {
  readonly onClose: () => void
  readonly onMalformed?: () => void
  /** Of what was sent in one turn; longer is not looked at. */
  readonly most?: { readonly bytes: number; onMore(): void }
}

/** By the socket below: who closes a line and opens another one does not begin anew. */
const backlogs = new WeakMap<object, { bytes: number }>()

function backlogOf({ stream, mux }: Wire): { bytes: number } {
  const below = stream.rawStream ?? stream
  const backlog = backlogs.get(below) ?? { bytes: 0 }
  backlogs.set(below, backlog)
  if (mux.drained !== false) backlog.bytes = 0
  return backlog
}

const plain = { requestEncoding: null, responseEncoding: null } as const
const nothing = new Uint8Array()
/** So much travels together: what is longer would let the far side wait for its beginning. */
const batchBytes = 1200
const method = 'messages'

/**
 * One event of the library carries all that is sent in one turn: per message it would cost more than all of ours. No requests of the
 * library are used: while the answer to one that came in a batch is pending, it holds back everything that goes out on the connection,
 * replication included. What is not well formed ends the line, as does a taker that throws.
 */
export function lineOf(wire: Wire, takers: Takers, { onClose, onMalformed, most }: LineOptions): Line {
  const { stream } = wire
  const unsent = backlogOf(wire)
  const batch: Uint8Array[] = []
  let heard = 0
  let batched = 0
  let planned = false

  const take = (kind: Kind, body: Uint8Array) => takers[kind]?.(body)
  wire.respond(method, plain, (bytes) => {
    heard++
    if (most && bytes.length > most.bytes) {
      most.onMore()
      return nothing
    }
    try {
      forEachMessage(bytes, take)
    } catch {
      onMalformed?.()
      wire.destroy()
    }
    // Matters only to who asked with a request: without one, the library would throw.
    return nothing
  })
  wire.on('close', onClose)
  stream.on('drain', () => {
    unsent.bytes = 0
  })

  const flush = () => {
    planned = false
    passOn()
  }
  const passOn = () => {
    const bytes = batch.length === 1 ? batch[0]! : b4a.concat(batch, batched)
    batch.length = 0
    batched = 0
    if (wire.closed) return
    wire.event(method, bytes, plain)
    if (wire.mux.drained !== false) unsent.bytes = 0
  }

  return {
    key: keyOf(stream),
    stream,
    get closed() {
      return wire.closed
    },
    send(message) {
      if (wire.closed) return
      if (batched > 0 && batched + message.length > batchBytes) passOn()
      batch.push(message)
      batched += message.length
      unsent.bytes += message.length
      if (planned) return
      planned = true
      queueMicrotask(flush)
    },
    heard: () => heard + (stream.rawStream?.packetsReceived ?? 0),
    // A connection that others keep busy may take on all of ours and never be drained.
    backlog: () => Math.min(unsent.bytes, stream.buffered ?? unsent.bytes),
    close: () => wire.destroy(),
    cut(reason) {
      wire.destroy()
      stream.cut?.(reason)
    },
  }
}
