import type { NoiseStream } from './network.js'

/** The encrypted messages that come in, seen before they are collected. */
export interface Frames {
  /** How many have begun. */
  readonly begun: number
  /** Whether the last one has not ended yet. */
  readonly incomplete: boolean
}

const lengthBytes = 3

/**
 * Follows the lengths (`u24`, little-endian) that stand before the encrypted messages. `onTooLong` is called as soon as a length above the
 * limit was read: whoever ends the stream then ends it before memory is taken for the message. To be called before anything has
 * arrived, that is within the event `connection` or `handshake`; undefined where the stream shows no socket.
 */
export function framesOf(stream: NoiseStream, limitBytes: number, onTooLong: () => void): Frames | undefined {
  const socket = stream.rawStream
  if (!socket?.on) return undefined
  let begun = 0
  let missing = 0
  let length = 0
  let read = 0
  socket.on('data', (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      if (missing > 0) {
        const step = Math.min(missing, chunk.length - at)
        missing -= step
        at += step
        continue
      }
      if (read === 0) begun++
      length += chunk[at++]! * 256 ** read++
      if (read < lengthBytes) continue
      missing = length
      if (length > limitBytes) return onTooLong()
      length = 0
      read = 0
    }
  })
  return {
    get begun() {
      return begun
    },
    get incomplete() {
      return missing > 0 || read > 0
    },
  }
}
