import HyperDHT, { type Address, type ConnectOptions, type NoiseStream, type Options } from 'hyperdht'
import { type Key, keyOf } from '#keys'

/** Codes with which a call by key ends when no hole can be punched to it. */
const punchCodes = new Set([
  'HOLEPUNCH_ABORTED',
  'HOLEPUNCH_INVALID',
  'HOLEPUNCH_PROBE_TIMEOUT',
  'HOLEPUNCH_DOUBLE_RANDOMIZED_NATS',
  'CANNOT_HOLEPUNCH',
  'REMOTE_NOT_HOLEPUNCHING',
  'REMOTE_NOT_HOLEPUNCHABLE',
  'REMOTE_ABORTED',
])
export const isPunchFailure = (code: string) => punchCodes.has(code)

/** A DHT node that tells of every call made through it: the swarm does not say why a peer could not be reached. */
export class WatchedDht extends HyperDHT {
  /** Streams to relays, by which a relayed stream is known: both have the relay's address. */
  readonly #relays = new Set<NoiseStream>()
  readonly #onCall: (publicKey: Uint8Array, stream: NoiseStream) => void

  constructor(options: Options, onCall: (publicKey: Uint8Array, stream: NoiseStream) => void) {
    super(options)
    this.#onCall = onCall
  }

  override connect(publicKey: Uint8Array, options?: ConnectOptions): NoiseStream {
    const stream = super.connect(publicKey, options)
    stream.on('error', () => {})
    // The swarm gives its key pair with every call; only the DHT itself calls without, and only relays.
    if (options?.keyPair) this.#onCall(publicKey, stream)
    else {
      this.#relays.add(stream)
      stream.on('close', () => this.#relays.delete(stream))
    }
    return stream
  }

  /** Whether what comes from this address is passed on by a relay. Not by the one of the peer itself: it has the peer's own address. */
  isRelay({ host, port }: Address, own: Key | undefined): boolean {
    for (const { rawStream, remotePublicKey } of this.#relays) {
      if (own !== undefined && own === keyOf({ publicKey: remotePublicKey })) continue
      if (rawStream?.remoteHost === host && rawStream.remotePort === port) return true
    }
    return false
  }

  /** Ends what goes to this relay, and with it what it passes on. */
  dropRelay(key: Key): void {
    for (const stream of this.#relays) {
      if (keyOf({ publicKey: stream.remotePublicKey }) === key) stream.destroy(new Error('dropped'))
    }
  }
}
