import { createRequire } from 'node:module'
import type { Assertions } from 'brittle'
import crypto from 'hypercore-crypto'
import { type Key, type KeyPair, keyOf } from '#keys'
import { silentLog, systemClock } from '#model'
import { bootstrapNodes, type Network, type NetworkOptions, openNetwork } from '#node'

/** Whoever is in it is let in. */
export class Members extends Set<Key> {
  readonly admits = (key: Key) => this.has(key)
  newcomer(): KeyPair {
    const pair = crypto.keyPair()
    this.add(keyOf(pair))
    return pair
  }
}

/** A private DHT on loopback for one test. */
export async function privateDht(t: Assertions): Promise<readonly string[]> {
  for (let attempt = 0; ; attempt++) {
    try {
      const port = 20_000 + Math.floor(Math.random() * 12_000)
      const nodes = await bootstrapNodes({ host: '127.0.0.1', port, clock: systemClock })
      t.teardown(() => nodes.close(), { order: 10 })
      return nodes.addresses
    } catch (error) {
      if (attempt > 10) throw error
    }
  }
}

export type Some = Partial<NetworkOptions> & Pick<NetworkOptions, 'keyPair' | 'bootstrap' | 'admits'>

export async function open(t: Assertions, options: Some): Promise<Network> {
  const network = await openNetwork({
    host: '127.0.0.1',
    announce: false,
    clock: systemClock,
    log: silentLog,
    ...options,
  })
  t.teardown(() => network.close(), { order: 5 })
  return network
}

/** What is used of @hyperswarm/rpc. */
export interface Rpc {
  createServer(): {
    respond(
      method: string,
      handler: (value: Uint8Array, rpc: { stream: { remotePublicKey: Uint8Array } }) => unknown,
    ): void
    listen(): Promise<void>
    close(): Promise<void>
    readonly connections: Set<unknown>
  }
  connect(key: Uint8Array): RpcClient
  request(key: Uint8Array, method: string, value: Uint8Array, options?: object): Promise<Uint8Array>
  destroy(options?: object): Promise<void>
}
export interface RpcClient {
  request(method: string, value: Uint8Array, options?: object): Promise<Uint8Array>
  end(): Promise<void>
  destroy(): void
  on(event: string, call: () => void): void
  readonly closed: boolean
}
const HyperswarmRpc = createRequire(import.meta.url)('@hyperswarm/rpc') as new (options: object) => Rpc

export function rpcOn(network: Network, keyPair: KeyPair): Rpc {
  return new HyperswarmRpc({ dht: network.dht, keyPair })
}

/** A key that nobody has. */
export const strangeKey = (): Key => keyOf(crypto.keyPair())
