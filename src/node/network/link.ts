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
  /** Of the relay that it serves, if it does. */
  readonly relay: Key | undefined
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
  readonly hello: Hello
  readonly hr: () => number
  readonly timings: Timings
  /** The other side has said hello. */
  onHello(link: Link): void
  /** The other side has chosen this stream. */
  onChosen(link: Link): void
  onDead(link: Link): void
  /** It has begun a message and does not end it. */
  onSlow(link: Link): void
}

/** What the stream knows of the message that is coming in: an inner name of the pinned version, which a test holds. */
interface Receiving {
  /** 1: its length is here, and it is not. The memory for it is taken. */
  readonly _state?: number
}

const protocol = 'miningsdk/link/1'
const instanceBytes = 8
const keyBytes = 32

/** What each side says first: which process it is, and the key of its relay, if it is one. */
export interface Hello {
  readonly instance: string
  readonly relay: Key | undefined
}

/** The codec of the hello, as protomux wants it: 8 bytes, then 32 or none. What a later version adds behind them is not read. */
interface CodecState {
  start: number
  end: number
  buffer: Uint8Array
}
const helloCodec = {
  preencode(state: CodecState, { relay }: Hello) {
    state.end += instanceBytes + (relay ? keyBytes : 0)
  },
  encode(state: CodecState, { instance, relay }: Hello) {
    const bytes = b4a.from(instance + (relay ?? ''), 'hex')
    state.buffer.set(bytes, state.start)
    state.start += bytes.length
  },
  decode(state: CodecState): Hello {
    const take = (length: number) => {
      if (state.end - state.start < length) throw new Error('the hello is too short')
      state.start += length
      return b4a.toString(state.buffer.subarray(state.start - length, state.start), 'hex')
    }
    return { instance: take(instanceBytes), relay: state.end > state.start ? take(keyBytes) : undefined }
  },
}

const nothing = b4a.alloc(0)

export function openLink({ stream, wire, key, hello, hr, timings, ...on }: LinkOptions): Link | undefined {
  const mux = Protomux.from(stream)
  // Any number of users listen for its end.
  stream.setMaxListeners(0)
  let theirs: Hello | undefined
  let rttMs: number | null = null
  let heardAt = hr()
  let packets = -1
  let asked = 0
  let askedAt = 0
  const openedAt = heardAt
  let received = 0
  let waitsSince = heardAt

  const channel = mux.createChannel({
    protocol,
    handshake: helloCodec,
    onopen(said) {
      theirs = said as Hello
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

  /** Whether the same message is coming in as at the last look. */
  const isWaiting = () => {
    const before = received
    received = stream.rawBytesRead
    return received === before && (stream as Receiving)._state === 1
  }

  const link: Link = {
    key,
    stream,
    mux,
    wire,
    get instance() {
      return theirs?.instance ?? ''
    },
    get relay() {
      return theirs?.relay
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
      waitsSince = isWaiting() ? waitsSince + lateMs : now
      if (now - waitsSince >= timings.messageMs) return on.onSlow(link)
      if (!theirs) {
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
  channel.open(hello)
  return link
}

/** The round trip of a busy link is measured so often. */
const remeasureMs = 15_000
