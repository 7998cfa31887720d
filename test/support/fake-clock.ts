import { AsyncResource } from 'node:async_hooks'
import type { Clock } from '#model'

interface Timer {
  at: number
  order: number
  call: () => void
}

/**
 * A clock that stands still until it is moved. A timer's callback runs as Node would run it: on its own, in the asynchronous context of
 * the one that set it, so that what it throws is uncaught in that context. `hr` moves with `now`.
 */
export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>()
  readonly #start: number
  #now: number
  #order = 0

  constructor(start = 1_800_000_000_000) {
    this.#start = start
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  hr(): number {
    return this.#now - this.#start
  }

  after(ms: number, call: () => void): () => void {
    const timer = {
      at: this.#now + Math.max(0, ms),
      order: this.#order++,
      call: AsyncResource.bind(() => process.nextTick(call)),
    }
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
    }
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size
  }

  /** Moves on by `ms`: every timer that falls due runs at its own time, in order, and what follows from it settles before the next one. */
  async advance(ms: number): Promise<void> {
    const target = this.#now + ms
    await settle()
    for (let timer = this.#next(target); timer; timer = this.#next(target)) {
      this.#timers.delete(timer)
      this.#now = Math.max(this.#now, timer.at)
      timer.call()
      await settle()
    }
    this.#now = target
    await settle()
  }

  /** Stands still for so long and wakes up late, as a suspended process does: timers that fell due meanwhile run afterwards, at the new time. */
  async suspend(ms: number): Promise<void> {
    this.#now += ms
    await this.advance(0)
  }

  #next(target: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.at <= target && (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order)))
        first = timer
    }
    return first
  }
}

/** A fake clock on which waits of seconds take no time: for device code that pauses between two requests. */
export class HurriedClock extends FakeClock {
  override after(ms: number, call: () => void): () => void {
    const stop = super.after(ms, call)
    if (ms < 20_000) queueMicrotask(() => void this.advance(ms))
    return stop
  }
}

/** Lets everything that waits for nothing but promises, ticks and immediates run to its end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

/**
 * Waits in real time, looking every `everyMs`, until `condition` holds: for what depends on sockets or files. Throws with `what`
 * after `deadlineMs`.
 */
export async function until(condition: () => unknown, what: string, deadlineMs = 30_000, everyMs = 2): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`)
    await new Promise<void>((resolve) => setTimeout(resolve, everyMs))
  }
}
