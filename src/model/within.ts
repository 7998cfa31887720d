import { setMaxListeners } from 'node:events'
import { type Clock, systemClock } from './clock.js'
import { type ErrorCode, SdkError } from './errors.js'

export interface Limits {
  /** For the message of the TIMEOUT. */
  readonly what: string
  readonly ms: number
  /** Whoever may call it off. A function is asked only if there is something to wait for. */
  readonly signals: readonly (AbortSignal | undefined)[] | (() => readonly (AbortSignal | undefined)[])
  readonly clock?: Clock | undefined
  /** Default TIMEOUT. */
  readonly code?: ErrorCode
}

/**
 * The outcome of `run`, or `code` after `ms`, or CANCELLED (or the SdkError given as the reason) when one of the signals aborts: who
 * ignores its signal holds up nobody. One timer, and a controller only if `run` asks for its signal; both gone afterwards.
 * `AbortSignal.any` with `AbortSignal.timeout` costs fifty times as much on Node 20 and leaves something behind on every signal it follows.
 */
export function within<T>(limits: Limits, run: (signal: () => AbortSignal) => T | Promise<T>): Promise<T> {
  try {
    const outcome = nowOrWithin(limits, run)
    return outcome instanceof Promise ? outcome : Promise.resolve(outcome)
  } catch (error) {
    return Promise.reject(error)
  }
}

/** The same for what is mostly there at once: then it is answered, or thrown, at once, without the cost of a promise. */
export function nowOrWithin<T>(
  { what, ms, signals: callers, clock = systemClock, code = 'TIMEOUT' }: Limits,
  run: (signal: () => AbortSignal) => T | Promise<T>,
): T | Promise<T> {
  const abortedBefore = typeof callers === 'function' ? undefined : callers.find((signal) => signal?.aborted)
  if (abortedBefore) throw abortedBy(abortedBefore)
  let controller: AbortController | undefined
  let gaveUp: SdkError | undefined
  const ask = () => {
    if (!controller) {
      controller = new AbortController()
      // It may be passed on to any number of sockets and calls.
      setMaxListeners(0, controller.signal)
      if (gaveUp) controller.abort(gaveUp)
    }
    return controller.signal
  }
  const outcome = run(ask)
  // Only what takes its time needs a deadline.
  if (!(outcome instanceof Promise)) return outcome
  const signals = typeof callers === 'function' ? callers() : callers
  return new Promise((resolve, reject) => {
    const end = () => {
      stopTimer()
      clearImmediate(late)
      for (const signal of signals) signal?.removeEventListener('abort', onAbort)
    }
    const giveUp = (error: SdkError) => {
      end()
      gaveUp = error
      reject(error)
      controller?.abort(error)
    }
    const onAbort = (event: Event) => giveUp(abortedBy(event.target as AbortSignal))
    let late: NodeJS.Immediate | undefined
    // A busy process may come to its timers before it has read what arrived in time: that is read first.
    const stopTimer = clock.after(ms, () => {
      late = setImmediate(() => giveUp(tooLong(what, ms, code)))
    })
    for (const signal of signals) signal?.addEventListener('abort', onAbort)
    outcome.then(
      (value) => {
        end()
        resolve(value)
      },
      (error) => {
        end()
        reject(error)
      },
    )
    const abortedMeanwhile = signals.find((signal) => signal?.aborted)
    if (abortedMeanwhile) giveUp(abortedBy(abortedMeanwhile))
  })
}

export function tooLong(what: string, ms: number, code: ErrorCode): SdkError {
  return new SdkError(code, `${what} took longer than ${Math.round(ms)} ms`)
}

export function abortedBy({ reason }: AbortSignal): SdkError {
  if (reason instanceof SdkError) return reason
  const code = reason instanceof Error && reason.name === 'TimeoutError' ? 'TIMEOUT' : 'CANCELLED'
  return new SdkError(code, undefined, { cause: reason })
}
