import { setMaxListeners } from 'node:events'
import { type Clock, SdkError } from '#model'
import type { Closable, Lifetime } from './service.js'

/** How a lifetime ended: what its closers threw, and whether the deadline passed before all of them were through. */
export interface Ending {
  readonly errors: readonly unknown[]
  readonly late: boolean
}

export interface OwnedScope extends Lifetime {
  /**
   * Ends the lifetime: aborts the signal, then closes in reverse order. Once `withinMs` have passed nothing more is waited for, but every
   * closer is still called. Never rejects; ending twice answers the same ending.
   */
  endWithin(withinMs: number, reason?: unknown): Promise<Ending>
}

interface ScopeOptions {
  readonly clock: Clock
  /** Where an error goes that nobody waits for: that of a job of `every`. */
  readonly onError: (error: unknown) => void
}

/** The one lifetime primitive: whatever is opened in it is closed with it, in reverse order, each once. */
export function createScope(options: ScopeOptions, parent?: AbortSignal): OwnedScope {
  const { clock, onError } = options
  const controller = new AbortController()
  const { signal } = controller
  setMaxListeners(0, signal)
  const onParent = () => controller.abort(parent?.reason)
  parent?.addEventListener('abort', onParent, { once: true })
  const closers = new Set<() => unknown>()
  let ending: Promise<Ending> | undefined

  /** Keeps a closer; answers how to drop it again. On an ended scope it closes at once and throws: nobody else would ever close it. */
  const keep = (close: () => unknown): (() => void) => {
    if (ending) {
      Promise.resolve().then(close).catch(onError)
      throw signal.reason
    }
    closers.add(close)
    return () => closers.delete(close)
  }

  const endWithin = (
    withinMs: number,
    reason: unknown = new SdkError('CANCELLED', 'the lifetime ended'),
  ): Promise<Ending> => {
    ending ??= Promise.resolve().then(() => closeAll(clock, closers, withinMs))
    parent?.removeEventListener('abort', onParent)
    controller.abort(reason)
    return ending
  }

  const end = async (reason?: unknown) => {
    const { errors } = await endWithin(Number.POSITIVE_INFINITY, reason)
    if (errors.length > 0) throw new AggregateError(errors, `${errors.length} closers failed`)
  }

  return {
    signal,
    use(resource) {
      keep(closerOf(resource))
      return resource
    },
    defer(close) {
      // A function of its own: the same one given twice runs twice.
      keep(() => close())
    },
    every(ms, job) {
      const loop = repeat(
        clock,
        ms,
        () => job(signal),
        (error) => {
          if (!(signal.aborted && isAbort(error, signal))) onError(error)
        },
      )
      const drop = keep(loop.end)
      return () => {
        drop()
        loop.stop()
      }
    },
    child() {
      const inner = createScope(options, signal)
      const drop = keep(() => inner.end())
      return { ...inner, end: (reason) => inner.end(reason).finally(drop) }
    },
    end,
    endWithin,
  }
}

async function closeAll(clock: Clock, closers: Set<() => unknown>, withinMs: number): Promise<Ending> {
  const errors: unknown[] = []
  let late = false
  let stop = () => {}
  const deadline = new Promise<void>((resolve) => {
    if (!Number.isFinite(withinMs)) return
    stop = clock.after(withinMs, () => {
      late = true
      resolve()
    })
  })
  for (const close of [...closers].reverse()) {
    const closed = Promise.resolve()
      .then(close)
      .catch((error) => void errors.push(error))
    // After the deadline each is still given its turn, so that ports and files are let go even behind one that hangs.
    await Promise.race([closed, deadline])
  }
  stop()
  closers.clear()
  return { errors, late }
}

/** Runs the job, then again `ms` after it ended. `stop` lets a running job go on; `end` waits for it too. */
function repeat(clock: Clock, ms: number, job: () => unknown, onError: (error: unknown) => void) {
  let stopped = false
  let cancel = () => {}
  let running: Promise<void> = Promise.resolve()
  const run = () => {
    running = Promise.resolve()
      .then(() => (stopped ? undefined : job()))
      .then(
        () => {
          if (!stopped) cancel = clock.after(ms, run)
        },
        (error) => {
          stopped = true
          onError(error)
        },
      )
  }
  const stop = () => {
    stopped = true
    cancel()
  }
  run()
  return {
    stop,
    end: () => {
      stop()
      return running
    },
  }
}

function closerOf(resource: Closable): () => unknown {
  if ('close' in resource && typeof resource.close === 'function') return () => resource.close()
  if ('destroy' in resource && typeof resource.destroy === 'function') return () => resource.destroy()
  if (Symbol.asyncDispose in resource) return () => resource[Symbol.asyncDispose]()
  if (Symbol.dispose in resource) return () => resource[Symbol.dispose]()
  throw new TypeError('nothing to close it with: neither close() nor destroy() nor a disposer')
}

/** Whether it only says that the lifetime is over. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  if (error === signal.reason) return true
  return error instanceof SdkError ? error.code === 'CANCELLED' : error instanceof Error && error.name === 'AbortError'
}
