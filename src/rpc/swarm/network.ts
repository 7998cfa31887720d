import b4a from 'b4a'
import type { Key } from '#keys'

export interface KeyPair {
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

/** What is used of a Noise stream to a peer. Only the first two are there in any case. */
export interface NoiseStream {
  readonly remotePublicKey: Uint8Array
  on(event: 'error', listener: (error: Error & { code?: string }) => void): unknown
  on(event: 'drain', listener: () => void): unknown
  destroy(error?: Error): unknown
  /** Bytes of whole messages that have arrived. */
  readonly rawBytesRead?: number
  /** The socket below. */
  readonly rawStream?: {
    readonly packetsReceived?: number
    /** Called by the Noise stream with what is still to come of a message, before it is collected. */
    setContentSize?(bytes: number): void
  } | null
}

/** What RPC needs of a network; a HyperDHT is one. */
export interface RpcNetwork {
  connect(publicKey: Uint8Array, options: { keyPair?: KeyPair }): NoiseStream
  createServer(options: { firewall?: (publicKey: Uint8Array) => boolean }): {
    on(event: 'connection', listener: (stream: NoiseStream) => void): unknown
  }
  /** The streams carry more than RPC (replication): then none is closed because RPC is idle, and messages may be as long as the stack allows. */
  readonly shared?: boolean
}

export function keyOf(stream: NoiseStream): Key {
  return b4a.toString(stream.remotePublicKey, 'hex')
}
