import { Socket } from 'node:net'

/** Who has a wire: what comes of its connection, until it hangs up. */
export interface Caller {
  opened(): void
  /** The bytes are the caller's to keep. */
  arrived(bytes: Buffer): void
  ended(): void
  broke(error: NodeJS.ErrnoException): void
}

/** Of the wires that are not needed so many are kept, for as long as the process lives. */
const maxIdle = 256
const idle: Wire[] = []

/** A new connection to `host`; its errors are told, not thrown. */
export function dial(host: string, port: number, caller: Caller): Wire {
  const wire = idle.pop() ?? new Wire()
  wire.dial(host, port, caller)
  return wire
}

/** A socket that serves one connection after the other: to make one and its listeners costs as much as all else that is ours in a poll. */
export class Wire {
  readonly #socket: Socket
  #caller: Caller | undefined
  /** The connection that ends has left nothing behind in the socket. */
  #isClean = false

  constructor() {
    const callback = (length: number) => {
      this.#caller?.arrived(kept(length))
      return true
    }
    const options = { allowHalfOpen: false, onread: { buffer: arrivals, callback } }
    this.#socket = new Socket(options)
      .on('connect', () => this.#caller?.opened())
      .on('end', () => this.#caller?.ended())
      .on('error', (error) => this.#caller?.broke(error))
      .on('close', () => {
        if (this.#isClean && idle.length < maxIdle) idle.push(this)
      })
  }

  dial(host: string, port: number, caller: Caller): void {
    this.#caller = caller
    this.#socket.connect({ host, port })
  }

  send(bytes: string | Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Ends the connection, however far it is; who does not need it any more has to. */
  hangUp(): void {
    const socket = this.#socket
    this.#caller = undefined
    // Given up while it looks for its way, it may still find it.
    this.#isClean = (!socket.pending || socket.errored !== null) && socket.writableLength === 0
    socket.destroy()
  }
}

/** All wires read into the same bytes, and copy what came before the next one reads: a buffer for each chunk would cost more than the chunk. */
const arrivals = Buffer.allocUnsafeSlow(64 * 1024)
const slabSize = 256 * 1024
let slab = Buffer.allocUnsafeSlow(slabSize)
let slabUsed = 0

/** A copy of the first bytes of `arrivals`. */
function kept(length: number): Buffer {
  if (length > slabSize / 8) return Buffer.from(arrivals.subarray(0, length))
  if (slabUsed + length > slabSize) {
    slab = Buffer.allocUnsafeSlow(slabSize)
    slabUsed = 0
  }
  const copy = slab.subarray(slabUsed, slabUsed + length)
  slabUsed += length
  arrivals.copy(copy, 0, 0, length)
  return copy
}
