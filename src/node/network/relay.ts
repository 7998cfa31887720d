import { Server as BlindRelay } from 'blind-relay'
import type HyperDHT from 'hyperdht'
import type { NoiseStream } from 'hyperdht'
import { type Key, type KeyPair, keyOf } from '#keys'

/** Passes on between members, and from guests to doors; it sees who talks to whom and how much, never what. */
export interface Relay {
  readonly key: Key
  stats(): { sessions: number; pairs: number }
  /** Ends what this key has open here, and what is passed on for it. */
  drop(key: Key): void
  close(): Promise<void>
}

/** Sessions of one member at once: it may meet each other member through us, but not more. */
const maxSessions = 4_096
/** Of one visitor at once: it goes to one door. */
const maxVisits = 4

export interface RelayRules {
  admits(key: Key): boolean
  /** Of no member, and let in all the same. */
  visits(key: Key): boolean
}

export function openRelay(dht: HyperDHT, keyPair: KeyPair, { admits, visits }: RelayRules): Relay {
  const relay = new BlindRelay({ createStream: (options) => dht.createRawStream({ ...options, framed: true }) })
  const streams = new Map<Key, Set<NoiseStream>>()
  let count = 0
  const mayCome = (key: Key) => (visits(key) ? (streams.get(key)?.size ?? 0) < maxVisits : admits(key))
  const server = dht.createServer(
    { firewall: (publicKey) => count >= maxSessions || !mayCome(keyOf({ publicKey })) },
    (stream) => {
      const key = keyOf({ publicKey: stream.remotePublicKey })
      const open = streams.get(key) ?? new Set()
      streams.set(key, open.add(stream))
      count++
      stream.on('error', () => {})
      stream.on('close', () => {
        count--
        open.delete(stream)
        if (open.size === 0) streams.delete(key)
      })
      relay.accept(stream, { id: stream.remotePublicKey }).on('error', () => {})
    },
  )
  // In the background: the DHT may not be there yet.
  server.listen(keyPair).catch(() => {})
  return {
    key: keyOf(keyPair),
    stats: () => ({ sessions: count, pairs: relay.stats.pairings.active }),
    drop(key) {
      for (const stream of streams.get(key) ?? []) stream.destroy(new Error('dropped'))
    },
    async close() {
      for (const open of streams.values()) for (const stream of open) stream.destroy()
      await relay.close().catch(() => {})
    },
  }
}
