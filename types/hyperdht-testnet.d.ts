declare module 'hyperdht/testnet.js' {
  import type { RpcNetwork } from '#rpc'

  interface KeyPair {
    readonly publicKey: Uint8Array
    readonly secretKey: Uint8Array
  }
  export interface Address {
    readonly host: string
    readonly port: number
  }
  export interface Node extends RpcNetwork {
    destroy(options?: { force?: boolean }): Promise<void>
  }
  export interface Testnet {
    readonly bootstrap: Address[]
    /** On 127.0.0.1. Destroyed with the testnet. */
    createNode(options?: { keyPair?: KeyPair; bootstrap?: Address[] }): Node
    destroy(): Promise<void>
  }
  /** A DHT of its own. Two nodes at least, or nobody can connect; none: only a maker of nodes for a DHT that is there. */
  export default function createTestnet(size: number, options: { host: '127.0.0.1' }): Promise<Testnet>
}
