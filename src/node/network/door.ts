import HyperDHT, { type NoiseStream } from 'hyperdht'
import { bytesOf, type Key, type KeyPair, keyOf } from '#keys'
import { type Clock, SdkError } from '#model'
import { areAllPrivate, bindAddressOf, parseAddress } from './addresses.js'
import { failureOf } from './reach.js'
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
  const listen = ({ dht, relays }: Wire) => {
    const server = dht.createServer(
      {
        firewall: (publicKey) => !admits(keyOf({ publicKey })),
        // The guest is told of a relay in the handshake, for it knows none. Beside the hole, not after it: it does not call for ever.
        relayThrough: relays,
      },
      (stream) => {
        stream.on('error', () => {})
        onStream(stream)
      },
    )
    servers.set(dht, server)
    // Without a way to the DHT now it is announced when there is one.
    server.listen(keyPair).catch(() => {})
  }
  const tick = () => {
    for (const wire of wires) if (!servers.has(wire.dht)) listen(wire)
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
  /** The one that the relays let in. */
  readonly visitor: KeyPair
  readonly clock: Clock
}

/**
 * For so long a door is tried, ms. What fails may work a moment later: a node punches through random ports once in 20 s, one that has just
 * begun does not know yet how it is seen, and of several relays one may be gone.
 */
const patienceMs = 30_000
const pauseMs = 1_000

const nobody =
  'nobody is at the door of this invite: it was taken back or is long over, the node that made it is off, or it is in another network'
const noWay =
  'no hole can be punched through the NATs between here and the door of this invite, and no relay helps: let a member with a public address be one ("network": { "relay": true })'

/** An open stream to a door, over a DHT node of its own for this one visit. Throws UNAVAILABLE. */
export async function dialDoor({ bootstrap, host, door, guest, visitor, clock }: DialOptions) {
  const addresses = bootstrap.length > 0 ? bootstrap : HyperDHT.BOOTSTRAP
  for (const address of addresses) parseAddress(address)
  const flat = bootstrap.length > 0 && (await areAllPrivate(addresses))
  const isLoopback = addresses.every((address) => parseAddress(address).host === '127.0.0.1')
  const dht = new HyperDHT({
    bootstrap: addresses,
    // With this one it calls relays.
    keyPair: visitor,
    host: isLoopback ? '127.0.0.1' : bindAddressOf(host),
    ...(flat ? { firewalled: false } : {}),
  })
  const close = () => dht.destroy({ force: true })
  const until = clock.hr() + patienceMs
  for (;;) {
    const stream = dht.connect(bytesOf(keyOf(door)), { keyPair: guest })
    const stop = clock.after(Math.max(0, until - clock.hr()), () => stream.destroy())
    const code = await failureIn(stream)
    stop()
    if (code === undefined) {
      return {
        stream,
        async close() {
          stream.destroy()
          await close()
        },
      }
    }
    const { why } = failureOf(code)
    if (why === 'not-announced' || why === 'no-answer' || clock.hr() >= until) {
      await close()
      throw new SdkError('UNAVAILABLE', why === 'no-hole' ? noWay : nobody, { details: { code } })
    }
    await new Promise<void>((resolve) => clock.after(pauseMs, resolve))
  }
}

/** Why the stream ended before it was open; undefined: it is open. */
function failureIn(stream: NoiseStream): Promise<string | undefined> {
  return new Promise((resolve) => {
    let code = 'ENDED'
    stream.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code ?? error.message
    })
    stream.once('open', () => resolve(undefined))
    stream.once('close', () => resolve(code))
  })
}
