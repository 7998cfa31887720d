import type { Key, KeyPair } from '#keys'
import type { Clock, Log } from '#model'
import type { Bootstrap } from '../environment.js'
import type { Timings } from './timings.js'

/** One DHT to meet in. */
export interface Place {
  readonly bootstrap: Bootstrap
  /** The address to bind; default all, in `local` loopback. */
  readonly host?: string | undefined
  /** The UDP port to bind; default any free one. */
  readonly port?: number | undefined
  /**
   * Whether all peers reach each other without a NAT between them, as in a LAN: then nobody punches holes. Default: true if all addresses
   * of the list are private ones.
   */
  readonly flat?: boolean | undefined
}

export interface NetworkOptions extends Place {
  /** Who we are, in every handshake. */
  readonly keyPair: KeyPair
  /** A second DHT of the site alone, so that its services meet while the way out is cut. */
  readonly site?: Place | undefined
  /** The folder of the site that all its processes on this host share; needed by `local`. */
  readonly folder?: string | undefined
  /** Whom to let in, asked at every handshake: true, or false or a word why not (counted in `refusals`). */
  readonly admits: (key: Key) => boolean | string
  /** Told of everybody who was turned away, with the word why. */
  readonly onRefused?: ((reason: string, key: Key) => void) | undefined
  /** 32 bytes of `topicOf`; may be set later with `setTopic`. */
  readonly topic?: Uint8Array | undefined
  /** Whether we can be found on the topic. Aggregators and gateways announce; the others look them up. */
  readonly announce: boolean
  readonly relay?: RelayOptions | undefined
  /** Peers connected at once; default 4096. More are refused as `full`. */
  readonly maxPeers?: number | undefined
  readonly timings?: Partial<Timings> | undefined
  readonly clock: Clock
  readonly log: Log
  readonly signal?: AbortSignal | undefined
}

export interface RelayOptions {
  /** Passes on between members that cannot reach each other, under this key pair (not that of the node: a peer may need both at once). */
  readonly serve?: KeyPair | undefined
  /** The relays to ask where no hole can be punched; asked at each attempt. */
  readonly through?: (() => readonly Key[]) | undefined
  /** Keys of no member that the relay serves all the same, a few sessions each: guests on their way to a door. */
  readonly visits?: ((key: Key) => boolean) | undefined
}
