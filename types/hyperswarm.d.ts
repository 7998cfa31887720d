declare module 'hyperswarm' {
  import type { EventEmitter } from 'node:events'
  import type HyperDHT from 'hyperdht'
  import type { KeyPair, NoiseStream, Server } from 'hyperdht'

  /** What the swarm knows of a key it met, was told or refused. */
  export interface PeerInfo {
    readonly publicKey: Uint8Array
    readonly topics: readonly Uint8Array[]
    readonly explicit: boolean
    readonly queued: boolean
    /** Failed or ended connections in a row; past three it is no longer tried. */
    attempts: number
    banned: boolean
    ban(banned: boolean): void
    /** false: not to be called back when its connection ends. */
    reconnect(again: boolean): void
  }
  export interface Discovery {
    refresh(roles?: { client?: boolean; server?: boolean }): Promise<boolean>
    flushed(): Promise<boolean>
    destroy(): Promise<void>
  }
  export interface Options {
    dht: HyperDHT
    keyPair: KeyPair
    /** true refuses, and bans the key until the ban is lifted. */
    firewall(remotePublicKey: Uint8Array, payload: unknown): boolean
    relayThrough?: (force: boolean | undefined, swarm: Hyperswarm) => Uint8Array | readonly Uint8Array[] | null
    maxPeers?: number
    maxParallel?: number
    backoffs?: readonly number[]
    jitter?: number
  }

  /** Events: `connection` (NoiseStream, PeerInfo), `ban` (PeerInfo, Error), `update`. */
  export default class Hyperswarm extends EventEmitter {
    constructor(options: Options)
    readonly dht: HyperDHT
    readonly server: Server
    readonly peers: Map<string, PeerInfo>
    readonly connections: Set<NoiseStream>
    readonly destroyed: boolean
    readonly suspended: boolean
    /** Inner: those that are being made, too. */
    readonly _allConnections: { get(publicKey: Uint8Array): NoiseStream | undefined }
    /** Inner: takes a connection that a peer has made. */
    _handleServerConnection(stream: NoiseStream): void
    listen(): Promise<void>
    join(topic: Uint8Array, roles: { client: boolean; server: boolean }): Discovery
    leave(topic: Uint8Array): Promise<void>
    joinPeer(publicKey: Uint8Array): void
    leavePeer(publicKey: Uint8Array): void
    /** Leaves every topic. */
    clear(): Promise<unknown>
    suspend(): Promise<void>
    resume(): Promise<void>
    destroy(options?: { force?: boolean }): Promise<void>
  }
}
