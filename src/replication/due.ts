/** So many whole records at most in one tick, however long ago the last one was. */
const most = 200

/** How many devices are due to have their whole record written with a tick, so that each has its turn once in `everyMs`. */
export class Due {
  readonly #everyMs: number
  #lastAt: number | undefined
  /** The part below one waits. */
  #rest = 0

  constructor(everyMs: number) {
    this.#everyMs = everyMs
  }

  /** With a tick at `at`, of so many devices; `written` once it is stored. */
  at(at: number, devices: number): { count: number; written(): void } {
    const sinceLast = Math.min(Math.max(0, at - (this.#lastAt ?? at)), this.#everyMs)
    const due = Math.min(most, this.#rest + (devices * sinceLast) / this.#everyMs)
    return {
      count: Math.floor(due),
      written: () => {
        this.#rest = due % 1
        this.#lastAt = at
      },
    }
  }
}
