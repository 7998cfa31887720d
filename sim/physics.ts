import type { Clock } from '#model'
import { Climate } from './climate.js'
import { type Course, energyOf, levelOf, workOf } from './course.js'
import { type Drive, modeRate, powerOf, targetLevel, usualDrive } from './drive.js'
import type { Hardware } from './hardware.js'
import { chance, wander } from './random.js'

export interface BoardReading {
  readonly slot: number
  readonly rateThs: number
  readonly avgThs: number
  readonly boardC: number
  readonly chipMinC: number
  readonly chipAvgC: number
  readonly chipMaxC: number
  /** Good chips. */
  readonly chips: number
}

/** Everything that can be measured at one moment. Rates in TH/s, temperatures in °C, times in s of the miner's own time. */
export interface Reading {
  readonly uptimeS: number
  readonly elapsedS: number
  readonly rateThs: number
  readonly rate5sThs: number
  readonly rate1mThs: number
  readonly rate5mThs: number
  readonly rate15mThs: number
  readonly rate30mThs: number
  readonly avgThs: number
  /** What it aims at with its present settings. */
  readonly targetThs: number
  /** TH done since mining started. */
  readonly workTh: number
  readonly hwErrors: number
  readonly powerW: number
  readonly power5mW: number
  readonly energyWs: number
  readonly frequencyMhz: number
  readonly tuned: boolean
  readonly ambientC: number
  readonly inletC: number
  readonly outletC: number
  readonly boards: readonly BoardReading[]
  readonly fansRpm: readonly number[]
  readonly psuC: number
  readonly psuFanRpm: number
  readonly inputV: number
}

/** From power-on until the controller answers again, s. */
export const bootS = 40
/** From the start of the mining process to the first hashes, and how fast the rate then climbs (63 % after each), s. */
export const startS = 20
const rampS = 45
const slideS = 8
const fanMaxRpm = 6600
/** Over a shorter time there is no mean, s. */
const leastSpanS = 1e-6
/** One wrong nonce in so many TH. */
const thPerHwError = 60_000
const daySeconds = 86_400

export interface PhysicsOptions {
  readonly clock: Clock
  readonly seed: number
  /** How much faster the miner's time runs than the clock. */
  readonly speed?: number
  /** How long it has been mining already, s. Default: between an hour and 30 days, by seed. */
  readonly elapsedS?: number
}

/**
 * A miner as a function of time: between two changes everything follows a closed form (first-order lags and their integrals), so nothing
 * runs while nobody looks, and looking changes nothing. Power grows faster than hashrate: p = h (0.55 + 0.45 h).
 */
export class Physics {
  readonly hardware: Hardware
  readonly nominalW: number
  readonly standbyW: number
  readonly #seed: number
  readonly #clock: Clock
  readonly #speed: number
  readonly #startHr: number
  readonly #climate: Climate
  /** The little differences between boards, the same for life. */
  readonly #quality: readonly number[]
  #drive = usualDrive
  #course: Course
  #bootAt: number
  #miningAt: number
  #awayUntil = Number.NEGATIVE_INFINITY

  constructor(hardware: Hardware, { clock, seed, speed = 1, elapsedS }: PhysicsOptions) {
    this.hardware = hardware
    this.#seed = seed
    this.#clock = clock
    this.#speed = speed
    this.#startHr = clock.hr()
    this.#climate = new Climate(hardware, seed, clock.now() / 1000)
    this.nominalW = Math.round(hardware.nominalThs * hardware.efficiencyJTh)
    this.standbyW = this.#climate.cooling.standbyW
    this.#quality = Array.from({ length: hardware.boards }, (_, slot) => 1 + (chance(seed, 10 + slot) - 0.5) * 0.03)
    const age = elapsedS ?? 3600 + Math.floor(chance(seed, 2) * 30 * daySeconds)
    this.#miningAt = -age
    this.#bootAt = -age - 90
    const level = this.#target()
    const share = this.#share()
    // Steady state: as if it had always been like this.
    const riseC = this.#climate.steadyRise(this.#drive, level, 0)
    this.#course = { at: -age, from: level, to: level, delayS: 0, tauS: rampS, share, riseC, workTh: 0, energyWs: 0 }
  }

