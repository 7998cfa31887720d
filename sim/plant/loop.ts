import type { Clock } from '#model'

/** What heats a loop and what it is set to. */
export interface LoopInput {
  cooling: boolean
  /** W from the miners. */
  heatW: number
  setpointC: number
  outdoorC: number
}

/** °C that the coolant gains on its way through the miners per W, and how fast temperatures follow. */
const gainPerW = 1 / 20_000
const followS = 90
const heatingS = 600
const hottestC = 95

/** A coolant loop: near its set point while it is cooled, and ever hotter while it is not. */
export class CoolingLoop {
  readonly input: LoopInput
  readonly #clock: Clock
  #at: number
  #supplyC: number

  constructor(clock: Clock, input: LoopInput) {
    this.#clock = clock
    this.input = input
    this.#at = clock.now()
    this.#supplyC = input.setpointC
  }

  #settle(): void {
    const now = this.#clock.now()
    const seconds = Math.max(0, (now - this.#at) / 1000)
    this.#at = now
    const { cooling, heatW, setpointC, outdoorC } = this.input
    const target = cooling ? Math.max(setpointC, outdoorC + 4) : heatW > 0 ? hottestC : outdoorC
    this.#supplyC = target + (this.#supplyC - target) * Math.exp(-seconds / (cooling ? followS : heatingS))
  }

  /** Changes what acts on it; what was until now is booked before. */
  change(input: Partial<LoopInput>): void {
    this.#settle()
    Object.assign(this.input, input)
  }

  get supplyC(): number {
    this.#settle()
    return Math.round(this.#supplyC * 10) / 10
  }

  get returnC(): number {
    const { supplyC } = this
    return Math.round((supplyC + this.input.heatW * gainPerW) * 10) / 10
  }
}

/** Energy of a power that may change, kWh. */
export class Energy {
  readonly #clock: Clock
  readonly #powerW: () => number
  #at: number
  #kwh: number

  constructor(clock: Clock, startKwh: number, powerW: () => number) {
    this.#clock = clock
    this.#powerW = powerW
    this.#at = clock.now()
    this.#kwh = startKwh
  }

  get kwh(): number {
    const now = this.#clock.now()
    this.#kwh += (this.#powerW() * Math.max(0, now - this.#at)) / 3.6e9
    this.#at = now
    return this.#kwh
  }
}
