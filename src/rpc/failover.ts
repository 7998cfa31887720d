import { type Clock, type ErrorCode, SdkError, systemClock } from '#model'
import type { Transport } from './contract.js'
import { defaultTimeoutMs } from './serve.js'
import { errorCodeOf } from './wire.js'

const marked = new WeakSet<SdkError>()

/** Says of a transport's error that the far side surely began nothing: asking again, or another, is safe even for an action. */
export function notBegun(error: SdkError): SdkError {
  marked.add(error)
  return error
}

export function surelyNotBegun(error: unknown): boolean {
  return error instanceof SdkError && marked.has(error)
}

const elsewhere: readonly (ErrorCode | undefined)[] = ['UNAVAILABLE']

/**
 * One transport out of several to peers that serve the same, asked in this order at every call: a query goes on to the next when one is
 * UNAVAILABLE or was not reached in time; an action only if the one before surely did not begin. The call's deadline holds for all of them
 * together. Throws what the last one threw, or UNAVAILABLE if there is none.
 */
export function firstOf(transports: () => readonly Transport[], clock: Clock = systemClock): Transport {
  return async (request, options) => {
    const end = clock.hr() + (options.timeoutMs ?? defaultTimeoutMs)
    const all = transports()
    let failed: unknown = notBegun(new SdkError('UNAVAILABLE', 'nobody is there to be asked'))
    for (const [at, transport] of all.entries()) {
      const last = at === all.length - 1
      try {
        const reply = await transport(request, { ...options, timeoutMs: Math.max(0, end - clock.hr()) })
        if (last || !options.repeatable || !elsewhere.includes(errorCodeOf(reply))) return reply
      } catch (error) {
        failed = error
        if (last || options.signal?.aborted || clock.hr() >= end) throw error
        const gone = error instanceof SdkError && error.code === 'UNAVAILABLE'
        if (!surelyNotBegun(error) && !(options.repeatable && gone)) throw error
      }
    }
    throw failed
  }
}
