declare module 'hyperdht' {
  import type { EventEmitter } from 'node:events'
  import type { Duplex } from 'node:stream'

  export interface KeyPair {
    publicKey: Uint8Array
    secretKey: Uint8Array
  }
  export interface Address {
    host: string
    port: number
  }
  /** The UDP stream below the encryption. */
  export interface RawStream extends EventEmitter {
    readonly id: number
    readonly remoteHost: string | null
    readonly remotePort: number
    /** Datagrams of the other end, acknowledgements too: also those of a stream that nobody reads. */
    readonly packetsReceived: number
    destroy(error?: Error): void
  }
  /** An encrypted stream to one key; it never holds bytes of a peer that has not proved its key. */
  export interface NoiseStream extends Duplex {
    readonly publicKey: Uint8Array
    readonly remotePublicKey: Uint8Array
    readonly handshakeHash: Uint8Array | null
    readonly isInitiator: boolean
    readonly rawStream: RawStream | null
    readonly rawBytesRead: number
    readonly rawBytesWritten: number
    readonly opened: Promise<boolean>
    /** It is being ended, or has ended. */
    readonly destroying: boolean
    /** What works upon the stream: a protomux, if any. */
    userData: unknown
    destroy(error?: Error): this
  }
  export interface ConnectOptions {
    keyPair?: KeyPair
    relayThrough?: unknown
    relayAddresses?: unknown
  }
  export interface ServerOptions {
    /** true refuses; asked before anything is answered. */
    firewall?(remotePublicKey: Uint8Array, payload: unknown): boolean | Promise<boolean>
    /** Asked at each handshake: one of these is told to the other side, and both call it. */
    relayThrough?(): Uint8Array[] | null
  }
  export interface Server extends EventEmitter {
    readonly publicKey: Uint8Array | null
    listen(keyPair: KeyPair): Promise<void>
    /** Announces itself anew within seconds. */
    refresh(): void
    close(): Promise<void>
  }
  export interface Options {
    bootstrap?: readonly (string | Address)[]
    host?: string
    /** One port, or a range [from, to). */
    port?: number | readonly [number, number]
    /** false: no other port if this one is taken. */
    anyPort?: boolean
    keyPair?: KeyPair
    ephemeral?: boolean
    firewalled?: boolean
    randomPunchInterval?: number
    connectionKeepAlive?: number
  }
  export interface Query extends AsyncIterable<{ from: Address; peer?: { publicKey: Uint8Array } }> {
    destroy(): void
    finished(): Promise<void>
  }

  /** Events: `network-change` (interfaces), `network-update` (online or not), `nat-update`, `persistent`. */
  class HyperDHT extends EventEmitter {
    constructor(options?: Options)
    static keyPair(seed?: Uint8Array): KeyPair
    static hash(data: Uint8Array): Uint8Array
    /** A node that others start from, at an address that is known beforehand. */
    static bootstrapper(port: number, host: string, options?: Options): HyperDHT
    static readonly BOOTSTRAP: readonly string[]
    /** As the nodes see us; null while unknown. */
    readonly host: string | null
    /** 0: every one sees another port. */
    readonly port: number
    readonly firewalled: boolean
    readonly randomized: boolean
    readonly online: boolean
    readonly destroyed: boolean
    readonly nodes: { readonly length: number }
    readonly stats: {
      punches: { consistent: number; random: number; open: number }
      relaying: { attempts: number; successes: number; aborts: number }
    }
    bind(): Promise<void>
    fullyBootstrapped(): Promise<void>
    address(): Address | null
    localAddress(): Address | null
    /** Our own address if everyone can reach it. */
    remoteAddress(): Address | null
    addNode(address: Address): void
    refresh(): void
    ping(address: Address, options?: { retry?: boolean }): Promise<unknown>
    findPeer(publicKey: Uint8Array): Query
    connect(publicKey: Uint8Array, options?: ConnectOptions): NoiseStream
    createServer(options: ServerOptions, onconnection: (stream: NoiseStream) => void): Server
    createRawStream(options: object): RawStream
    suspend(): Promise<void>
    resume(): Promise<void>
    destroy(options?: { force?: boolean }): Promise<void>
  }
  export default HyperDHT
}
