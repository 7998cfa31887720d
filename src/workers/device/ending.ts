import type { SdkError } from '#model'

/** Controllers that served a visit and were not needed: as many as there were visits at once, not as there are devices. */
const idle: AbortController[] = []

/** Ends what is under way with a device. Most of the time nothing is: then it takes next to no memory. */
export class Ending {
  #reason: SdkError | undefined
  #visit: AbortController | undefined
  #whole: AbortController | undefined

  get ended(): boolean {
    return this.#reason !== undefined
  }

  /** Aborts when nobody wants the device any more. */
  get signal(): AbortSignal {
    if (!this.#whole) {
      this.#whole = new AbortController()
      if (this.#reason) this.#whole.abort(this.#reason)
    }
    return this.#whole.signal
  }

  /** The same for the visit that begins, until `leave`: then the signal serves another. */
  enter(): AbortSignal {
    if (this.#reason) return this.signal
    this.#visit = idle.pop() ?? new AbortController()
    return this.#visit.signal
  }

  leave(): void {
    if (this.#visit && !this.ended) idle.push(this.#visit)
    this.#visit = undefined
  }

  end(reason: SdkError): void {
    if (this.#reason) return
    this.#reason = reason
    this.#visit?.abort(reason)
    this.#whole?.abort(reason)
  }
}
