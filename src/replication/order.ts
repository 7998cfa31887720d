import { SdkError } from '#model'
import { storeError } from './layout.js'

/** Who may do what when: writers one at a time in the order of the calls, readers at once, nobody once it is closed. */
export class Order {
  #tail: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  get isClosed(): boolean {
    return this.#closing !== undefined
  }

  /** Failures are STORE_FAILED, and say what was not done. */
  alone<T>(job: () => Promise<T>, what: string): Promise<T> {
    if (this.#closing) return Promise.reject(closed())
    const run = this.#tail.then(job).catch((error: unknown) => {
      throw storeError(error, what)
    })
    this.#tail = run.catch(() => undefined)
    return run
  }

  async read<T>(job: () => Promise<T>): Promise<T> {
    this.check()
    try {
      return await job()
    } catch (error) {
      throw storeError(error, 'the store cannot be read')
    }
  }

  check(): void {
    if (this.#closing) throw closed()
  }

  /** After what was begun, once. */
  close(job: () => Promise<void>): Promise<void> {
    this.#closing ??= this.#tail.then(job)
    return this.#closing
  }
}

function closed(): SdkError {
  return new SdkError('STORE_FAILED', 'the store is closed')
}
