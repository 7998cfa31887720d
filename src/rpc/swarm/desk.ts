import type { Key } from '#keys'
import { type Bucket, type Clock, type ErrorCode, errorInfo, SdkError } from '#model'
import type { Caller, Endpoint, RpcScope } from '../contract.js'
import { narrow } from '../guard.js'
import { encodeError, errorCodeOf } from '../wire.js'
import { type Call, decodeCall, decodeNumber, encodeReply, idOf } from './envelope.js'
import type { ServerLimits } from './limits.js'
import type { Line } from './line.js'
import type { Reason, Refusals } from './refusals.js'

/** A peer that calls, over however many connections. */
export interface Guest {
  readonly key: Key
  readonly visits: Set<Visit>
  readonly calls: Bucket
  readonly connects: Bucket
  readonly queue: Waiting[]
  running: number
  /** Bytes of its requests in memory. */
  held: number
  leftAt: number
}

/** One connection of a guest. */
export interface Visit {
  readonly guest: Guest
  readonly line: Line
  readonly running: Map<number, Running>
  lastCallAt: number
}

interface Waiting {
  readonly visit: Visit
  readonly call: Call
}

interface Running {
  readonly id: number
  readonly bytes: number
  readonly startedAt: number
  /** Why it was called off. */
  why: SdkError | undefined
  /** Made when somebody asks for the caller's signal: most handlers answer at once, and one costs as much as all else here. */
  cancel: AbortController | undefined
  /** Its reply goes nowhere. */
  dropped: boolean
}

export interface DeskOptions {
  readonly clock: Clock
  readonly limits: ServerLimits
  readonly refused: Refusals
  readonly callerOf: (key: Key) => Caller | SdkError
  readonly resolve: (contract: string, service: string) => Endpoint | undefined
}

export interface Desk {
  take(visit: Visit, bytes: Uint8Array): void
  cancel(visit: Visit, bytes: Uint8Array): void
  /** The connection is gone: what it asked for ends. */
  leave(visit: Visit): void
  /** Ends what never ended by itself. */
  sweep(visit: Visit): void
  stats(): { callsInFlight: number; callsQueued: number; calls: number; errors: Partial<Record<ErrorCode, number>> }
}

