import type { Key } from '#keys'
import { type Clock, SdkError, toSdkError, within } from '#model'
import { notBegun } from '../failover.js'
import type { PoolLimits } from './limits.js'
import { lineOf, type Wire } from './line.js'
import { type Ask, createLink, type Link } from './link.js'

/** Connects, hands the channel over at once, and resolves when the far side has opened it, too; rejects with the reason if it never does. */
export type Dial = (key: Key, use: (wire: Wire) => void) => Promise<void>

export interface PeerOptions {
  readonly key: Key
  /** For messages. */
  readonly name: () => string
  readonly dial: Dial
  readonly clock: Clock
  readonly random: () => number
  readonly limits: PoolLimits
  /** Nobody uses it any more. */
  readonly onIdle: () => void
}

export interface PeerStats {
  readonly connected: boolean
  /** The newest round trip of a ping, ms. */
  readonly rttMs: number | null
  readonly callsInFlight: number
  readonly callsQueued: number
  readonly calls: number
  readonly connects: number
  /** Connections that ended while they were used, and of these those that just fell silent. */
  readonly lost: number
  readonly silent: number
  readonly failedConnects: number
}

/** One peer that is called: its connection, made when needed, and the calls that go over it. */
export interface Peer {
  submit(one: Ask): void
  /** Its caller waits no more. */
  cancel(one: Ask): void
  ping(ms: number): Promise<number>
  /** Keeps the connection and looks after it; the listener learns when it is there and when it is lost. Answers how to stop. */
  watch(listener: (here: boolean) => void): () => void
  /** Ends the connection for good: what is under way fails, nobody watches any more. */
  drop(why: SdkError): void
  stats(): PeerStats
}

