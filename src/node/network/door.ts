import HyperDHT, { type NoiseStream } from 'hyperdht'
import { bytesOf, type Key, type KeyPair, keyOf } from '#keys'
import { areAllPrivate, bindAddressOf, parseAddress } from './addresses.js'
import type { Wire } from './wire.js'

export interface DoorOptions {
  /** Whom to let in, asked in the handshake: a stranger learns no more than that nobody answers. */
  admits(key: Key): boolean
  onStream(stream: NoiseStream): void
}

export interface Door {
  /** Listens anew where the node below was opened anew. */
  tick(): void
  close(): Promise<void>
}

/** Another key pair that this node listens with, beside its own, for streams that carry nothing of the mesh. */
export function openDoor(wires: readonly Wire[], keyPair: KeyPair, { admits, onStream }: DoorOptions): Door {
  const servers = new Map<HyperDHT, { close(): Promise<void> }>()
  const listen = (dht: HyperDHT) => {
    const server = dht.createServer({ firewall: (publicKey) => !admits(keyOf({ publicKey })) }, (stream) => {
      stream.on('error', () => {})
      onStream(stream)
    })
    servers.set(dht, server)
    // Without a way to the DHT now it is announced when there is one.
    server.listen(keyPair).catch(() => {})
  }
  const tick = () => {
    for (const { dht } of wires) if (!servers.has(dht)) listen(dht)
    for (const dht of servers.keys()) if (dht.destroyed) servers.delete(dht)
  }
  tick()
  return {
    tick,
    async close() {
      await Promise.all([...servers.values()].map((server) => server.close().catch(() => {})))
    },
  }
}

export interface DialOptions {
  /** `host:port` of nodes of the DHT; empty: the public one. */
  readonly bootstrap: readonly string[]
  /** The address to bind. */
  readonly host?: string | undefined
  readonly door: KeyPair
  /** The key pair that the door lets in. */
  readonly guest: KeyPair
}

/** A stream to a door, over a DHT node of its own for this one visit; it may never open. */
export async function dialDoor({ bootstrap, host, door, guest }: DialOptions) {
  const addresses = bootstrap.length > 0 ? bootstrap : HyperDHT.BOOTSTRAP
  for (const address of addresses) parseAddress(address)
  const flat = bootstrap.length > 0 && (await areAllPrivate(addresses))
  const isLoopback = addresses.every((address) => parseAddress(address).host === '127.0.0.1')
  const dht = new HyperDHT({
    bootstrap: addresses,
    keyPair: guest,
    host: isLoopback ? '127.0.0.1' : bindAddressOf(host),
    ...(flat ? { firewalled: false } : {}),
  })
  const stream = dht.connect(bytesOf(keyOf(door)), { keyPair: guest })
  stream.on('error', () => {})
  return {
    stream,
    async close() {
      stream.destroy()
      await dht.destroy({ force: true })
    },
  }
}
