import { setMaxListeners } from 'node:events'
import { systemClock } from './clock.js'
import type { ErrorCode, SdkError } from './errors.js'
import { abortedBy, tooLong, within } from './within.js'

/**
 * `within` for one parent signal and a job that takes its signal at once: how device code waits. The signal is good for as long as the job
 * takes: afterwards it serves the next job of the same parent.
 */
export function withDeadline<T>(
  ms: number,
  parent: AbortSignal | undefined,
  job: (signal: AbortSignal) => Promise<T>,
  code: ErrorCode = 'TIMEOUT',
): Promise<T> {
  if (!parent) return within({ what, ms, signals: [], code }, (signal) => job(signal()))
  if (parent.aborted) return Promise.reject(abortedBy(parent))
  const lane = laneOf(parent)
  return new Promise((resolve, reject) => {
    let late: NodeJS.Immediate | undefined
    const end = () => {
      stopTimer()
      clearImmediate(late)
      lane.giveUp = undefined
    }
    lane.giveUp = (error) => {
      end()
      leave(lane)
      reject(error)
      lane.controller.abort(error)
    }
    // As in `within`: what arrived in time is read before anybody is called late.
    const stopTimer = systemClock.after(ms, () => {
      late = setImmediate(() => lane.giveUp?.(tooLong(what, ms, code)))
    })
    const settle = (by: () => void) => {
      if (lane.signal.aborted) return
      end()
      if (lanes.get(parent) !== lane) leave(lane)
      by()
    }
    try {
      job(lane.signal).then(
        (value) => settle(() => resolve(value)),
        (error) => settle(() => reject(error)),
      )
    } catch (error) {
      settle(() => reject(error))
    }
  })
}

const what = 'the answer'

/** A controller that serves one job after the other, until one of them is late or the parent aborts. */
interface Lane {
  readonly controller: AbortController
  /** The controller's, which is found anew each time it is asked for. */
  readonly signal: AbortSignal
  readonly parent: AbortSignal
  readonly onAbort: () => void
  /** Ends the job that is under way; undefined while there is none. */
  giveUp: ((error: SdkError) => void) | undefined
}

/** The lane of each parent that is free for its next job: to make a controller costs more than all the rest of the waiting. */
const lanes = new WeakMap<AbortSignal, Lane>()

function laneOf(parent: AbortSignal): Lane {
  const known = lanes.get(parent)
  if (known && !known.giveUp) return known
  const controller = new AbortController()
  const { signal } = controller
  // It may be passed on to any number of sockets and calls.
  setMaxListeners(0, signal)
  const lane: Lane = { controller, signal, parent, giveUp: undefined, onAbort: () => lane.giveUp?.(abortedBy(parent)) }
  parent.addEventListener('abort', lane.onAbort)
  if (!known) lanes.set(parent, lane)
  return lane
}

function leave(lane: Lane): void {
  if (lanes.get(lane.parent) === lane) lanes.delete(lane.parent)
  lane.parent.removeEventListener('abort', lane.onAbort)
}
