import { type ErrorCode, SdkError } from './errors.js'

/**
 * Runs `job` under a deadline of `ms` and a parent signal; at the deadline its signal aborts with `code` and the call rejects, whether
 * the job listens or not. One timer and one listener, both gone at the end (AbortSignal.any with timeouts costs more and lingers).
 */
export async function withDeadline<T>(
  ms: number,
  parent: AbortSignal | undefined,
  job: (signal: AbortSignal) => Promise<T>,
  code: ErrorCode = 'TIMEOUT',
): Promise<T> {
  parent?.throwIfAborted()
  const controller = new AbortController()
  let fail: (reason: unknown) => void = () => {}
  const aborted = new Promise<never>((_, reject) => {
    fail = (reason) => {
      controller.abort(reason)
      reject(reason)
    }
  })
  const timer = setTimeout(() => fail(new SdkError(code, `no answer within ${Math.round(ms)} ms`)), ms)
  const onAbort = () => fail(parent?.reason)
  parent?.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([job(controller.signal), aborted])
  } finally {
    clearTimeout(timer)
    parent?.removeEventListener('abort', onAbort)
  }
}
