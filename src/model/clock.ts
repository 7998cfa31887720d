/** Time is passed in: services take a Clock, tests move one. Times are ms since the epoch; `hr` is monotonic, ms. */
export interface Clock {
  now(): number
  hr(): number
  /** Calls once after `ms`; returns how to forget it. A timer of ours never keeps a process alive by itself. */
  after(ms: number, call: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  hr: () => performance.now(),
  after(ms, call) {
    const timer = setTimeout(call, ms)
    timer.unref?.()
    return () => clearTimeout(timer)
  },
}

/** Resolves after `ms`, rejects with the signal's reason if it aborts first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const stop = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    const onAbort = () => {
      stop()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
