import type { Socket } from 'node:net'

/** Real images have some 20 MB; what is longer is cut off. */
const maxImageBytes = 64 * 1024 * 1024
const lengthBytes = 4

/** A file on the connection: its size as u32 little-endian, then its bytes. */
export class Upload {
  readonly #done: (image: Buffer) => void
  readonly #chunks: Buffer[] = []
  #size = 0
  #ended = false

  constructor(done: (image: Buffer) => void) {
    this.#done = done
  }

  take(chunk: Buffer, socket: Socket) {
    if (this.#ended) return
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#size < lengthBytes) return
    if (this.#chunks[0]!.length < lengthBytes) this.#chunks.splice(0, this.#chunks.length, Buffer.concat(this.#chunks))
    const expected = this.#chunks[0]!.readUInt32LE(0)
    if (expected > maxImageBytes) return void socket.destroy()
    if (this.#size < expected + lengthBytes) return
    this.#ended = true
    this.#done(Buffer.concat(this.#chunks).subarray(lengthBytes, lengthBytes + expected))
  }
}
