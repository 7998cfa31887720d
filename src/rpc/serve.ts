import { type Clock, check, errorInfo, type Log, nowOrWithin, SdkError } from '#model'
import type { CallContext, Contract, Endpoint, Handlers, Methods } from './contract.js'
import { decodeRequest, encodeError, encodeValue } from './wire.js'

/** A handler that was given no deadline gets this one. */
export const defaultTimeoutMs = 10_000
/** No handler runs longer, whatever the caller asks for. */
export const maxTimeoutMs = 600_000

/**
 * The endpoint of a contract. Input and output are checked, every call has a deadline, what a handler throws travels as code and
 * message. An output that does not fit its schema is our fault and answered INTERNAL.
 */
export function serve<M extends Methods>(
  contract: Contract<M>,
  handlers: Handlers<M>,
  options: { log?: Log; clock?: Clock } = {},
): Endpoint {
  const failed = (error: unknown) => {
    const info = errorInfo(error)
    if (info.code === 'INTERNAL') options.log?.error({ contract: contract.name, err: error }, 'a call failed inside')
    return encodeError(info)
  }
  const methods = new Map(
    Object.entries(contract.methods).map(([name, method]) => {
      const what = `${contract.name}.${name}`
      const answer = (value: unknown) =>
        encodeValue(check(method.output, value ?? null, `answer of ${what}`, 'INTERNAL'))
      return [name, { method, what, answer }]
    }),
  )
  return (bytes, caller) => {
    try {
      const { method: name, input, timeoutMs } = decodeRequest(bytes)
      const found = methods.get(name)
      if (!found) throw new SdkError('METHOD_NOT_FOUND', `${contract.name} has no method ${name}`)
      const { method, what, answer } = found
      const checked = check(method.input, input, what)
      const limits = {
        what,
        ms: Math.min(timeoutMs ?? defaultTimeoutMs, maxTimeoutMs),
        signals: () => [caller.signal],
        clock: options.clock,
      }
      const outcome = nowOrWithin(limits, (signal) => {
        const context: CallContext = {
          caller,
          get signal() {
            return signal()
          },
        }
        return handlers[name as keyof M](checked as never, context)
      })
      return outcome instanceof Promise ? outcome.then(answer).catch(failed) : Promise.resolve(answer(outcome))
    } catch (error) {
      return Promise.resolve(failed(error))
    }
  }
}
