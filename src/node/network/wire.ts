import type { NoiseStream } from 'hyperdht'
import type Hyperswarm from 'hyperswarm'
import type { Discovery, PeerInfo } from 'hyperswarm'
import { bytesOf, type Key, type KeyPair, keyOf } from '#keys'
import type { Clock, Log } from '#model'
import { assertBindable, bindAddressOf, sourceAddress } from './addresses.js'
import type { RelayOptions } from './options.js'
import { openRelay, type Relay } from './relay.js'
import type { Timings } from './timings.js'
import { isPunchFailure, WatchedDht } from './watched-dht.js'
import { WatchedSwarm } from './watched-swarm.js'

/** One DHT node of our own and one swarm on it. When the address under it is gone it is opened anew on the present one. */
export interface Wire {
  readonly place: 'main' | 'site'
  readonly dht: WatchedDht
  readonly swarm: Hyperswarm
  readonly relay: Relay | undefined
  /** Relays of others that may help where no hole can be punched; null: there are none. */
  relays(): Uint8Array[] | null
  /** Calls this key now, unless it is being called; the outcome comes by `onAttempt`, or as a stream. */
  dial(key: Key): void
  /** Ends a call that has not come through. */
  hangUp(key: Key): void
  /** No longer to be called back. */
  forget(key: Key): void
  /** Its connection is not to be called back by the swarm, or is again. */
  callBack(key: Key, again: boolean): void
  /** All that is open to it, and to the relay that it serves. */
  drop(key: Key, relay: Key | undefined): void
  join(topic: Uint8Array): void
  leave(topic: Uint8Array): void
  flushed(): Promise<void>
  /** Announces and looks up anew, for the network may have changed. */
  refresh(): void
  suspend(): Promise<void>
  resume(): Promise<void>
  close(): Promise<void>
}

export interface WireOptions {
  readonly place: 'main' | 'site'
  /** `host:port` each, resolved; those of `public` too. */
  readonly bootstrap: readonly string[]
  readonly host: string | undefined
  readonly port: number | undefined
  readonly flat: boolean
  readonly keyPair: KeyPair
  readonly announce: boolean
  readonly relay: RelayOptions | undefined
  readonly maxPeers: number
  readonly timings: Timings
  readonly clock: Clock
  readonly log: Log
  /** Whether this key is refused; `calling`: it is we who would call it. */
  refuses(key: Key, calling: boolean): boolean
  onStream(wire: Wire, stream: NoiseStream): void
  /** A call that ended without a connection. */
  onFailure(wire: Wire, key: Key, code: string): void
}

interface Live {
  readonly dht: WatchedDht
  readonly swarm: Hyperswarm
  readonly relay: Relay | undefined
  readonly source: string | null
}

/** How the swarm ends a call when the other side's call has come through first. */
const duplicate = 'Duplicate connection'
const maxParallelCalls = 16
const reopenPauseMs = 1_000
/** An interface goes up in several steps. */
const settleMs = 200

