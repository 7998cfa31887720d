import b4a from 'b4a'
import type { NoiseStream } from 'hyperdht'
import Protomux from 'protomux'
import type { Key } from '#keys'
import type { Timings } from './timings.js'
import type { Wire } from './wire.js'

/**
 * One stream between two peers, and our own tiny channel on it. It says hello (which process this is), settles which of several streams is
 * kept (the side with the greater key chooses, so that both keep the same), and asks for a sign of life when nothing comes.
 */
export interface Link {
  readonly key: Key
  readonly stream: NoiseStream
  readonly mux: Protomux
  readonly wire: Wire
  /** Which process of that key it is, by what it drew at its start; known since its hello. */
  readonly instance: string
  readonly rttMs: number | null
  /** ms since the other end was last heard of. */
  silentMs(now: number): number
  /** Tells the other side that this is the stream to be used. */
  choose(): void
  /** Looks for signs of life; `lateMs` is how late this look is, for a process that stood still has heard nobody. */
  tick(now: number, lateMs: number): void
  close(reason: string): void
}

interface LinkOptions {
  readonly stream: NoiseStream
  readonly wire: Wire
  readonly key: Key
  /** 8 bytes of this process. */
  readonly instance: Uint8Array
  readonly hr: () => number
  readonly timings: Timings
  /** The other side has said hello. */
  onHello(link: Link): void
  /** The other side has chosen this stream. */
  onChosen(link: Link): void
  onDead(link: Link): void
}

const protocol = 'miningsdk/link/1'
const instanceBytes = 8

/** The codec of the hello, as protomux wants it. */
interface CodecState {
  start: number
  end: number
  buffer: Uint8Array
}
const hello = {
  preencode(state: CodecState) {
    state.end += instanceBytes
  },
  encode(state: CodecState, instance: Uint8Array) {
    state.buffer.set(instance, state.start)
    state.start += instanceBytes
  },
  decode(state: CodecState): string {
    if (state.end - state.start < instanceBytes) throw new Error('short hello')
    const instance = b4a.toString(state.buffer.subarray(state.start, state.start + instanceBytes), 'hex')
    state.start += instanceBytes
    return instance
  },
}

const nothing = b4a.alloc(0)

export function openLink({ stream, wire, key, instance, hr, timings, ...on }: LinkOptions): Link | undefined {
  const mux = Protomux.from(stream)
  let theirs = ''
  let rttMs: number | null = null
  let heardAt = hr()
  let packets = -1
  let asked = 0
  let askedAt = 0
  const openedAt = heardAt

  const channel = mux.createChannel({
    protocol,
    handshake: hello,
    onopen(instance) {
      theirs = instance as string
      ask()
      on.onHello(link)
    },
  })
  if (!channel) return undefined
  const ping = channel.addMessage({ onmessage: (count) => void pong.send(count) })
  const pong = channel.addMessage({
    onmessage(count) {
      if ((count as Uint8Array)[0] !== (asked & 0xff)) return
      const measured = hr() - askedAt
      rttMs = rttMs === null ? measured : rttMs + (measured - rttMs) / 4
    },
  })
  const chosen = channel.addMessage({ onmessage: () => on.onChosen(link) })
  const ask = () => {
    askedAt = hr()
    ping.send(b4a.from([++asked & 0xff]))
  }

  const link: Link = {
    key,
    stream,
    mux,
    wire,
    get instance() {
      return theirs
    },
    get rttMs() {
      return rttMs
    },
    silentMs: (now) => now - heardAt,
    choose: () => void chosen.send(nothing),
    tick(now, lateMs) {
      // The datagrams, not the bytes: also those that only acknowledge, and those of a stream that is held up by its reader.
      const seen = stream.rawStream?.packetsReceived ?? 0
      if (seen !== packets) {
        packets = seen
        heardAt = now
      } else if (lateMs > 0) heardAt = Math.min(now, heardAt + lateMs)
      if (theirs === '') {
        if (now - openedAt > timings.helloMs) link.close('no hello')
        return
      }
      const silentMs = now - heardAt
      if (silentMs >= timings.deadMs) return on.onDead(link)
      if (silentMs >= timings.beatMs && now - askedAt >= timings.beatMs / 2) ask()
      else if (now - askedAt >= remeasureMs) ask()
    },
    close: (reason) => void stream.destroy(new Error(reason)),
  }
  channel.open(instance)
  return link
}

/** The round trip of a busy link is measured so often. */
const remeasureMs = 15_000
