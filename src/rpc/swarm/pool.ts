import type { Key } from '#keys'
import { type Clock, SdkError, toSdkError } from '#model'
import type { Transport } from '../contract.js'
import { notBegun } from '../failover.js'
import { defaultTimeoutMs } from '../serve.js'
import { encodeAddress, encodeAsked } from './envelope.js'
import type { PoolLimits } from './limits.js'
import type { Ask } from './link.js'
import { createPeer, type Dial, type Peer, type PeerStats } from './peer.js'

/** The far side keeps the deadline; the near side gives up only if it does not. */
const graceMs = 250

export interface SwarmPool {
  /**
   * To a service of a peer. Rejects with UNAVAILABLE if the peer is not reached or lost, RATE_LIMITED if too many calls wait for it; see
   * `surelyNotBegun`. A query is asked once more, over a new connection, if its connection was lost.
   */
  transport(key: Key, contract: string, service: string): Transport
  /** The round trip, ms; rejects with UNAVAILABLE or TIMEOUT. */
  ping(key: Key, ms: number): Promise<number>
  /** Stays connected with the peer and says when it is there and, within 3 s, when it is gone. Answers how to stop. */
  watch(key: Key, listener: (here: boolean) => void): () => void
  /** Ends the connection to the peer, what is under way and who watches it; a later call connects anew. */
  drop(key: Key): void
  stats(): Readonly<Record<Key, PeerStats>>
  close(): Promise<void>
}

export interface PoolParts {
  readonly dial: Dial
  readonly clock: Clock
  readonly random: () => number
  readonly limits: PoolLimits
  readonly nameOf: (key: Key) => string
  readonly onClose: () => Promise<void>
}

export function createPool({ dial, clock, random, limits, nameOf, onClose }: PoolParts): SwarmPool {
  const peers = new Map<Key, Peer>()
  let closed = false

  const peerOf = (key: Key): Peer => {
    let peer = peers.get(key)
    if (!peer) {
      peer = createPeer({ key, name: () => nameOf(key), dial, clock, random, limits, onIdle: () => peers.delete(key) })
      peers.set(key, peer)
    }
    return peer
  }
  const gone = () => notBegun(new SdkError('UNAVAILABLE', 'this node is closing'))

  const transport: SwarmPool['transport'] = (key, contract, service) => {
    const address = encodeAddress(contract, service)
    return (request, { signal, caller, timeoutMs = defaultTimeoutMs, repeatable = false }) =>
      new Promise((resolve, reject) => {
        if (closed) throw gone()
        const peer = peerOf(key)
        const one: Ask = {
          address,
          asked: encodeAsked(caller),
          request,
          repeatable,
          until: clock.hr() + timeoutMs + graceMs,
          resolve,
          reject,
          sent: false,
          lost: 0,
          id: 0,
        }
        const signals = signal || caller?.signal ? [signal, caller?.signal] : undefined
        if (!signals) return peer.submit(one)
        const end = onAbort(signals, (error) => {
          peer.cancel(one)
          reject(one.sent ? error : notBegun(error))
        })
        one.resolve = (reply) => {
          end()
          resolve(reply)
        }
        one.reject = (error) => {
          end()
          reject(error)
        }
        if (!signals.some((each) => each?.aborted)) peer.submit(one)
      })
  }

  return {
    transport,
    async ping(key, ms) {
      if (closed) throw gone()
      return peerOf(key).ping(ms)
    },
    watch: (key, listener) => peerOf(key).watch(listener),
    drop(key) {
      peers.get(key)?.drop(new SdkError('UNAVAILABLE', `the connection to ${nameOf(key)} was ended`))
      peers.delete(key)
    },
    stats: () => Object.fromEntries([...peers].map(([key, peer]) => [key, peer.stats()])),
    async close() {
      if (closed) return
      closed = true
      for (const peer of peers.values()) peer.drop(gone())
      peers.clear()
      await onClose()
    },
  }
}

/** Calls once when one of them aborts or has; answers how to stop. */
function onAbort(signals: readonly (AbortSignal | undefined)[], call: (error: SdkError) => void): () => void {
  const end = () => {
    for (const signal of signals) signal?.removeEventListener('abort', listener)
  }
  const abort = ({ reason }: AbortSignal) => {
    end()
    call(toSdkError(reason, 'CANCELLED'))
  }
  const listener = (event: Event) => abort(event.target as AbortSignal)
  for (const signal of signals) signal?.addEventListener('abort', listener)
  const before = signals.find((signal) => signal?.aborted)
  if (before) abort(before)
  return end
}
