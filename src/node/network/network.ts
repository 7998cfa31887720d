import type { Key, KeyPair } from '#keys'
import type { Diagnosis } from './diagnose.js'
import type { DoorOptions } from './door.js'
import type { OnPeer, Peer } from './peer.js'
import type { RpcFace } from './rpc-face.js'

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
  /** Listens with another key pair besides, over the same DHT. */
  listen(keyPair: KeyPair, options: DoorOptions): { close(): Promise<void> }
  /** `host:port` of nodes of its DHT; empty for the public one. */
  bootstrap(): readonly string[]
  refusals(): Record<string, number>
  /** Where we are; with a key also why it cannot be reached. */
  diagnose(key?: Key): Promise<Diagnosis>
  suspend(): Promise<void>
  resume(): Promise<void>
  close(): Promise<void>
}
