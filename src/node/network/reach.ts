import { fingerprintOf, type Key } from '#keys'
import { type Clock, SdkError } from '#model'
import { deferred } from '../deferred.js'
import type { Link } from './link.js'
import type { Peers } from './peers.js'
import type { Timings } from './timings.js'
import type { Wire } from './wire.js'

/** Why a key could not be reached, and what to say of it. Codes are those of the DHT. */
export interface Failure {
  readonly code: string
  readonly why: Unreachable
}

export type Unreachable = 'not-announced' | 'no-answer' | 'no-hole' | 'failed'

export const unreachable: Record<Unreachable, string> = {
  'not-announced': 'nobody in the DHT knows it: it is switched off, or meets in another DHT',
  'no-answer': 'it was announced but does not answer: it has gone, or it does not know our key',
  'no-hole': 'no hole can be punched through the NATs between, and no relay helps',
  failed: 'the connection ended before it was there',
}

const whyOf: Record<string, Unreachable> = {
  PEER_NOT_FOUND: 'not-announced',
  PEER_CONNECTION_FAILED: 'no-answer',
  HOLEPUNCH_ABORTED: 'no-hole',
  HOLEPUNCH_INVALID: 'no-hole',
  HOLEPUNCH_PROBE_TIMEOUT: 'no-hole',
  HOLEPUNCH_DOUBLE_RANDOMIZED_NATS: 'no-hole',
  CANNOT_HOLEPUNCH: 'no-hole',
  REMOTE_NOT_HOLEPUNCHING: 'no-hole',
  REMOTE_NOT_HOLEPUNCHABLE: 'no-hole',
  REMOTE_ABORTED: 'no-hole',
  RELAY_ABORTED: 'no-hole',
}

export const failureOf = (code: string): Failure => ({ code, why: whyOf[code] ?? 'failed' })

/** Calls that wait for their outcome. One call to a key at a time on each wire, however many wait for it. */
export interface Reach {
  (key: Key, options?: { signal?: AbortSignal | undefined; timeoutMs?: number }): Promise<Link>
  /** A wire could not reach the key. */
  failed(wire: Wire, key: Key, failure: Failure): void
  close(): void
}

interface ReachOptions {
  readonly peers: Peers
  readonly wires: readonly Wire[]
  readonly clock: Clock
  readonly timings: Timings
  readonly refuses: (key: Key) => string | undefined
}

export function createReach({ peers, wires, clock, timings, refuses }: ReachOptions): Reach {
  const waiting = new Map<Key, Set<{ open: Set<Wire>; failures: Map<Wire, Failure>; fail(error: SdkError): void }>>()

  const reach = async (key: Key, options: { signal?: AbortSignal | undefined; timeoutMs?: number } = {}) => {
    const present = peers.get(key)
    if (present) return present
    options.signal?.throwIfAborted()
    const who = fingerprintOf(key)
    const reason = refuses(key)
    if (reason !== undefined) throw new SdkError('FORBIDDEN', `${who} is not called: ${reason}`)
    const outcome = deferred<Link>()
    const call = { open: new Set(wires), failures: new Map<Wire, Failure>(), fail: outcome.reject }
    const calls = waiting.get(key) ?? new Set()
    waiting.set(key, calls.add(call))
    const stopWaiting = peers.whenUp(key, outcome.resolve)
    const timeoutMs = options.timeoutMs ?? timings.connectMs
    const stopTimer = clock.after(timeoutMs, () =>
      outcome.reject(new SdkError('TIMEOUT', `${who} was not reached within ${timeoutMs} ms`)),
    )
    const onAbort = () => outcome.reject(options.signal?.reason)
    options.signal?.addEventListener('abort', onAbort, { once: true })
    for (const wire of wires) wire.dial(key)
    try {
      return await outcome.promise
    } finally {
      stopTimer()
      stopWaiting()
      options.signal?.removeEventListener('abort', onAbort)
      calls.delete(call)
      if (calls.size === 0 && waiting.get(key) === calls) {
        waiting.delete(key)
        // Nobody waits for it any more; one that a stranger's silence holds up would hold up the next call as well.
        if (!peers.get(key)) for (const wire of wires) wire.hangUp(key)
      }
    }
  }

  return Object.assign(reach, {
    failed(wire: Wire, key: Key, failure: Failure) {
      for (const call of waiting.get(key) ?? []) {
        call.open.delete(wire)
        call.failures.set(wire, failure)
        if (call.open.size > 0) continue
        const [last] = [...call.failures.values()].sort((a, b) => rank(b) - rank(a))
        const why = last?.why ?? 'failed'
        call.fail(
          new SdkError('UNAVAILABLE', `${fingerprintOf(key)} cannot be reached: ${unreachable[why]}`, {
            details: { why, code: last?.code },
          }),
        )
      }
    },
    close() {
      for (const calls of waiting.values())
        for (const call of calls) call.fail(new SdkError('CANCELLED', 'the network is closing'))
    },
  })
}

/** Of several wires the one that came furthest tells most. */
function rank({ why }: Failure): number {
  return ['failed', 'not-announced', 'no-answer', 'no-hole'].indexOf(why)
}
