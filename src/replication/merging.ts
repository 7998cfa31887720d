import type { Log } from '#model'
import type { Journal } from './journal.js'
import type { Merge } from './merge.js'

interface Parts {
  readonly journal: Journal
  readonly log: Log
  /** Runs a job when nothing else is written. */
  readonly alone: <T>(job: () => Promise<T>) => Promise<T>
  /** A day is done. */
  readonly done: () => Promise<void>
}

/** After so many tries the journal is told that a volume cannot be put together as it is. */
const maxFailures = 3

/** Puts full volumes together beside everything else: with every tick a little further, so that it takes about half of the time. */
export class Merging {
  readonly #parts: Parts
  #merge: Merge | undefined
  #running: Promise<void> | undefined
  /** Devices that it may go on with; a part of one waits. */
  #credit = 0
  #failures = 0
  #closed = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  tick(): void {
    const { mergePace } = this.#parts.journal
    this.#credit = Math.min(this.#credit + mergePace, Math.max(1, 2 * mergePace))
    this.#running ??= this.#run()
      .catch(async (error: unknown) => {
        if (!this.#closed)
          this.#parts.log.error({ err: error }, 'a day of history could not be put together; it is tried again')
        const { volume } = this.#merge ?? {}
        if (volume !== undefined && ++this.#failures >= maxFailures) {
          this.#failures = 0
          this.#parts.journal.giveUp(volume)
        }
        await this.#forget()
      })
      .finally(() => {
        this.#running = undefined
      })
  }

  async #run(): Promise<void> {
    const { journal, alone, done } = this.#parts
    while (this.#credit >= 1 && !this.#closed) {
      this.#merge ??= journal.nextMerge()
      const merge = this.#merge
      if (!merge) return
      this.#credit--
      if (await merge.step()) continue
      await alone(() => journal.merged(merge))
      this.#merge = undefined
      this.#failures = 0
      await done()
    }
  }

  async #forget(): Promise<void> {
    await this.#merge?.close()
    this.#merge = undefined
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
    await this.#forget()
  }
}
