import HyperDHT, { type Address, type ConnectOptions, type NoiseStream, type Options } from 'hyperdht'

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

  isRelay({ host, port }: Address): boolean {
    for (const { rawStream } of this.#relays) {
      if (rawStream?.remoteHost === host && rawStream.remotePort === port) return true
    }
    return false
  }

  /** Ends what goes to this relay, and with it what it passes on. */
  dropRelay(publicKey: Uint8Array): void {
    for (const stream of this.#relays) {
      if (Buffer.compare(stream.remotePublicKey, publicKey) === 0) stream.destroy(new Error('dropped'))
    }
  }
}
