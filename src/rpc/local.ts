import b4a from 'b4a'
import { type Clock, within } from '#model'
import type { Caller, Endpoint, Transport } from './contract.js'
import { narrow } from './guard.js'
import { defaultTimeoutMs } from './serve.js'

/** The far side keeps the deadline; the near side gives up only if it does not. */
const graceMs = 250

/**
 * The transport within a process. It hands over a copy of the same bytes that a remote transport would send, so what cannot travel
 * fails here too. `caller` is who the connection belongs to; a call in somebody's name can only narrow what that one may. `signal` is
 * the life of the far side: its end ends every call.
 */
export function local(
  endpoint: Endpoint,
  caller: Caller,
  options: { clock?: Clock; signal?: AbortSignal } = {},
): Transport {
  return (request, call) => {
    const ms = (call.timeoutMs ?? defaultTimeoutMs) + graceMs
    const as = call.caller ? narrow(caller, call.caller) : caller
    const signals = [call.signal, as.signal, options.signal].filter((signal) => signal !== undefined)
    return within({ what: 'the call', ms, signals, clock: options.clock }, (any) => {
      // The far side has the deadline from the request itself; of the signals it needs a common one only if there are several.
      const signal = signals.length > 1 ? any() : signals[0]
      return endpoint(b4a.from(request), signal ? { ...as, signal } : as)
    })
  }
}
