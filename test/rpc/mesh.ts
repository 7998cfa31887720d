import crypto from 'hypercore-crypto'
import createTestnet from 'hyperdht/testnet.js'
import { type Clock, type Log, SdkError } from '#model'
import {
  type Caller,
  type Endpoint,
  type KeyPair,
  type PoolLimits,
  type RpcNetwork,
  type ServerLimits,
  type SwarmPool,
  type SwarmServer,
  swarmPool,
  swarmServer,
} from '#rpc'

export const keyOf = ({ publicKey }: KeyPair) => Buffer.from(publicKey).toString('hex')
export const newKeyPair = (): KeyPair => crypto.keyPair()

/** A node of a mesh: its network, and who it is. */
export interface Member {
  readonly key: string
  readonly keyPair: KeyPair
  readonly network: RpcNetwork & { destroy(options?: { force?: boolean }): Promise<void> }
}

export interface Mesh {
  readonly bootstrap: { host: string; port: number }[]
  /** A new node; the same key pair again is a clone. */
  member(keyPair?: KeyPair): Member
  server(
    at: Member,
    options: {
      callerOf: (key: string) => Caller | SdkError
      resolve: (contract: string, service: string) => Endpoint | undefined
      limits?: Partial<ServerLimits>
      clock?: Clock
      log?: Log
    },
  ): Promise<SwarmServer>
  pool(at: Member, limits?: Partial<PoolLimits>): SwarmPool
  close(): Promise<void>
}

/** A private DHT on loopback, and what is opened on it, closed together. */
export async function openMesh(): Promise<Mesh> {
  const testnet = await createTestnet(3, { host: '127.0.0.1' })
  const open: { close(): Promise<void> }[] = []
  const kept = <T extends { close(): Promise<void> }>(one: T): T => {
    open.push(one)
    return one
  }
  return {
    bootstrap: testnet.bootstrap,
    member(keyPair = newKeyPair()) {
      const network = testnet.createNode({ keyPair })
      return { key: keyOf(keyPair), keyPair, network }
    },
    async server({ network, keyPair }, options) {
      return kept(await swarmServer({ network, keyPair, ...options }))
    },
    pool: ({ network, keyPair }, limits = {}) => kept(swarmPool({ network, keyPair, limits })),
    async close() {
      for (const one of open.reverse()) await one.close()
      await testnet.destroy()
    },
  }
}

/** Lets in whom the map names. */
export function membersOnly(callers: ReadonlyMap<string, Caller>): (key: string) => Caller | SdkError {
  return (key) => callers.get(key) ?? new SdkError('UNAUTHENTICATED', 'no member of this fleet')
}
