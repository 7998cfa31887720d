declare module '@hyperswarm/rpc' {
  import type { EventEmitter } from 'node:events'

  interface KeyPair {
    readonly publicKey: Uint8Array
    readonly secretKey: Uint8Array
  }
  /** A Noise stream, as far as it is used. */
  interface Stream {
    readonly remotePublicKey: Uint8Array
    on(event: 'error', listener: (error: Error & { code?: string }) => void): unknown
    on(event: 'drain' | 'handshake', listener: () => void): unknown
    destroy(error?: Error): unknown
    readonly rawStream?: {
      readonly packetsReceived?: number
      on?(event: 'data', listener: (chunk: Uint8Array) => void): unknown
    } | null
  }
  interface Dht {
    connect(publicKey: Uint8Array, options: { keyPair?: KeyPair }): Stream
    createServer(options: { firewall?: (publicKey: Uint8Array) => boolean }): {
      on(event: 'connection', listener: (stream: Stream) => void): unknown
    }
  }
  /** No encoding: the bytes as they are. */
  interface Plain {
    readonly requestEncoding: null
    readonly responseEncoding: null
  }

  /** One channel of the package protomux-rpc; events: `open` once the far side has opened it too, `close`. */
  interface Channel extends EventEmitter {
    readonly closed: boolean
    readonly stream: Stream
    readonly mux: { readonly drained: boolean }
    respond(method: string, options: Plain, handler: (bytes: Uint8Array) => Uint8Array): unknown
    /** Throws once the channel is closed. */
    event(method: string, bytes: Uint8Array, options: Plain): void
    request(method: string, bytes: Uint8Array, options: Plain & { timeout: number }): Promise<Uint8Array>
    cork(): void
    uncork(): void
    /** Destroys the stream, too, as does its closing by the far side. */
    destroy(error?: Error): void
  }
  interface Client extends EventEmitter {
    /** There from the beginning unless a capability is used. */
    readonly rpc: Channel
    destroy(error?: Error): void
  }
  interface Server extends EventEmitter {
    listen(keyPair: KeyPair): Promise<void>
    close(): Promise<void>
    respond(method: string, options: Plain, handler: (bytes: Uint8Array) => Uint8Array): unknown
    on(event: 'connection', listener: (channel: Channel) => void): this
  }

  /** Does not destroy a DHT that was given. `keyPair` is used for servers only. */
  export default class RPC {
    constructor(options: { dht: Dht; keyPair: KeyPair })
    connect(publicKey: Uint8Array, options: { keyPair: KeyPair }): Client
    createServer(options: { firewall?: (publicKey: Uint8Array) => boolean }): Server
    destroy(options?: { force?: boolean }): Promise<void>
  }
}
