import { setMaxListeners } from 'node:events'
import { type Clock, SdkError, systemClock } from '#model'

export interface Limits {
  /** For the message of the TIMEOUT. */
  readonly what: string
  readonly ms: number
  /** Whoever may call it off. */
  readonly signals: readonly (AbortSignal | undefined)[]
  readonly clock?: Clock | undefined
}

/**
 * The outcome of `run`, or TIMEOUT after `ms`, or CANCELLED (or the SdkError given as the reason) when one of the signals aborts: who
 * ignores its signal holds up nobody. One timer, and a controller only if `run` asks for its signal; both gone afterwards.
 * `AbortSignal.any` with `AbortSignal.timeout` costs fifty times as much on Node 20 and leaves something behind on every signal it follows.
 */
export function within<T>(
  { what, ms, signals, clock = systemClock }: Limits,
  run: (signal: () => AbortSignal) => T | Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    for (const signal of signals) if (signal?.aborted) return reject(abortedBy(signal))
    let controller: AbortController | undefined
    let gaveUp: SdkError | undefined
    const end = () => {
      stopTimer()
      for (const signal of signals) signal?.removeEventListener('abort', onAbort)
    }
    const giveUp = (error: SdkError) => {
      end()
      gaveUp = error
      reject(error)
      controller?.abort(error)
    }
    const onAbort = (event: Event) => giveUp(abortedBy(event.target as AbortSignal))
    const stopTimer = clock.after(ms, () => giveUp(new SdkError('TIMEOUT', `${what} took longer than ${ms} ms`)))
    for (const signal of signals) signal?.addEventListener('abort', onAbort)
    const signal = () => {
      if (!controller) {
        controller = new AbortController()
        // It may be passed on to any number of sockets and calls.
        setMaxListeners(0, controller.signal)
        if (gaveUp) controller.abort(gaveUp)
      }
      return controller.signal
    }
    const succeed = (value: T) => {
      end()
      resolve(value)
    }
    const fail = (error: unknown) => {
      end()
      reject(error)
    }
    try {
      Promise.resolve(run(signal)).then(succeed, fail)
    } catch (error) {
      fail(error)
    }
  })
}

function abortedBy({ reason }: AbortSignal): SdkError {
  if (reason instanceof SdkError) return reason
  const code = reason instanceof Error && reason.name === 'TimeoutError' ? 'TIMEOUT' : 'CANCELLED'
  return new SdkError(code, undefined, { cause: reason })
}
