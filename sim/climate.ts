import type { Course } from './course.js'
import { type Drive, powerOf } from './drive.js'
import type { Hardware } from './hardware.js'
import { chance, wander } from './random.js'

/** Per cooling: °C the coolant has at the site's mean, how far the heat lifts coolant, board and chips at nominal power, how slowly, what it draws asleep. */
const coolings = {
  air: { siteC: 22, dailyC: 6, outC: 14, boardC: 44, chipC: 9, chipMaxC: 18, tauS: 120, standbyW: 15 },
  hydro: { siteC: 33, dailyC: 2, outC: 9, boardC: 20, chipC: 9, chipMaxC: 17, tauS: 90, standbyW: 25 },
  immersion: { siteC: 38, dailyC: 3, outC: 6, boardC: 24, chipC: 10, chipMaxC: 20, tauS: 300, standbyW: 25 },
} as const

/** Nothing is colder than its coolant: the least a board is above it, °C. */
const leastRiseC = 0.5
const blockedRiseC = 55
const daySeconds = 86_400
/** The warmest hour of the day, UTC. */
const warmestHour = 15
/** Of the fans, in parts of full speed: asleep, at no load, for the power, for each °C of air, for a blocked cooling; usual at full load. */
const duties = { asleep: 0.12, base: 0.3, load: 0.42, perC: 0.012, blocked: 0.3, usual: 0.72 }

/** Where a miner stands and how it is cooled: temperatures as a function of time. */
export class Climate {
  readonly cooling: (typeof coolings)[Hardware['cooling']]
  readonly #hardware: Hardware
  readonly #seed: number
  /** Of the calendar at the start of the miner's own time, s. */
  readonly #startS: number
  /** The rack place makes it a little warmer or colder, for life. */
  readonly #placeC: number

  constructor(hardware: Hardware, seed: number, startS: number) {
    this.#hardware = hardware
    this.#seed = seed
    this.#startS = startS
    this.cooling = coolings[hardware.cooling]
    this.#placeC = (chance(seed, 1) - 0.4) * 4
  }

  /** Air or coolant where it comes in: the day, the place, the weather of the site. */
  inlet(t: number): number {
    const { siteC, dailyC } = this.cooling
    const at = this.#startS + t
    const day = Math.cos((at / daySeconds - warmestHour / 24) * 2 * Math.PI)
    const weather = 1.5 * wander(7, at, 6 * 3600) + 0.3 * wander(this.#seed + 4, at, 300)
    return siteC + dailyC * day + this.#placeC + weather
  }

  /** How fast the fans are told to run, 0 to 1. */
  duty({ awake, blocked }: Drive, level: number, t: number): number {
    if (!awake && level === 0) return duties.asleep
    const byAir = duties.perC * (this.inlet(t) - this.cooling.siteC)
    const duty = duties.base + duties.load * powerOf(level) + byAir + (blocked ? duties.blocked : 0)
    return Math.min(1, Math.max(duties.asleep, duty))
  }

  /** How far above their coolant the boards end up, °C, if all stays as it is. */
  steadyRise(drive: Drive, level: number, t: number): number {
    const { fans, cooling } = this.#hardware
    const air = cooling === 'air' ? 0.55 + (0.45 * this.duty(drive, level, t)) / duties.usual : 1
    const weak = 1 + 0.3 * (drive.stoppedFans.size / Math.max(1, fans))
    const heat = (this.cooling.boardC * powerOf(level) * weak) / air
    return Math.max(leastRiseC, heat + (drive.blocked ? blockedRiseC : 0))
  }

  /** How far above it they are now: they follow slowly. */
  rise(course: Course, drive: Drive, t: number): number {
    const { at, delayS, to, from, riseC } = course
    const { tauS } = this.cooling
    const waited = Math.max(0, Math.min(t - at, delayS))
    const idle = this.steadyRise(drive, from, at)
    const before = idle + (riseC - idle) * Math.exp(-waited / tauS)
    const final = this.steadyRise(drive, to, t)
    return Math.max(leastRiseC, final + (before - final) * Math.exp(-Math.max(0, t - at - delayS) / tauS))
  }
}
