import type { NoiseStream } from 'hyperdht'
import { fingerprintOf, type Key, keyOf } from '#keys'
import { type Bucket, bucket, type Clock, type Log } from '#model'
import { type Hello, type Link, openLink } from './link.js'
import type { OnPeer, Peer } from './peer.js'
import type { Refusals } from './refusals.js'
import type { Timings } from './timings.js'
import type { Wire } from './wire.js'

/** Everyone we are connected to: of any number of streams to a key, over any wire, one is kept. */
export interface Peers {
  add(wire: Wire, stream: NoiseStream): void
  /** Why the key may not make one more stream now; undefined: it may. */
  tooMany(key: Key): string | undefined
  get(key: Key): Link | undefined
  list(): Peer[]
  describe(key: Key): Peer | undefined
  readonly size: number
  onPeer(listener: OnPeer): () => void
  /** Resolves once the key is there; the answer forgets it again. */
  whenUp(key: Key, call: (link: Link) => void): () => void
  drop(key: Key, reason: string): void
  /** Looks for signs of life on every link. */
  tick(): void
  close(): void
}

interface PeersOptions {
  readonly ownKey: Key
  /** What we say first. */
  readonly hello: Hello
  readonly clock: Clock
  readonly log: Log
  readonly timings: Timings
  readonly refusals: Refusals
  /** A peer is gone; `silent`: it said nothing any more, and did not close. */
  onDown(link: Link, silent: boolean): void
  onUp(link: Link): void
}

/** Streams of one key at once: two calls from each side over two wires, and as many that are dead and still open. */
const maxStreams = 8
/** New streams of one key a minute. Each can begin one message of 16 MiB, and who was shown out comes again with a new one. */
const streamsPerMinute = 120
/** So many processes of one key are remembered. */
const maxProcesses = 5

