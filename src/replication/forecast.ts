/** So many of the last changes say what the next one may be. */
export const taps = 4
/** How much of what was learnt still counts one value later. */
const memory = 0.998
const unsure = 100
/** Beyond it the sums have lost their sense: learnt anew. */
const absurd = 1e9

/**
 * Learns how a value follows from its last changes: recursive least squares (Plackett, 1950). What swings back, goes on or only wobbles is
 * told from each other after a few dozen values.
 */
export class Forecast {
  readonly #weights = new Float64Array(taps)
  readonly #trust = new Float64Array(taps * taps)
  readonly #gain = new Float64Array(taps)

  constructor() {
    this.restart()
  }

  restart(): void {
    this.#weights.fill(0)
    this.#trust.fill(0)
    for (let tap = 0; tap < taps; tap++) this.#trust[tap * taps + tap] = unsure
  }

  /** The expected change after those from `at` on, the last one first. */
  change(changes: Float64Array, at: number): number {
    const weights = this.#weights
    return (
      weights[0]! * changes[at]! +
      weights[1]! * changes[at + 1]! +
      weights[2]! * changes[at + 2]! +
      weights[3]! * changes[at + 3]!
    )
  }

  /** By `error` the value was more than expected. */
  learn(changes: Float64Array, at: number, error: number): void {
    if (changes[at] === 0 && changes[at + 1] === 0 && changes[at + 2] === 0 && changes[at + 3] === 0) return
    const trust = this.#trust
    const gain = this.#gain
    const weights = this.#weights
    let sure = memory
    for (let row = 0; row < taps; row++) {
      let sum = 0
      for (let tap = 0; tap < taps; tap++) sum += trust[row * taps + tap]! * changes[at + tap]!
      gain[row] = sum
      sure += sum * changes[at + row]!
    }
    let largest = 0
    for (let row = 0; row < taps; row++) {
      const share = gain[row]! / sure
      weights[row]! += share * error
      for (let tap = 0; tap < taps; tap++)
        trust[row * taps + tap] = (trust[row * taps + tap]! - share * gain[tap]!) / memory
      if (!(Math.abs(weights[row]!) < 8)) largest = Number.POSITIVE_INFINITY
      largest = Math.max(largest, trust[row * taps + row]!)
    }
    if (largest < absurd && sure > 0) return
    this.restart()
  }
}
