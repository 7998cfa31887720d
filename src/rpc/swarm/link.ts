import { type Clock, SdkError } from '#model'
import { notBegun } from '../failover.js'
import { decodeReply } from '../wire.js'
import { decodeNumber, decodeReplyBody, encodeCall, encodeNumber } from './envelope.js'
import type { Line, Takers } from './line.js'

/** A call on its way. */
export interface Ask {
  readonly address: Uint8Array
  readonly asked: Uint8Array
  readonly request: Uint8Array
  readonly repeatable: boolean
  /** When its caller gives up, by `Clock.hr`. */
  readonly until: number
  resolve(reply: Uint8Array): void
  reject(error: SdkError): void
  /** Bytes of it left this process. */
  sent: boolean
  /** How often it was lost with a connection. */
  lost: number
  /** Its number on the link that carries it. */
  id: number
}

/** The calling side of a line: what was asked and is not answered yet. */
export interface Link {
  readonly pending: ReadonlyMap<number, Ask>
  ask(one: Ask): void
  /** Forgets the call and tells the far side. */
  cancel(one: Ask): void
  /** The round trip, ms; rejects when the line closes. */
  ping(): Promise<number>
  /** The newest round trip, ms. */
  readonly rttMs: number | null
  readonly line: Line
  /** Everything that waits, taken out: the line is closed. */
  lose(): Ask[]
}

/** A far side that answers none must not fill the memory. */
const maxPings = 16

/** `open` makes the line, given what is done with each kind of message; `onAnswer` is called when there is room for another call. */
export function createLink(clock: Clock, open: (takers: Takers) => Line, onAnswer: () => void): Link {
  const pending = new Map<number, Ask>()
  const pings = new Map<number, { sentAt: number; resolve(ms: number): void; reject(error: SdkError): void }>()
  let lastId = 0
  let rttMs: number | null = null

  const line = open({
    reply(bytes) {
      const head = decodeReplyBody(bytes)
      const one = head && pending.get(head.id)
      // An answer that nobody waits for any more.
      if (!head || !one) return
      pending.delete(head.id)
      if (head.refused) one.reject(refusalOf(head.reply))
      else one.resolve(head.reply)
      onAnswer()
    },
    pong(bytes) {
      const number = decodeNumber(bytes)
      const one = number === undefined ? undefined : pings.get(number)
      if (!one) return
      pings.delete(number!)
      rttMs = clock.hr() - one.sentAt
      one.resolve(rttMs)
    },
  })
  const nextId = () => {
    lastId = (lastId + 1) >>> 0
    return lastId
  }

  return {
    pending,
    line,
    get rttMs() {
      return rttMs
    },
    ask(one) {
      one.id = nextId()
      one.sent = true
      pending.set(one.id, one)
      line.send(encodeCall(one.id, one.address, one.asked, one.request))
    },
    cancel(one) {
      if (pending.get(one.id) !== one) return
      pending.delete(one.id)
      line.send(encodeNumber('cancel', one.id))
    },
    ping: () =>
      new Promise((resolve, reject) => {
        const [oldest] = pings
        if (pings.size >= maxPings && oldest) {
          pings.delete(oldest[0])
          oldest[1].reject(new SdkError('TIMEOUT', 'the peer does not answer pings'))
        }
        const number = nextId()
        pings.set(number, { sentAt: clock.hr(), resolve, reject })
        line.send(encodeNumber('ping', number))
      }),
    lose() {
      const asks = [...pending.values()]
      pending.clear()
      for (const { reject } of pings.values()) reject(new SdkError('UNAVAILABLE', 'the connection was lost'))
      pings.clear()
      return asks
    },
  }
}

/** What the far side says when it does not even begin. */
function refusalOf(reply: Uint8Array): SdkError {
  try {
    decodeReply(reply)
  } catch (error) {
    if (error instanceof SdkError) return notBegun(error)
  }
  return new SdkError('INTERNAL', 'the peer refused without a reason')
}
