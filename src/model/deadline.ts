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
  return new Promise((resolve, reject) => underDeadline({ ms, parent, code }, job, resolve, reject))
}

/** The same for who needs no promise of it: one of both is called, once. Only what `job` itself throws or answers decides which. */
export function underDeadline<T>(
  { ms, parent, code }: { ms: number; parent: AbortSignal; code: ErrorCode },
  job: (signal: AbortSignal) => Promise<T>,
  done: (value: T) => void,
  failed: (error: unknown) => void,
): void {
  const lane = laneOf(parent)
  if (!lane) {
    failed(abortedBy(parent))
    return
  }
  lane.begin(ms, code, failed)
  let outcome: Promise<T>
  try {
    outcome = job(lane.signal)
  } catch (error) {
    if (lane.end()) failed(error)
    return
  }
  outcome.then(
    (value) => {
      if (lane.end()) done(value)
    },
    (error) => {
      if (lane.end()) failed(error)
    },
  )
}

const what = 'the answer'

/** The lane of each parent that is free for its next job: to make a controller costs more than all the rest of the waiting. */
const lanes = new WeakMap<AbortSignal, Lane>()

/** Undefined once the parent has aborted: then its lane is gone, and only then it has to be asked, which is slow. */
function laneOf(parent: AbortSignal): Lane | undefined {
  const known = lanes.get(parent)
  if (known && !known.busy) return known
  if (parent.aborted) return undefined
  const lane = new Lane(parent)
  if (!known) lanes.set(parent, lane)
  return lane
}

/** A controller that serves one job after the other, until one of them is late or the parent aborts. */
class Lane {
  readonly #controller = new AbortController()
  /** The controller's, which is found anew each time it is asked for. */
  readonly signal = this.#controller.signal
  readonly #parent: AbortSignal
  readonly #onAbort = () => {
    this.#leave()
    this.#giveUp(abortedBy(this.#parent))
  }
  #failed: ((error: SdkError) => void) | undefined
  #stopTimer: (() => void) | undefined
  #late: NodeJS.Immediate | undefined

  constructor(parent: AbortSignal) {
    this.#parent = parent
    // It may be passed on to any number of sockets and calls.
    setMaxListeners(0, this.signal)
    parent.addEventListener('abort', this.#onAbort)
  }

  get busy(): boolean {
    return this.#failed !== undefined
  }

  begin(ms: number, code: ErrorCode, failed: (error: SdkError) => void): void {
    this.#failed = failed
    // As in `within`: what arrived in time is read before anybody is called late.
    this.#stopTimer = systemClock.after(ms, () => {
      this.#late = setImmediate(() => this.#giveUp(tooLong(what, ms, code)))
    })
  }

  /** The job is through; false if it was given up before. */
  end(): boolean {
    if (!this.#failed) return false
    this.#stop()
    if (lanes.get(this.#parent) !== this) this.#leave()
    return true
  }

  #giveUp(error: SdkError): void {
    const failed = this.#failed
    if (!failed) return
    this.#stop()
    this.#leave()
    this.#controller.abort(error)
    failed(error)
  }

  #stop(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    if (this.#late) clearImmediate(this.#late)
    this.#late = undefined
    this.#failed = undefined
  }

  #leave(): void {
    if (lanes.get(this.#parent) === this) lanes.delete(this.#parent)
    this.#parent.removeEventListener('abort', this.#onAbort)
  }
}