export function createPeer({ key, name, dial, clock, random, limits, onIdle }: PeerOptions): Peer {
  const queue: Ask[] = []
  const watchers = new Set<(here: boolean) => void>()
  const counts = { calls: 0, connects: 0, lost: 0, silent: 0, failedConnects: 0 }
  let link: Link | undefined
  let opening: Promise<Link> | undefined
  let failures = 0
  let retryAt = Number.NEGATIVE_INFINITY
  let whyFailed = ''
  let pulsing = false
  let stopTimer: (() => void) | undefined
  let lookedAt = 0
  let heard = 0
  let silentMs = 0
  let pingedAt = 0
  let dropped: SdkError | undefined

  const isUsed = () => watchers.size > 0 || queue.length > 0 || (link?.pending.size ?? 0) > 0

  const submit: Peer['submit'] = (one) => {
    counts.calls++
    if (!pulsing) startPulse()
    if (link && queue.length === 0 && link.pending.size < limits.callsInFlight) return link.ask(one)
    if (queue.length >= limits.callsQueued)
      return one.reject(
        notBegun(new SdkError('RATE_LIMITED', `more than ${limits.callsQueued} calls wait for ${name()}`)),
      )
    queue.push(one)
    pump()
  }

  const pump = () => {
    if (!link) return void connect(limits.connectMs).catch(() => {})
    while (queue.length > 0 && link.pending.size < limits.callsInFlight) link.ask(queue.shift()!)
  }

  /** One attempt at a time, and none before its time after a failed one. */
  const connect = (ms: number): Promise<Link> => {
    if (link) return Promise.resolve(link)
    if (opening) return opening
    const waitMs = retryAt - clock.hr()
    if (waitMs > 0) {
      const why = unreachable(`${whyFailed}; it is tried again in ${Math.ceil(waitMs)} ms`)
      failQueue(why)
      return Promise.reject(why)
    }
    opening = attempt(ms).then(
      (made) => {
        opening = undefined
        if (dropped) {
          made.line.close()
          throw dropped
        }
        failures = 0
        link = made
        counts.connects++
        for (const listener of watchers) listener(true)
        pump()
        return made
      },
      (error) => {
        opening = undefined
        counts.failedConnects++
        const backoff = Math.min(limits.backoffMs * 2 ** failures++, limits.maxBackoffMs)
        retryAt = clock.hr() + backoff * (0.5 + random() / 2)
        whyFailed = toSdkError(error).message
        const why = unreachable(whyFailed)
        failQueue(why)
        throw why
      },
    )
    return opening
  }

  const attempt = async (ms: number): Promise<Link> => {
    let made: Link | undefined
    let over = false
    const use = (wire: Wire) => {
      if (over) return wire.destroy()
      const link = createLink(clock, (takers) => lineOf(wire, takers, { onClose: () => onClose(link) }), onAnswer)
      made = link
    }
    try {
      await within({ what: `connecting to ${name()}`, ms, signals: [], clock }, () => dial(key, use))
      if (!made || made.line.closed) throw new SdkError('UNAVAILABLE', 'the connection was closed at once')
      return made
    } catch (error) {
      over = true
      made?.line.close()
      throw error
    }
  }

  const onAnswer = () => {
    if (queue.length > 0) pump()
  }

  const unreachable = (why: string) => notBegun(new SdkError('UNAVAILABLE', `${name()} cannot be reached: ${why}`))

  const failQueue = (why: SdkError) => {
    for (const one of queue.splice(0)) {
      // It was lost with a connection before: then nobody knows.
      one.reject(one.sent ? lostError() : why)
    }
  }

  const lostError = () =>
    new SdkError('UNAVAILABLE', `the connection to ${name()} was lost; whether it did what was asked is not known`)

  const onClose = (closed: Link) => {
    const asks = closed.lose()
    if (closed !== link) return
    link = undefined
    if (asks.length > 0 || watchers.size > 0) counts.lost++
    const again: Ask[] = []
    for (const one of asks) {
      if (one.repeatable && one.lost++ === 0) again.push(one)
      else one.reject(lostError())
    }
    queue.unshift(...again)
    for (const listener of watchers) listener(false)
    if (queue.length > 0) connect(limits.reconnectMs).catch(() => {})
  }

  /** Who is watched is connected again, when the time for it has come. */
  const keepWatched = () => {
    if (watchers.size > 0 && !pulsing) startPulse()
  }

  const startPulse = () => {
    pulsing = true
    lookedAt = clock.hr()
    heard = link?.line.heard() ?? 0
    silentMs = 0
    stopTimer?.()
    stopTimer = clock.after(limits.pulseMs, look)
  }

  /** Looks after the peer while it is used: deadlines, signs of life, a new connection for who watches. */
  const look = () => {
    const now = clock.hr()
    if (!isUsed()) {
      pulsing = false
      stopTimer = clock.after(limits.idleMs, () => {
        link?.line.close()
        onIdle()
      })
      return
    }
    stopTimer = clock.after(limits.pulseMs, look)
    endLate(now)
    if (link) lookAtLink(link, now)
    else if (watchers.size > 0 && now >= retryAt) connect(limits.connectMs).catch(() => {})
    lookedAt = now
  }

  /** The far side keeps the deadline; this is for when it does not. */
  const endLate = (now: number) => {
    for (const one of [...(link?.pending.values() ?? []), ...queue]) {
      if (now < one.until) continue
      const late = new SdkError('TIMEOUT', `${name()} did not answer in time`)
      cancel(one)
      one.reject(one.sent ? late : notBegun(late))
    }
  }

  const lookAtLink = ({ line, ping }: Link, now: number) => {
    const nowHeard = line.heard()
    // If this process itself was held up, the peer is not to blame.
    silentMs = nowHeard === heard ? silentMs + Math.min(now - lookedAt, 2 * limits.pulseMs) : 0
    heard = nowHeard
    if (silentMs >= limits.silentMs) {
      counts.silent++
      line.close()
    } else if (silentMs >= limits.pingMs && now - pingedAt >= limits.pingMs) {
      pingedAt = now
      ping().catch(() => {})
    }
  }

  const cancel = (one: Ask) => {
    link?.cancel(one)
    const at = queue.indexOf(one)
    if (at >= 0) queue.splice(at, 1)
    onAnswer()
  }

  return {
    submit,
    cancel,
    async ping(ms) {
      return within({ what: `the ping of ${name()}`, ms, signals: [], clock }, async () => {
        const over = await connect(ms)
        if (!pulsing) startPulse()
        return over.ping()
      })
    },
    watch(listener) {
      watchers.add(listener)
      if (link) {
        listener(true)
      } else {
        connect(limits.connectMs).catch(() => {})
      }
      keepWatched()
      return () => void watchers.delete(listener)
    },
    drop(why) {
      dropped = why
      pulsing = false
      stopTimer?.()
      const had = link
      link = undefined
      for (const one of had?.lose() ?? []) one.reject(why)
      for (const one of queue.splice(0)) one.reject(one.sent ? why : notBegun(why))
      had?.line.close()
      if (had) for (const listener of watchers) listener(false)
      watchers.clear()
    },
    stats: () => ({
      connected: link !== undefined,
      rttMs: link?.rttMs ?? null,
      callsInFlight: link?.pending.size ?? 0,
      callsQueued: queue.length,
      ...counts,
    }),
  }
}
