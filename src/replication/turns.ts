/** Work in one go at most, ms: everything else of the process waits meanwhile. */
const sliceMs = 8

/** Lets others have their turn. */
export function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Runs a job that pauses between its pieces, without a pause. */
export function atOnce<T>(job: Iterator<undefined, T>): T {
  for (;;) {
    const { done, value } = job.next()
    if (done) return value
  }
}

/** Lets others have their turn whenever a long job has worked for a while. */
export class Turns {
  #began = performance.now()

  /** To be awaited often. */
  async next(): Promise<void> {
    if (performance.now() - this.#began < sliceMs) return
    await othersTurn()
    this.#began = performance.now()
  }

  /** Runs a job that pauses between its pieces; with little to do, in one go. */
  async all<T>(job: Iterator<undefined, T>): Promise<T> {
    for (;;) {
      const { done, value } = job.next()
      if (done) return value
      await this.next()
    }
  }
}
