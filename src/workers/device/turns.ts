import { SdkError } from '#model'

/** One visit at a time: polls and commands of a device share this queue. */
export interface Turns {
  readonly busy: boolean
  /** Runs `job` after those before it; refuses with DEVICE_BUSY if too many wait. */
  run<T>(job: () => Promise<T>): Promise<T>
}

/** So many jobs may wait for one device. */
const maxWaiting = 8

export function turns(): Turns {
  let last: Promise<unknown> = Promise.resolve()
  let inside = 0
  return {
    get busy() {
      return inside > 0
    },
    run(job) {
      if (inside > maxWaiting) {
        return Promise.reject(new SdkError('DEVICE_BUSY', `${inside} requests wait for this device already`))
      }
      inside++
      const mine = last.then(job).finally(() => inside--)
      last = mine.catch(() => {})
      return mine
    },
  }
}
