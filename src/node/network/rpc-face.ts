import { EventEmitter } from 'node:events'
import b4a from 'b4a'
import type { NoiseStream } from 'hyperdht'
import { type Key, type KeyPair, keyOf } from '#keys'
import { SdkError } from '#model'
import { SharedMux } from './channels.js'
import type { Link } from './link.js'
import type { Peers } from './peers.js'

/** What @hyperswarm/rpc takes as its `dht`. */
export interface RpcFace {
  readonly defaultKeyPair: KeyPair
  /** Its streams carry more than RPC. */
  readonly shared: true
  /** The stream to this key as it is, or as it will be; `error` and `close` when it will not. */
  connect(publicKey: Uint8Array, options?: object): SharedStream
  /** Emits `connection` for each RPC client of a peer; there is one listening server at a time. */
  createServer(options?: ServerOptions): RpcServer
}

interface Buffering {
  readonly _writableState?: { readonly buffered?: number }
}

export interface ServerOptions {
  firewall?(publicKey: Uint8Array): boolean
}

/**
 * One user's share of the stream of a pair of peers: it looks like the stream, but destroying it only gives the share back, for there are
 * others on it. Emits `open`, `drain`, `error`, `close`.
 */
export class SharedStream extends EventEmitter {
  readonly publicKey: Uint8Array
  readonly remotePublicKey: Uint8Array
  readonly isInitiator: boolean
  readonly opened: Promise<boolean>
  /** The protomux, as users of a stream look for it. */
  userData: unknown
  destroying = false
  readonly #mux: SharedMux
  #stream: NoiseStream | undefined
  #settle: (opened: boolean) => void = () => {}

  constructor(ownKey: Uint8Array, remoteKey: Uint8Array, isInitiator: boolean) {
    super()
    this.setMaxListeners(0)
    this.publicKey = ownKey
    this.remotePublicKey = remoteKey
    this.isInitiator = isInitiator
    this.#mux = new SharedMux(this)
    this.userData = this.#mux
    this.opened = new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  get destroyed(): boolean {
    return this.destroying
  }

  get connected(): boolean {
    return this.#stream !== undefined && !this.destroying
  }

  get handshakeHash(): Uint8Array | null {
    return this.#stream?.handshakeHash ?? null
  }

  get rawStream(): NoiseStream['rawStream'] {
    return this.#stream?.rawStream ?? null
  }

  /** What the stream holds, by an inner name of the pinned version. */
  get buffered(): number | undefined {
    return (this.#stream as Buffering | undefined)?._writableState?.buffered
  }

  bind({ stream, mux }: Link): void {
    if (this.destroying) return
    this.#stream = stream
    stream.on('close', this.#onClose)
    stream.on('drain', this.#onDrain)
    this.#mux.bind(mux)
    this.#settle(true)
    this.emit('open')
  }

  destroy(error?: Error): this {
    if (this.destroying) return this
    this.destroying = true
    this.#stream?.off('close', this.#onClose)
    this.#stream?.off('drain', this.#onDrain)
    this.#settle(false)
    // As a stream does it: not within the call; and the reason before the channels close.
    queueMicrotask(() => {
      if (error && this.listenerCount('error') > 0) this.emit('error', error)
      this.#mux.fail()
      this.emit('close')
    })
    return this
  }

  /** Ends the stream itself, for all that are on it. */
  cut(reason: string): void {
    this.#stream?.destroy(new Error(reason))
  }

  end(): this {
    return this.destroy()
  }

  readonly #onClose = () => void this.destroy()
  readonly #onDrain = () => void this.emit('drain')
}

/** Emits `listening`, `connection` (SharedStream), `close`. */
export class RpcServer extends EventEmitter {
  closed = false
  #publicKey: Uint8Array | null = null
  #stop = () => {}
  readonly #listen: (server: RpcServer) => () => void

  constructor(listen: (server: RpcServer) => () => void) {
    super()
    this.#listen = listen
  }

  get publicKey(): Uint8Array | null {
    return this.#publicKey
  }

  address(): { publicKey: Uint8Array } | null {
    return this.#publicKey && { publicKey: this.#publicKey }
  }

  /** The network listens already; from now on its peers' calls are taken. CONFLICT if another server takes them. */
  async listen(keyPair: KeyPair): Promise<this> {
    this.#stop = this.#listen(this)
    this.#publicKey = keyPair.publicKey
    this.emit('listening')
    return this
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.#stop()
    this.emit('close')
  }
}

interface RpcFaceOptions {
  readonly keyPair: KeyPair
  readonly peers: Peers
  /** Calls the key; rejects when it cannot be reached. */
  reach(key: Key): Promise<Link>
}

/** The name of the channel of an RPC client and its server, with the server's key as its id. */
const protocol = 'protomux-rpc'

export function createRpcFace({ keyPair, peers, reach }: RpcFaceOptions): RpcFace {
  let listening: RpcServer | undefined

  const listen = (server: RpcServer, options: ServerOptions) => {
    if (listening) throw new SdkError('CONFLICT', 'another RPC server listens on this network')
    listening = server
    const name = { protocol, id: keyPair.publicKey }
    // A share for each client that opens its channel: one may close and come again on the same stream.
    const stop = peers.onPeer((key) => {
      const link = peers.get(key)
      if (!link) return undefined
      link.mux.pair(name, () => {
        if (options.firewall?.(link.stream.remotePublicKey)) return
        const share = new SharedStream(keyPair.publicKey, link.stream.remotePublicKey, false)
        share.bind(link)
        server.emit('connection', share)
      })
      return () => link.mux.unpair(name)
    })
    return () => {
      listening = undefined
      stop()
    }
  }

  return {
    defaultKeyPair: keyPair,
    shared: true,
    connect(publicKey) {
      const key = keyOf({ publicKey })
      const share = new SharedStream(keyPair.publicKey, b4a.from(publicKey), true)
      const present = peers.get(key)
      if (present) share.bind(present)
      else
        reach(key).then(
          (link) => share.bind(link),
          // The words alone: the code is that of our call, not of a stream.
          (error) => share.destroy(new Error((error as Error).message)),
        )
      return share
    },
    createServer: (options = {}) => new RpcServer((server) => listen(server, options)),
  }
}
