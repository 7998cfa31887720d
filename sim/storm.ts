import type { Clock } from '#model'
import { type Fault, faultKinds, faults } from './faults.js'
import type { Hardware } from './hardware.js'
import { sequence } from './random.js'

/** What a storm goes over: a farm. */
export interface Breakable {
  readonly devices: readonly { readonly machine: { readonly hardware: Hardware } }[]
  setFault(index: number, fault: Fault): Promise<void>
  clearFault(index: number, which: Fault): Promise<void>
}

export interface StormOptions {
  /** Of all miners, broken at any time. */
  readonly share: number
  readonly seed: number
  readonly clock: Clock
  readonly speed: number
}

/** How often it looks, and how long a fault lasts, ms of the miners' own time. */
const everyMs = 5_000
const lastsMs = { least: 20_000, most: 300_000 }

/** Breaks miners at random and heals them again, so that a share of them is broken at any time. One timer for the whole farm. */
export class Storm {
  readonly #options: StormOptions
  readonly #next: () => number
  readonly #broken = new Map<number, { fault: Fault; until: number }>()
  #farm: Breakable | undefined
  #forget: () => void = () => {}
  #work: Promise<unknown> = Promise.resolve()

  constructor(options: StormOptions) {
    this.#options = options
    this.#next = sequence(options.seed + 77)
  }

  start(farm: Breakable) {
    this.#farm = farm
    this.#turn()
  }

  stop() {
    this.#farm = undefined
    this.#forget()
  }

  /** Resolves when nothing is being broken or healed any more. */
  async settled(): Promise<void> {
    await this.#work
  }

  #turn() {
    const farm = this.#farm
    if (!farm) return
    const { clock, speed } = this.#options
    // A port that was taken meanwhile keeps its miner dead: it is healed at a later turn.
    this.#work = Promise.allSettled([...this.#heal(farm, clock.now()), ...this.#break(farm, clock.now())])
    this.#forget = clock.after(everyMs / speed, () => this.#turn())
  }

  #heal(farm: Breakable, now: number): Promise<void>[] {
    const over = [...this.#broken].filter(([, { until }]) => until <= now)
    return over.map(async ([index, { fault }]) => {
      await farm.clearFault(index, fault)
      this.#broken.delete(index)
    })
  }

  #break(farm: Breakable, now: number): Promise<void>[] {
    const { share, speed } = this.#options
    const started: Promise<void>[] = []
    const wanted = Math.round(farm.devices.length * share)
    for (let tries = wanted; tries > 0 && this.#broken.size < wanted; tries--) {
      const index = Math.floor(this.#next() * farm.devices.length)
      const kind = faultKinds[Math.floor(this.#next() * faultKinds.length)]!
      const fault = faults[kind].draw(this.#next, farm.devices[index]!.machine.hardware)
      if (!fault || this.#broken.has(index)) continue
      const lasts = lastsMs.least + this.#next() * (lastsMs.most - lastsMs.least)
      this.#broken.set(index, { fault, until: now + lasts / speed })
      started.push(farm.setFault(index, fault))
    }
    return started
  }
}
