import b4a from 'b4a'
import type { Key, KeyPair } from '#keys'

export type { KeyPair }

/** What is used of a Noise stream to a peer. */
export interface NoiseStream {
  readonly remotePublicKey: Uint8Array
  on(event: 'error', listener: (error: Error & { code?: string }) => void): unknown
  /** `handshake`: from now on there is a socket, and nothing has come over it yet. */
  on(event: 'drain' | 'handshake', listener: () => void): unknown
  destroy(error?: Error): unknown
  /** Of a shared one: ends the connection itself, whatever else goes over it; `destroy` leaves it to the others. */
  cut?(reason: string): void
  /** Bytes that wait to be written, those of all who share it. */
  readonly buffered?: number | undefined
  /** The socket below, as it is before decryption. */
  readonly rawStream?: {
    /** Datagrams, acknowledgements too. */
    readonly packetsReceived?: number
    on?(event: 'data', listener: (chunk: Uint8Array) => void): unknown
  } | null
}

/** What RPC needs of a network; a HyperDHT is one. */
export interface RpcNetwork {
  connect(publicKey: Uint8Array, options: { keyPair?: KeyPair }): NoiseStream
  createServer(options: { firewall?: (publicKey: Uint8Array) => boolean }): {
    on(event: 'connection', listener: (stream: NoiseStream) => void): unknown
  }
  /** The streams carry more than RPC (replication): then none is closed because RPC is idle, and the network sees to it that messages end. */
  readonly shared?: boolean
}

export function keyOf(stream: NoiseStream): Key {
  return b4a.toString(stream.remotePublicKey, 'hex')
}
