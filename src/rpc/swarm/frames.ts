import type { NoiseStream } from './network.js'

/** The long message that is on its way in. */
export interface Frames {
  /** When it was announced, in whole messages before it; undefined: none is on its way. */
  announced: { readonly before: number } | undefined
  /** Called with the length of a message that begins to come in and does not fit into one datagram. */
  onAnnounced: ((bytes: number) => void) | undefined
}

const watched = new WeakMap<object, Frames>()

/**
 * Sees long messages before they are collected: the Noise stream tells its socket how much is still to come, and we listen in. Once a
 * stream, however many lines it carries. Undefined where the stream does not show what it needs.
 */
export function framesOf(stream: NoiseStream): Frames | undefined {
  const socket = stream.rawStream
  const tell = socket?.setContentSize
  if (!socket || !tell || stream.rawBytesRead === undefined) return undefined
  const known = watched.get(socket)
  if (known) return known
  const frames: Frames = { announced: undefined, onAnnounced: undefined }
  watched.set(socket, frames)
  socket.setContentSize = (bytes) => {
    frames.announced = { before: stream.rawBytesRead ?? 0 }
    frames.onAnnounced?.(bytes)
    tell.call(socket, bytes)
  }
  return frames
}

/** Whether the announced message is still incomplete. */
export function isIncomplete(frames: Frames, stream: NoiseStream): boolean {
  if (frames.announced && frames.announced.before !== (stream.rawBytesRead ?? 0)) frames.announced = undefined
  return frames.announced !== undefined
}
