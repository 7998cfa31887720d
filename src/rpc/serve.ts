import { check, errorInfo, SdkError, type Log } from '#model'
import type { Contract, Endpoint, Handlers, Methods } from './contract.js'
import { decodeRequest, encodeError, encodeValue } from './wire.js'

/** A handler that was given no deadline gets this one. */
export const defaultTimeoutMs = 10_000
/** No handler runs longer, whatever the caller asks for. */
export const maxTimeoutMs = 600_000

/**
 * The endpoint of a contract. Input and output are checked, every call has a deadline, what a handler throws travels as code and
 * message. An output that does not fit its schema is our fault and answered INTERNAL.
 */
export function serve<M extends Methods>(contract: Contract<M>, handlers: Handlers<M>, options: { log?: Log } = {}): Endpoint {
  return async (bytes, caller) => {
    try {
      const { method: name, input, timeoutMs } = decodeRequest(bytes)
      const method = Object.hasOwn(contract.methods, name) ? contract.methods[name] : undefined
      if (!method) throw new SdkError('METHOD_NOT_FOUND', `${contract.name} has no method ${name}`)
      const checked = check(method.input, input, `${contract.name}.${name}`)
      const deadline = AbortSignal.timeout(Math.min(timeoutMs ?? defaultTimeoutMs, maxTimeoutMs))
      const signal = caller.signal ? AbortSignal.any([caller.signal, deadline]) : deadline
      const value = await orAborted(Promise.resolve(handlers[name as keyof M](checked as never, { caller, signal })), signal)
      return encodeValue(check(method.output, value ?? null, `answer of ${contract.name}.${name}`, 'INTERNAL'))
    } catch (error) {
      const info = errorInfo(error)
      if (info.code === 'INTERNAL') options.log?.error({ contract: contract.name, err: error }, 'a call failed inside')
      return encodeError(info)
    }
  }
}

/** The promise's outcome, or the abort's: a handler that ignores its signal holds up nobody. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => {})
    return Promise.reject(signal.reason)
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
