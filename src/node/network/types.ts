import type { Duplex } from 'node:stream'
import type { Key, KeyPair } from '#keys'
import type { Clock, Log } from '#model'
import type { Bootstrap } from '../environment.js'
import type { Diagnosis } from './diagnose.js'
import type { RpcFace } from './rpc-face.js'
import type { Timings } from './timings.js'

/** One DHT to meet in. */
export interface Place {
  readonly bootstrap: Bootstrap
  /** The address to bind; default all, in `local` loopback. */
  readonly host?: string | undefined
  /** The UDP port to bind; default any free one. */
  readonly port?: number | undefined
  /**
   * Whether all peers reach each other without a NAT between them, as in a LAN: then nobody punches holes. Default: true if all addresses
   * of the list are private ones.
   */
  readonly flat?: boolean | undefined
}

export interface NetworkOptions extends Place {
  /** Who we are, in every handshake. */
  readonly keyPair: KeyPair
  /** A second DHT of the site alone, so that its services meet while the way out is cut. */
  readonly site?: Place | undefined
  /** The folder of the site that all its processes on this host share; needed by `local`. */
  readonly folder?: string | undefined
  /** Whom to let in, asked at every handshake: true, or false or a word why not (counted in `refusals`). */
  readonly admits: (key: Key) => boolean | string
  /** 32 bytes of `topicOf`; may be set later with `setTopic`. */
  readonly topic?: Uint8Array | undefined
  /** Whether we can be found on the topic. Aggregators and gateways announce; the others look them up. */
  readonly announce: boolean
  readonly relay?: RelayOptions | undefined
  /** Peers connected at once; default 4096. More are refused as `full`. */
  readonly maxPeers?: number | undefined
  readonly timings?: Partial<Timings> | undefined
  readonly clock: Clock
  readonly log: Log
  readonly signal?: AbortSignal | undefined
}

export interface RelayOptions {
  /** Passes on between members that cannot reach each other, under this key pair (not that of the node: a peer may need both at once). */
  readonly serve?: KeyPair | undefined
  /** The relays to ask where no hole can be punched; asked at each attempt. */
  readonly through?: (() => readonly Key[]) | undefined
}

export interface Peer {
  readonly key: Key
  /** Through a member that passes on what it cannot read. */
  readonly via: 'direct' | 'relayed'
  /** Over which of the two networks. */
  readonly place: 'main' | 'site'
  /** null: not measured yet. */
  readonly rttMs: number | null
  readonly since: number
  readonly remoteHost: string | null
  readonly remotePort: number | null
  readonly bytes: { readonly read: number; readonly written: number }
}

/** Called for each peer, those already there too; what it answers is called when the peer is gone. */
export type OnPeer = (key: Key, stream: Duplex) => (() => void) | undefined

export interface Network {
  readonly key: Key
  /** Shaped as @hyperswarm/rpc wants its `dht`; calls go over the one connection of each pair. */
  readonly dht: RpcFace
  peers(): Peer[]
  peer(key: Key): Peer | undefined
  /** Resolves when the peer is there; UNAVAILABLE, FORBIDDEN or TIMEOUT say why not. It is not held: see `joinPeer`. */
  connect(key: Key, options?: { signal?: AbortSignal }): Promise<Peer>
  /** Holds a connection to this key: calls it again whenever it is lost. */
  joinPeer(key: Key): void
  leavePeer(key: Key): void
  onPeer(listener: OnPeer): () => void
  /** Says that `admits` has changed its mind for the better: the key is called at once if it is wanted. */
  admit(key: Key): void
  /** Closes all that is open to this key, attempts and relayed streams too. */
  drop(key: Key): void
  /** Meets on the topic of this epoch from now on; the one before is kept for a while. */
  setTopic(secret: Uint8Array, epoch: number): void
  /** Resolves when the topic has been announced and looked up once, or cannot be. */
  flushed(): Promise<void>
  refusals(): Record<string, number>
  /** Where we are; with a key also why it cannot be reached. */
  diagnose(key?: Key): Promise<Diagnosis>
  suspend(): Promise<void>
  resume(): Promise<void>
  close(): Promise<void>
}