export function createPeers({ ownKey, hello, clock, log, timings, refusals, onDown, onUp }: PeersOptions): Peers {
  /** Streams of any state, and those that are used. */
  const links = new Set<Link>()
  const known = new WeakSet<NoiseStream>()
  const settled = new Map<Key, { link: Link; since: number; cleanups: Map<OnPeer, (() => void) | undefined> }>()
  const silent = new Set<Link>()
  const waiting = new Map<Key, Set<(link: Link) => void>>()
  const listeners = new Set<OnPeer>()
  /** The processes that were met under a key, the latest first. */
  const processes = new Map<Key, string[]>()
  /** How many streams each key may still make. */
  const rates = new Map<Key, Bucket>()
  let lookedAt = clock.hr()

  const greet = (listener: OnPeer, link: Link): (() => void) | undefined => {
    try {
      return listener(link.key, link.stream)
    } catch (error) {
      log.error({ err: error, peer: fingerprintOf(link.key) }, 'a peer could not be taken up')
      return undefined
    }
  }
  const part = (cleanup: (() => void) | undefined) => {
    try {
      cleanup?.()
    } catch (error) {
      log.error({ err: error }, 'a peer could not be let go')
    }
  }

  const settle = (link: Link) => {
    const before = settled.get(link.key)
    if (before?.link === link) return
    if (before) {
      unsettle(before.link)
      before.link.close('replaced by a newer connection')
    }
    remember(link)
    const entry = { link, since: clock.now(), cleanups: new Map<OnPeer, (() => void) | undefined>() }
    settled.set(link.key, entry)
    for (const listener of listeners) entry.cleanups.set(listener, greet(listener, link))
    onUp(link)
    const calls = waiting.get(link.key)
    waiting.delete(link.key)
    for (const call of calls ?? []) call(link)
  }

  const unsettle = (link: Link): boolean => {
    const entry = settled.get(link.key)
    if (entry?.link !== link) return false
    settled.delete(link.key)
    for (const cleanup of entry.cleanups.values()) part(cleanup)
    return true
  }

  const remember = ({ key, instance }: Link) => {
    const known = processes.get(key) ?? []
    if (known[0] !== instance) processes.set(key, [instance, ...known].slice(0, maxProcesses))
  }

  /** A process that was followed by a later one of the same key has died; if it comes again, two are running with one key. */
  const isClone = ({ key, instance }: Link) => (processes.get(key)?.indexOf(instance) ?? 0) > 0

  const onHello = (link: Link) => {
    if (isClone(link)) {
      refusals.count('clone', link.key)
      log.warn({ peer: fingerprintOf(link.key) }, 'two processes run with the same key: the older one is refused')
      return link.close('another process runs with this key')
    }
    const present = settled.get(link.key)?.link
    // The greater key chooses; the other side waits for its word.
    if (ownKey < link.key) return
    if (present && present.instance === link.instance && present.silentMs(clock.hr()) < timings.beatMs * 1.5) {
      link.wire.callBack(link.key, false)
      return link.close('duplicate')
    }
    link.choose()
    settle(link)
  }

  const rateOf = (key: Key): Bucket => {
    const rate = rates.get(key) ?? bucket(clock.hr(), streamsPerMinute / 60, streamsPerMinute)
    rates.set(key, rate)
    return rate
  }
  const tooMany = (key: Key): string | undefined => {
    let streams = 0
    for (const link of links) if (link.key === key) streams++
    if (streams >= maxStreams) return 'streams-per-key'
    return rates.get(key)?.empty(clock.hr()) ? 'streams-per-minute' : undefined
  }

  return {
    get size() {
      return settled.size
    },
    add(wire, stream) {
      if (known.has(stream)) return
      known.add(stream)
      const key = keyOf({ publicKey: stream.remotePublicKey })
      if (!stream.isInitiator) {
        // Asked again: several may have been on their way together when the first was let in.
        const why = tooMany(key)
        rateOf(key).take(clock.hr())
        if (why) {
          refusals.count(why, key)
          stream.destroy(new Error(why))
          return
        }
      }
      const link = openLink({
        stream,
        wire,
        key,
        hello,
        hr: () => clock.hr(),
        timings,
        onHello,
        onChosen: settle,
        onDead(dead) {
          silent.add(dead)
          dead.close('no sign of life')
        },
        onSlow(slow) {
          refusals.count('unfinished-message', key)
          slow.close('a message that does not end')
        },
      })
      if (!link) return
      links.add(link)
      stream.once('close', () => {
        links.delete(link)
        const wasSilent = silent.delete(link)
        if (unsettle(link)) onDown(link, wasSilent)
      })
    },
    tooMany,
    get: (key) => settled.get(key)?.link,
    list: () => [...settled.values()].map(describe),
    describe(key) {
      const entry = settled.get(key)
      return entry && describe(entry)
    },
    onPeer(listener) {
      // A function of its own: the same one given twice is called twice.
      const own: OnPeer = (key, stream) => listener(key, stream)
      listeners.add(own)
      for (const { link, cleanups } of settled.values()) cleanups.set(own, greet(own, link))
      return () => {
        listeners.delete(own)
        for (const { cleanups } of settled.values()) {
          part(cleanups.get(own))
          cleanups.delete(own)
        }
      }
    },
    whenUp(key, call) {
      const present = settled.get(key)?.link
      if (present) {
        call(present)
        return () => {}
      }
      const calls = waiting.get(key) ?? new Set()
      waiting.set(key, calls.add(call))
      return () => {
        calls.delete(call)
        if (calls.size === 0 && waiting.get(key) === calls) waiting.delete(key)
      }
    },
    drop(key, reason) {
      for (const link of links) if (link.key === key) link.close(reason)
    },
    tick() {
      const now = clock.hr()
      // A process that stood still has heard nobody, and may not blame them.
      const lateMs = now - lookedAt - timings.tickMs
      lookedAt = now
      for (const link of links) link.tick(now, lateMs > timings.tickMs ? lateMs : 0)
    },
    close() {
      for (const { cleanups } of settled.values()) for (const cleanup of cleanups.values()) part(cleanup)
      settled.clear()
      for (const link of links) link.close('closing')
    },
  }
}

function describe({ link, since }: { link: Link; since: number }): Peer {
  const { stream, wire, key, rttMs, relay } = link
  const host = stream.rawStream?.remoteHost ?? null
  const port = stream.rawStream?.remotePort ?? null
  return {
    key,
    via: host !== null && port !== null && wire.dht.isRelay({ host, port }, relay) ? 'relayed' : 'direct',
    place: wire.place,
    rttMs,
    since,
    remoteHost: host,
    remotePort: port,
    bytes: { read: stream.rawBytesRead, written: stream.rawBytesWritten },
  }
}