/** Answers calls: who asks is decided anew at each, and no guest gets more than its limits. */
export function createDesk({ clock, limits, refused, callerOf, resolve }: DeskOptions): Desk {
  /** Guests with calls that wait, in the order of their turns. */
  const waiting = new Set<Guest>()
  const errors: Partial<Record<ErrorCode, number>> = {}
  let running = 0
  let calls = 0

  const refuse = (visit: Visit, id: number, reason: Reason, error: SdkError) => {
    refused.count(reason, visit.guest.key)
    send(visit, id, true, encodeError(error.toJSON()))
  }

  const send = (visit: Visit, id: number, refusal: boolean, reply: Uint8Array) => {
    const code = errorCodeOf(reply)
    if (code) errors[code] = (errors[code] ?? 0) + 1
    const { line, guest } = visit
    if (line.closed) return
    line.send(encodeReply(id, refusal, reply))
    if (line.backlog() <= limits.backlogBytes) return
    refused.count('unread', guest.key)
    line.cut('it does not take its answers')
  }

  const take: Desk['take'] = (visit, bytes) => {
    calls++
    const now = clock.hr()
    visit.lastCallAt = now
    const { guest } = visit
    let call: Call
    try {
      call = decodeCall(bytes)
    } catch (error) {
      const id = idOf(bytes)
      // Who does not speak our language is not talked to.
      if (id !== undefined) return refuse(visit, id, 'malformed', error as SdkError)
      refused.count('malformed', guest.key)
      return visit.line.close()
    }
    const { id, request } = call
    if (!guest.calls.take(now))
      return refuse(visit, id, 'calls-per-second', busy(`more than ${limits.callsPerSecond} calls a second`))
    if (request.length > limits.requestBytes)
      return refuse(visit, id, 'message-size', new SdkError('TOO_LARGE', `request of ${request.length} bytes`))
    const holder = holderOf(guest.key)
    if (holder instanceof SdkError) return refuse(visit, id, 'caller', holder)
    if (guest.running > 0 && guest.held + request.length > limits.heldBytes)
      return refuse(visit, id, 'calls-at-once', busy(`requests of more than ${limits.heldBytes} bytes at once`))
    if (hasRoom(guest)) return begin(visit, call, holder, now)
    if (guest.queue.length >= limits.callsQueued)
      return refuse(visit, id, 'calls-at-once', busy(`more than ${limits.callsQueued} calls wait`))
    guest.held += request.length
    // A copy: what came in the same message would be held as long.
    guest.queue.push({ visit, call: { ...call, request: new Uint8Array(request) } })
    waiting.add(guest)
  }

  const hasRoom = (guest: Guest) => guest.running < limits.callsInFlight && running < limits.callsInFlightOfAll

  const holderOf = (key: Key): Caller | SdkError => {
    try {
      return callerOf(key)
    } catch (error) {
      return new SdkError('UNAVAILABLE', 'who calls cannot be looked up', { cause: error })
    }
  }

  const begin = (visit: Visit, call: Call, holder: Caller, now: number) => {
    const { guest } = visit
    const { id, contract, service, asked, request } = call
    if (visit.running.has(id))
      return refuse(visit, id, 'malformed', new SdkError('BAD_REQUEST', 'a call of this number is under way'))
    let outcome: Promise<Uint8Array>
    const one: Running = {
      id,
      bytes: request.length,
      startedAt: now,
      why: undefined,
      cancel: undefined,
      dropped: false,
    }
    try {
      const endpoint = resolve(contract, service)
      if (!endpoint) {
        const silent = new SdkError('UNAVAILABLE', `${service} does not answer ${contract} here`)
        return refuse(visit, id, 'unknown-service', silent)
      }
      outcome = endpoint(request, new Calling(asked ? narrow(holder, asked) : holder, one))
    } catch (error) {
      outcome = Promise.reject(error)
    }
    visit.running.set(id, one)
    guest.running++
    guest.held += one.bytes
    running++
    outcome.then(
      (reply) => end(visit, one, reply),
      (error) => end(visit, one, encodeError(errorInfo(error))),
    )
  }

  const end = (visit: Visit, one: Running, reply: Uint8Array) => {
    if (visit.running.get(one.id) !== one) return
    visit.running.delete(one.id)
    visit.guest.running--
    visit.guest.held -= one.bytes
    running--
    if (!one.dropped) {
      if (errorCodeOf(reply) === 'FORBIDDEN') refused.count('forbidden', visit.guest.key)
      send(visit, one.id, false, reply)
    }
    if (waiting.size > 0) next()
  }

  /** One call of one guest; guests take turns. */
  const next = () => {
    for (const guest of waiting) {
      if (running >= limits.callsInFlightOfAll) return
      if (!hasRoom(guest)) continue
      waiting.delete(guest)
      const first = guest.queue.shift()
      if (guest.queue.length > 0) waiting.add(guest)
      if (!first) continue
      const { visit, call } = first
      guest.held -= call.request.length
      const holder = holderOf(guest.key)
      if (holder instanceof SdkError) refuse(visit, call.id, 'caller', holder)
      else begin(visit, call, holder, clock.hr())
    }
  }

  const dropQueued = (visit: Visit, id?: number) => {
    const { guest } = visit
    for (let at = guest.queue.length - 1; at >= 0; at--) {
      const one = guest.queue[at]!
      if (one.visit !== visit || (id !== undefined && one.call.id !== id)) continue
      guest.queue.splice(at, 1)
      guest.held -= one.call.request.length
    }
    if (guest.queue.length === 0) waiting.delete(guest)
  }

  const drop = (one: Running, why: SdkError) => {
    one.dropped = true
    callOff(one, why)
  }

  return {
    take,
    cancel(visit, bytes) {
      const id = decodeNumber(bytes)
      if (id === undefined) return refused.count('malformed', visit.guest.key)
      const one = visit.running.get(id)
      if (one) drop(one, new SdkError('CANCELLED', 'the caller cancelled'))
      else dropQueued(visit, id)
    },
    leave(visit) {
      dropQueued(visit)
      for (const one of visit.running.values()) {
        drop(one, new SdkError('CANCELLED', 'the caller went away'))
        end(visit, one, nothing)
      }
    },
    sweep(visit) {
      const now = clock.hr()
      for (const one of visit.running.values()) {
        if (now - one.startedAt < limits.callMs) continue
        refused.count('never-ended', visit.guest.key)
        const late = new SdkError('TIMEOUT', `the call took longer than ${limits.callMs} ms`)
        callOff(one, late)
        end(visit, one, encodeError(late.toJSON()))
      }
    },
    stats: () => {
      let callsQueued = 0
      for (const guest of waiting) callsQueued += guest.queue.length
      return { callsInFlight: running, callsQueued, calls, errors: { ...errors } }
    },
  }
}

/** Who calls, for one call: its signal is made when it is asked for. */
class Calling implements Caller {
  readonly id: string
  readonly key?: string
  readonly scope: RpcScope
  readonly because?: string
  readonly sites?: readonly string[]
  readonly libraries?: readonly string[]
  readonly devices?: readonly string[]
  readonly #one: Running

  constructor({ id, key, scope, because, sites, libraries, devices }: Caller, one: Running) {
    this.id = id
    if (key !== undefined) this.key = key
    this.scope = scope
    if (because !== undefined) this.because = because
    if (sites) this.sites = sites
    if (libraries) this.libraries = libraries
    if (devices) this.devices = devices
    this.#one = one
  }

  get signal(): AbortSignal {
    const one = this.#one
    if (!one.cancel) {
      one.cancel = new AbortController()
      if (one.why) one.cancel.abort(one.why)
    }
    return one.cancel.signal
  }
}

function callOff(one: Running, why: SdkError) {
  one.why = why
  one.cancel?.abort(why)
}

const nothing = new Uint8Array()
const busy = (why: string) => new SdkError('RATE_LIMITED', why)
