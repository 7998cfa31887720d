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
  const waiting: (() => void)[] = []
  let busy = false

  /** Nearly always nobody waits: then a turn costs next to nothing. */
  function begin<T>(job: () => Promise<T>): Promise<T> {
    busy = true
    const mine = job()
    mine.then(next, next)
    return mine
  }

  function next() {
    busy = false
    waiting.shift()?.()
  }

  return {
    get busy() {
      return busy
    },
    run(job) {
      if (!busy) return begin(job)
      if (waiting.length >= maxWaiting) {
        return Promise.reject(new SdkError('DEVICE_BUSY', `${waiting.length} requests wait for this device already`))
      }
      return new Promise((resolve) => waiting.push(() => resolve(begin(job))))
    },
  }
}