export async function openWire(options: WireOptions): Promise<Wire> {
  const { place, bootstrap, keyPair, announce, timings, clock, log } = options
  const topics = new Map<string, { topic: Uint8Array; discovery: Discovery }>()
  const dialling = new Map<Key, NoiseStream>()
  let closed = false
  let suspended = false
  let stopSettling = () => {}

  const open = async (): Promise<Live> => {
    // Before anything is open: a peer may come as soon as it is.
    const source = await sourceAddress(bootstrap, options.host)
    const host = bindAddressOf(options.host)
    await assertBindable(host, options.port ?? 0)
    const dht = new WatchedDht(
      {
        bootstrap,
        keyPair,
        host,
        randomPunchInterval: timings.randomPunchMs,
        ...(options.port === undefined ? { port: [0, 0] } : { port: [options.port, options.port + 1], anyPort: false }),
        ...(options.flat ? { firewalled: false } : {}),
      },
      onCall,
    )
    await dht.bind()
    const swarm = new WatchedSwarm(
      {
        dht,
        keyPair,
        firewall: (publicKey, payload) => options.refuses(keyOf({ publicKey }), payload === null),
        relayThrough: (force) => (force === true || dht.randomized ? wire.relays() : null),
        // The swarm counts a connection up to four times when it holds peers by key; the real limit is in `refuses`.
        maxPeers: options.maxPeers * 4,
        maxParallel: maxParallelCalls,
      },
      (stream) => options.onStream(wire, stream),
    )
    // The swarm bans for good whom it has refused once, and keeps all their keys. Who may come in is asked at each handshake instead.
    swarm.on('ban', (info: PeerInfo) => {
      info.ban(false)
      if (!info.explicit) swarm.leavePeer(info.publicKey)
    })
    swarm.on('connection', (stream: NoiseStream) => {
      stream.on('error', () => {})
      options.onStream(wire, stream)
    })
    dht.on('network-change', () => {
      stopSettling()
      stopSettling = clock.after(settleMs, () => void networkChanged())
    })
    swarm.listen().catch((error) => {
      if (!closed) log.warn({ err: error, place }, 'cannot be announced in the DHT now')
    })
    const serve = options.relay?.serve
    const relay = serve
      ? openRelay(dht, serve, {
          admits: (key) => !options.refuses(key, false),
          visits: (key) => options.relay?.visits?.(key) ?? false,
        })
      : undefined
    return { dht, swarm, relay, source }
  }

  const onCall = (publicKey: Uint8Array, stream: NoiseStream) => {
    const key = keyOf({ publicKey })
    dialling.set(key, stream)
    let code = 'ENDED'
    let opened = false
    stream.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code ?? error.message
    })
    stream.once('open', () => {
      opened = true
      if (dialling.get(key) === stream) dialling.delete(key)
    })
    stream.once('close', () => {
      if (dialling.get(key) === stream) dialling.delete(key)
      if (opened || closed || code === duplicate) return
      // After the swarm has had its turn: it notes that the next call has to go through a relay.
      queueMicrotask(() => {
        const relayed = isPunchFailure(code) && wire.relays() !== null
        if (relayed && !triedRelay.has(key)) {
          triedRelay.add(key)
          return wire.dial(key)
        }
        triedRelay.delete(key)
        options.onFailure(wire, key, code)
      })
    })
  }
  /** Keys whose last call failed for want of a hole, and that are being called through a relay. */
  const triedRelay = new Set<Key>()

  /** Interfaces came or went. If our address went, everything bound to it is dead; else it is enough to look around anew. */
  const networkChanged = async () => {
    if (closed || suspended) return
    const source = await sourceAddress(bootstrap, options.host)
    if (closed || suspended || source === null) return
    if (source === live.source) return wire.refresh()
    log.info({ place, from: live.source, to: source }, 'our address changed: the network is opened anew')
    await reopen()
  }

  const reopen = async () => {
    await shut(live, 0)
    for (;;) {
      if (closed) return
      try {
        live = await open()
        break
      } catch (error) {
        log.warn({ err: error, place }, 'the network cannot be opened now')
        await new Promise<void>((resolve) => clock.after(reopenPauseMs, resolve))
      }
    }
    for (const each of topics.values()) each.discovery = joinOn(live, each.topic)
  }

  const joinOn = ({ swarm }: Live, topic: Uint8Array) => swarm.join(topic, { client: true, server: announce })

  /** Says goodbye if that takes no longer than `withinMs`. */
  const shut = async ({ dht, swarm, relay }: Live, withinMs: number) => {
    await relay?.close()
    let stop = () => {}
    const late = new Promise<void>((resolve) => {
      stop = clock.after(withinMs, resolve)
    })
    if (withinMs > 0) await Promise.race([swarm.destroy().catch(() => {}), late])
    stop()
    await dht.destroy({ force: true }).catch(() => {})
    // The swarm keeps its topics' timers otherwise; with the DHT gone nothing of this waits for the network.
    await swarm.clear().catch(() => {})
    await swarm.destroy({ force: true }).catch(() => {})
  }

  const wire: Wire = {
    place,
    get dht() {
      return live.dht
    },
    get swarm() {
      return live.swarm
    },
    get relay() {
      return live.relay
    },
    relays() {
      const own = options.relay?.serve && keyOf(options.relay.serve)
      const others = (options.relay?.through?.() ?? []).filter((key) => key !== own)
      return others.length === 0 ? null : others.map(bytesOf)
    },
    dial(key) {
      if (closed || suspended || dialling.has(key)) return
      const info = live.swarm.peers.get(key)
      if (info) info.attempts = 0
      live.swarm.joinPeer(bytesOf(key))
    },
    hangUp: (key) => void dialling.get(key)?.destroy(new Error('hung up')),
    forget: (key) => live.swarm.leavePeer(bytesOf(key)),
    callBack: (key, again) => live.swarm.peers.get(key)?.reconnect(again),
    drop(key, relay) {
      live.swarm.leavePeer(bytesOf(key))
      wire.hangUp(key)
      live.relay?.drop(key)
      if (relay) live.dht.dropRelay(relay)
    },
    join(topic) {
      const id = keyOf({ publicKey: topic })
      if (!topics.has(id)) topics.set(id, { topic, discovery: joinOn(live, topic) })
    },
    leave(topic) {
      topics.delete(keyOf({ publicKey: topic }))
      live.swarm.leave(topic).catch(() => {})
    },
    async flushed() {
      await live.swarm.listen().catch(() => {})
      await Promise.all([...topics.values()].map(({ discovery }) => discovery.flushed()))
    },
    refresh() {
      if (closed || suspended) return
      live.swarm.server.refresh()
      live.dht.refresh()
      for (const { discovery } of topics.values()) discovery.refresh().catch(() => {})
    },
    async suspend() {
      if (suspended) return
      suspended = true
      await live.swarm.suspend()
    },
    async resume() {
      if (!suspended) return
      await live.swarm.resume()
      suspended = false
      await networkChanged()
    },
    async close() {
      closed = true
      stopSettling()
      await shut(live, timings.closeMs)
    },
  }
  let live = await open()
  return wire
}
