import { SdkError } from '#model'

/** So many jobs may wait for one device. */
const maxWaiting = 8

/** One visit at a time: polls and commands of a device share this queue. */
export class Turns {
  #busy = false
  /** Nearly always nobody waits. */
  #waiting: (() => void)[] | undefined

  get busy(): boolean {
    return this.#busy
  }

  /** Takes the turn, if nobody has it; answers how to give it to the next. */
  enter(): () => void {
    if (this.#busy) throw new SdkError('CONFLICT', 'the device is being visited')
    this.#busy = true
    return () => this.#leave()
  }

  /** Runs `job` after those before it; refuses with DEVICE_BUSY if too many wait. */
  run<T>(job: () => Promise<T>): Promise<T> {
    if (!this.#busy) return this.#begin(job)
    this.#waiting ??= []
    const waiting = this.#waiting
    if (waiting.length >= maxWaiting) {
      return Promise.reject(new SdkError('DEVICE_BUSY', `${waiting.length} requests wait for this device already`))
    }
    return new Promise((resolve) => waiting.push(() => resolve(this.#begin(job))))
  }

  #begin<T>(job: () => Promise<T>): Promise<T> {
    const leave = this.enter()
    const mine = job()
    mine.then(leave, leave)
    return mine
  }

  #leave(): void {
    this.#busy = false
    this.#waiting?.shift()?.()
  }
}
