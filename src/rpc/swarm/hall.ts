import b4a from 'b4a'
import type { Key } from '#keys'
import { bucket, type Clock, SdkError } from '#model'
import type { Caller } from '../contract.js'
import type { Desk, Guest, Visit } from './desk.js'
import { decodeNumber, encodeNumber } from './envelope.js'
import { type Frames, framesOf } from './frames.js'
import type { ServerLimits } from './limits.js'
import { lineOf, type Wire } from './line.js'
import type { Reason, Refusals } from './refusals.js'

export interface HallOptions {
  readonly clock: Clock
  readonly limits: ServerLimits
  readonly refused: Refusals
  readonly desk: Desk
  readonly callerOf: (key: Key) => Caller | SdkError
  /** The connections carry more than RPC. */
  readonly shared: boolean
}

/** Who is let in, and who is shown out. */
export interface Hall {
  /** Before the handshake is answered: true refuses, and the stranger learns nothing. */
  refuses(publicKey: Uint8Array): boolean
  admit(wire: Wire): void
  /** Ends the connections of a key. */
  drop(key: Key): void
  close(): void
  stats(): { connections: number; peers: number }
}

/** A visit, and what the watch over it needs. */
interface Watched extends Visit {
  readonly since: number
  readonly frames: Frames | undefined
  opened: boolean
  heard: number
  silentMs: number
  /** The message that was the last one at the last look, and since when. */
  message: number
  messageSince: number
}

const lookMs = 1000
/** A guest without a connection is forgotten after this; until then its rates are remembered. */
const forgetMs = 60_000
/** What a request is wrapped in: at most this. */
const wrapBytes = 128 * 1024
const pingBytes = 4

export function createHall({ clock, limits, refused, desk, callerOf, shared }: HallOptions): Hall {
  const guests = new Map<Key, Guest>()
  let connections = 0
  let closed = false
  let looking: (() => void) | undefined
  let lookedAt = clock.hr()

  const guestOf = (key: Key): Guest => {
    let guest = guests.get(key)
    if (!guest) {
      const now = clock.hr()
      guest = {
        key,
        visits: new Set(),
        calls: bucket(now, limits.callsPerSecond, limits.callsBurst),
        connects: bucket(now, limits.connectsPerMinute / 60, limits.connectsPerMinute),
        queue: [],
        running: 0,
        held: 0,
        leftAt: now,
      }
      guests.set(key, guest)
    }
    return guest
  }

  const whyNot = (key: Key): Reason | undefined => {
    if (!isKnown(key)) return 'unknown-key'
    if (connections >= limits.connections) return 'connections'
    if (guests.get(key)?.connects.empty(clock.hr())) return 'connects-per-minute'
    return undefined
  }

  const isKnown = (key: Key) => {
    try {
      return !(callerOf(key) instanceof SdkError)
    } catch {
      return false
    }
  }

  const showOut = (visit: Visit, reason: Reason) => {
    refused.count(reason, visit.guest.key)
    visit.line.close()
  }

  /** Who fills our memory loses the connection itself: to come again costs it a handshake and one of its connects. */
  const cutOff = (visit: Visit, reason: Reason, words: string) => {
    refused.count(reason, visit.guest.key)
    visit.line.cut(words)
  }

  const admit: Hall['admit'] = (wire) => {
    const key = b4a.toString(wire.stream.remotePublicKey, 'hex')
    const why = whyNot(key)
    if (closed || why) {
      if (why) refused.count(why, key)
      return wire.destroy()
    }
    const guest = guestOf(key)
    guest.connects.take(clock.hr())
    for (const oldest of guest.visits) {
      if (guest.visits.size < limits.connectionsPerKey) break
      showOut(oldest, 'connections-per-key')
    }
    const visit = receive(guest, wire)
    guest.visits.add(visit)
    connections++
    if (!looking) {
      lookedAt = clock.hr()
      looking = clock.after(lookMs, look)
    }
  }

  const mostBytes = limits.requestBytes + wrapBytes

  const receive = (guest: Guest, wire: Wire): Watched => {
    const tooLong = () => cutOff(visit, 'message-size', 'a message is too long')
    const line = lineOf(
      wire,
      {
        call: (bytes) => desk.take(visit, bytes),
        cancel: (bytes) => desk.cancel(visit, bytes),
        ping: (bytes) => pong(visit, bytes),
      },
      {
        onClose: () => leave(visit),
        onMalformed: () => refused.count('malformed', guest.key),
        most: { bytes: mostBytes, onMore: tooLong },
      },
    )
    const now = clock.hr()
    const visit: Watched = {
      guest,
      line,
      running: new Map(),
      since: now,
      lastCallAt: now,
      frames: shared ? undefined : framesOf(wire.stream, mostBytes, tooLong),
      opened: false,
      heard: 0,
      silentMs: 0,
      message: 0,
      messageSince: now,
    }
    wire.on('open', () => {
      visit.opened = true
    })
    return visit
  }

  const pong = ({ guest, line }: Watched, bytes: Uint8Array) => {
    const number = bytes.length === pingBytes ? decodeNumber(bytes) : undefined
    if (number === undefined) refused.count('malformed', guest.key)
    else if (!guest.calls.take(clock.hr())) refused.count('calls-per-second', guest.key)
    else if (!isKnown(guest.key)) refused.count('caller', guest.key)
    else line.send(encodeNumber('pong', number))
  }

  const leave = (visit: Watched) => {
    const { guest } = visit
    if (!guest.visits.delete(visit)) return
    connections--
    guest.leftAt = clock.hr()
    desk.leave(visit)
  }

  const look = () => {
    const now = clock.hr()
    // If this process itself was held up, its peers are not to blame.
    const passed = Math.min(now - lookedAt, 2 * lookMs)
    lookedAt = now
    for (const guest of guests.values()) {
      for (const visit of guest.visits) lookAt(visit as Watched, now, passed)
      if (guest.visits.size === 0 && now - guest.leftAt > forgetMs) guests.delete(guest.key)
    }
    looking = guests.size > 0 && !closed ? clock.after(lookMs, look) : undefined
  }

  const lookAt = (visit: Watched, now: number, passed: number) => {
    desk.sweep(visit)
    const { frames, line, running } = visit
    const heard = line.heard()
    visit.silentMs = heard === visit.heard ? visit.silentMs + passed : 0
    visit.heard = heard
    if (running.size > 0 && visit.silentMs >= limits.silentMs) return showOut(visit, 'silent')
    if (line.backlog() > limits.backlogBytes) return cutOff(visit, 'unread', 'it does not take its answers')
    if (frames && frames.begun !== visit.message) {
      visit.message = frames.begun
      visit.messageSince = now
    }
    if (frames?.incomplete && now - visit.messageSince >= limits.messageMs) return showOut(visit, 'slow')
    if (shared) return
    if (!visit.opened && now - visit.since >= limits.openMs) return showOut(visit, 'not-opened')
    if (running.size === 0 && now - visit.lastCallAt >= limits.idleMs) showOut(visit, 'idle')
  }

  return {
    refuses(publicKey) {
      const key = b4a.toString(publicKey, 'hex')
      const why = closed ? undefined : whyNot(key)
      if (why) refused.count(why, key)
      return closed || why !== undefined
    },
    admit,
    drop(key) {
      for (const visit of guests.get(key)?.visits ?? []) visit.line.close()
    },
    close() {
      closed = true
      looking?.()
      for (const guest of guests.values()) for (const visit of guest.visits) visit.line.close()
    },
    stats: () => {
      let peers = 0
      for (const { visits } of guests.values()) if (visits.size > 0) peers++
      return { connections, peers }
    },
  }
}
