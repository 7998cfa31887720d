import type { Caller, Endpoint, Transport } from './contract.js'
import { defaultTimeoutMs, orAborted } from './serve.js'

/**
 * The transport within a process. It hands over a copy of the same bytes that a remote transport would send, so what cannot travel
 * fails here too. `caller` is who the connection belongs to; a call in somebody's name passes that caller instead.
 */
export function local(endpoint: Endpoint, caller: Caller): Transport {
  return (request, options) => {
    const deadline = AbortSignal.timeout((options.timeoutMs ?? defaultTimeoutMs) + graceMs)
    const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline
    return orAborted(endpoint(request.slice(), { ...(options.caller ?? caller), signal }), signal)
  }
}

/** The far side keeps the deadline; the near side gives up only if it does not. */
const graceMs = 250