  get drive(): Drive {
    return this.#drive
  }

  /** The miner's own time: s since it was made. */
  seconds(): number {
    return ((this.#clock.hr() - this.#startHr) / 1000) * this.#speed
  }

  /** After a reboot nothing answers until the controller is up. */
  isAway(): boolean {
    return this.seconds() < this.#awayUntil
  }

  /** Changes what steers it. `restart`: the mining process starts anew, with its counters; `slide`: it goes over in some seconds. */
  change(drive: Partial<Drive>, how: 'restart' | 'slide' = 'slide') {
    this.#turn({ ...this.#drive, ...drive }, how === 'restart' ? startS : undefined)
  }

  restart() {
    this.#turn(this.#drive, startS)
  }

  reboot() {
    const now = this.seconds()
    this.#awayUntil = now + bootS
    this.#turn(this.#drive, bootS + startS)
    this.#bootAt = now
    this.#course = { ...this.#course, energyWs: 0 }
  }

  #turn(drive: Drive, restartS: number | undefined) {
    const now = this.seconds()
    const level = levelOf(this.#course, now)
    const riseC = this.#climate.rise(this.#course, this.#drive, now)
    const workTh = this.#work(now)
    const energyWs = energyOf(this.#course, now, this)
    this.#drive = drive
    const to = this.#target()
    const next = { at: now, to, share: this.#share(), riseC, energyWs }
    if (restartS === undefined) {
      // What was still to come of an earlier restart is not skipped by turning a knob meanwhile.
      const pendingS = Math.max(0, this.#course.at + this.#course.delayS - now)
      const tauS = level < 0.5 * to ? rampS : slideS
      this.#course = { ...next, from: level, delayS: pendingS, tauS, workTh }
    } else {
      this.#miningAt = now
      this.#course = { ...next, from: 0, delayS: restartS, tauS: rampS, workTh: 0 }
    }
  }

  #share(): number {
    return (this.hardware.boards - this.#drive.lostBoards.size) / this.hardware.boards
  }

  #target(): number {
    return this.#share() > 0 ? targetLevel(this.#drive, this) : 0
  }

  #work(t: number): number {
    return workOf(this.#course, t, this.hardware.nominalThs)
  }

  /** Of the last so many seconds, or of all since mining started. */
  #mean(t: number, seconds: number): number {
    const from = Math.max(this.#miningAt, t - seconds)
    return t - from < leastSpanS ? 0 : Math.max(0, (this.#work(t) - this.#work(from)) / (t - from))
  }

  #power(t: number, level: number): number {
    const hot = 1 + 0.0008 * (this.#climate.inlet(t) - this.#climate.cooling.siteC)
    const noise = 1 + 0.004 * wander(this.#seed + 3, t, 20)
    const hashing = (this.nominalW - this.standbyW) * this.#course.share * powerOf(level) * hot * noise
    return this.standbyW + hashing
  }

  /** What shares follow from, cheaper than a whole reading: TH done since mining started, TH/s now, and when that is. */
  work(): { workTh: number; rateThs: number; seconds: number } {
    const seconds = this.seconds()
    const rateThs = this.hardware.nominalThs * levelOf(this.#course, seconds) * this.#course.share
    return { workTh: this.#work(seconds), rateThs, seconds }
  }

  read(): Reading {
    const t = this.seconds()
    const { hardware } = this
    const seed = this.#seed
    const level = levelOf(this.#course, t)
    const { share } = this.#course
    const rate = hardware.nominalThs * level * share
    const powerW = this.#power(t, level)
    const inletC = this.#climate.inlet(t)
    const workTh = this.#work(t)
    const avgThs = this.#mean(t, Number.POSITIVE_INFINITY)
    const duty = hardware.fans > 0 ? this.#climate.duty(this.#drive, level, t) : 0
    const running = level > 0
    return {
      uptimeS: t - this.#bootAt,
      elapsedS: t - this.#miningAt,
      rateThs: rate * (1 + 0.006 * wander(seed + 5, t, 15)),
      rate5sThs: rate * (1 + 0.05 * wander(seed + 6, t, 5)),
      rate1mThs: this.#mean(t, 60) * (1 + 0.01 * wander(seed + 7, t, 40)),
      rate5mThs: this.#mean(t, 300) * (1 + 0.006 * wander(seed + 12, t, 200)),
      rate15mThs: this.#mean(t, 900) * (1 + 0.004 * wander(seed + 8, t, 600)),
      rate30mThs: this.#mean(t, 1800) * (1 + 0.003 * wander(seed + 9, t, 1200)),
      avgThs,
      targetThs: hardware.nominalThs * this.#course.to * share,
      workTh,
      hwErrors: Math.floor(workTh / thPerHwError),
      powerW,
      power5mW: this.#power(t, Math.min(modeRate.high, this.#mean(t, 300) / (hardware.nominalThs * (share || 1)))),
      energyWs: energyOf(this.#course, t, this),
      frequencyMhz: hardware.frequencyMhz * level,
      tuned: running && Math.abs(level - this.#course.to) < 0.03 * this.#course.to,
      ambientC: inletC,
      inletC,
      outletC: inletC + this.#climate.cooling.outC * powerOf(level) * share,
      boards: this.#boards(t, level, avgThs),
      fansRpm: Array.from({ length: hardware.fans }, (_, index) => this.#fan(index, duty, t)),
      psuC: inletC + 4 + 18 * powerOf(level) * share,
      psuFanRpm: hardware.cooling === 'air' ? Math.round(2400 + 4400 * powerOf(level)) : 0,
      inputV: (hardware.cooling === 'air' ? 224 : 398) + 2 * wander(seed + 11, t, 120),
    }
  }

  #fan(index: number, duty: number, t: number): number {
    if (this.#drive.stoppedFans.has(index)) return 0
    const rpm = fanMaxRpm * duty * (1 + 0.015 * wander(this.#seed + 40 + index, t, 10))
    return Math.round(rpm / 30) * 30
  }

  #boards(t: number, level: number, avgThs: number): BoardReading[] {
    const { boards, chips, nominalThs } = this.hardware
    const rise = this.#climate.rise(this.#course, this.#drive, t)
    const inlet = this.#climate.inlet(t)
    const { chipC, chipMaxC } = this.#climate.cooling
    const heat = powerOf(level)
    const live = Math.max(1, boards - this.#drive.lostBoards.size)
    const readings: BoardReading[] = []
    for (let slot = 0; slot < boards; slot++) {
      if (this.#drive.lostBoards.has(slot)) continue
      const quality = this.#quality[slot]!
      const noise = wander(this.#seed + 20 + slot, t, 30)
      const boardC = inlet + rise * (1 + 0.05 * slot * heat) + 0.3 + 0.3 * noise
      readings.push({
        slot,
        rateThs: (nominalThs / boards) * level * quality * (1 + 0.01 * noise),
        avgThs: (avgThs / live) * quality,
        boardC,
        chipMinC: boardC - 0.2 * heat,
        chipAvgC: boardC + chipC * heat,
        chipMaxC: boardC + chipMaxC * heat,
        // One board in twenty-five has lost a chip or two.
        chips: chips - (chance(this.#seed, 30 + slot) < 0.04 ? 1 + Math.floor(2 * chance(this.#seed, 35 + slot)) : 0),
      })
    }
    return readings
  }
}
