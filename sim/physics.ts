import type { Clock } from '#model'
import type { Hardware } from './hardware.js'
import { chance, wander } from './random.js'

/** What steers a miner: settings of its operator, and what is broken. */
export interface Drive {
  awake: boolean
  mode: 'low' | 'normal' | 'high'
  /** W; null: the limit of the model, which never binds. */
  limitW: number | null
  /** Of the power of the mode. */
  powerPct: number
  /** Shift of the chip frequency. */
  frequencyPct: number
  /** A pool gives work. */
  hasWork: boolean
  lostBoards: ReadonlySet<number>
  stoppedFans: ReadonlySet<number>
  /** The cooling is blocked: it heats up and throttles itself. */
  blocked: boolean
}

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

/** Hashrate of a mode as a share of the nominal one. */
export const modeRate: Readonly<Record<Drive['mode'], number>> = { low: 0.84, normal: 1, high: 1.13 }

/** Per cooling: °C the coolant has at the site's mean, how far the heat lifts coolant, board and chips at nominal power, how slowly, what it draws asleep. */
const coolings = {
  air: { siteC: 22, dailyC: 6, outC: 14, boardC: 44, chipC: 9, chipMaxC: 18, tauS: 120, standbyW: 15 },
  hydro: { siteC: 33, dailyC: 2, outC: 9, boardC: 20, chipC: 9, chipMaxC: 17, tauS: 90, standbyW: 25 },
  immersion: { siteC: 38, dailyC: 3, outC: 6, boardC: 24, chipC: 10, chipMaxC: 20, tauS: 300, standbyW: 25 },
} as const

/** From power-on until the controller answers again, s. */
export const bootS = 40
/** From the start of the mining process to the first hashes, and how fast the rate then climbs (63 % after each), s. */
export const startS = 20
const rampS = 45
const slideS = 8
/** Nothing is colder than its coolant: the least a board is above it, °C. */
const leastRiseC = 0.5
const blockedRiseC = 55
const blockedRate = 0.5
const fanMaxRpm = 6600
const daySeconds = 86_400

/** Since the last change: from which level to which, and what was counted until then. A level is hashrate as a share of the nominal one. */
interface Segment {
  at: number
  from: number
  to: number
  delayS: number
  tauS: number
  share: number
  riseC: number
  workTh: number
  energyWs: number
}

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
  readonly #startNow: number
  readonly #cooling: (typeof coolings)[Hardware['cooling']]
  /** The same for life: rack position and the little differences between boards. */
  readonly #placeC: number
  readonly #quality: readonly number[]
  #drive: Drive
  #segment: Segment
  #bootAt: number
  #miningAt: number
  #awayUntil = Number.NEGATIVE_INFINITY

  constructor(hardware: Hardware, { clock, seed, speed = 1, elapsedS }: PhysicsOptions) {
    this.hardware = hardware
    this.#seed = seed
    this.#clock = clock
    this.#speed = speed
    this.#startHr = clock.hr()
    this.#startNow = clock.now()
    this.#cooling = coolings[hardware.cooling]
    this.nominalW = Math.round(hardware.nominalThs * hardware.efficiencyJTh)
    this.standbyW = this.#cooling.standbyW
    this.#placeC = (chance(seed, 1) - 0.4) * 4
    this.#quality = Array.from({ length: hardware.boards }, (_, slot) => 1 + (chance(seed, 10 + slot) - 0.5) * 0.03)
    this.#drive = {
      awake: true,
      mode: 'normal',
      limitW: null,
      powerPct: 100,
      frequencyPct: 0,
      hasWork: true,
      lostBoards: new Set(),
      stoppedFans: new Set(),
      blocked: false,
    }
    const age = elapsedS ?? 3600 + Math.floor(chance(seed, 2) * 30 * daySeconds)
    this.#miningAt = -age
    this.#bootAt = -age - 90
    const level = this.#target()
    const share = this.#share()
    // Steady state: as if it had always been like this.
    const riseC = this.#finalRise(level, 0)
    this.#segment = { at: -age, from: level, to: level, delayS: 0, tauS: rampS, share, riseC, workTh: 0, energyWs: 0 }
  }

  get drive(): Readonly<Drive> {
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

  /** Since when the mining process runs, in the miner's own time: shows whether it was restarted. */
  get miningSince(): number {
    return this.#miningAt
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
    this.#segment.energyWs = 0
  }

  #turn(drive: Drive, restartS: number | undefined) {
    const now = this.seconds()
    const level = this.#level(now)
    const riseC = this.#rise(now)
    const workTh = this.#work(now)
    const energyWs = this.#energy(now)
    this.#drive = drive
    const to = this.#target()
    const next = { at: now, to, share: this.#share(), riseC, energyWs }
    if (restartS === undefined) {
      // What was still to come of an earlier restart is not skipped by turning a knob meanwhile.
      const pendingS = Math.max(0, this.#segment.at + this.#segment.delayS - now)
      const tauS = level < 0.5 * to ? rampS : slideS
      this.#segment = { ...next, from: level, delayS: pendingS, tauS, workTh }
    } else {
      this.#miningAt = now
      this.#segment = { ...next, from: 0, delayS: restartS, tauS: rampS, workTh: 0 }
    }
  }

  #share(): number {
    return (this.hardware.boards - this.#drive.lostBoards.size) / this.hardware.boards
  }

  #target(): number {
    const { awake, hasWork, mode, frequencyPct, powerPct, limitW, blocked } = this.#drive
    if (!awake || !hasWork || this.#share() <= 0) return 0
    let level = modeRate[mode] * Math.max(0.3, 1 + frequencyPct / 100)
    level = levelAt((powerOf(level) * powerPct) / 100)
    if (limitW !== null) level = Math.min(level, levelAt((limitW - this.standbyW) / (this.nominalW - this.standbyW)))
    return blocked ? level * blockedRate : level
  }

  #level(t: number): number {
    const { at, from, to, delayS, tauS } = this.#segment
    const s = t - at - delayS
    if (s <= 0) return from
    const gap = (from - to) * Math.exp(-s / tauS)
    return Math.abs(gap) < 0.002 ? to : to + gap
  }

  /** ∫ level and ∫ level² from the start of the segment. */
  #integrals(t: number): [level: number, square: number] {
    const { at, from, to, delayS, tauS } = this.#segment
    const waited = Math.max(0, Math.min(t - at, delayS))
    const s = Math.max(0, t - at - delayS)
    const gap = from - to
    const decay = 1 - Math.exp(-s / tauS)
    const decay2 = (1 - Math.exp((-2 * s) / tauS)) / 2
    return [
      from * waited + to * s + gap * tauS * decay,
      from * from * waited + to * to * s + 2 * to * gap * tauS * decay + gap * gap * tauS * decay2,
    ]
  }

  #work(t: number): number {
    const { at, from, share, workTh } = this.#segment
    const rate = this.hardware.nominalThs * share
    if (t < at) return Math.max(0, workTh - from * rate * (at - t))
    return workTh + rate * this.#integrals(t)[0]
  }

  #energy(t: number): number {
    const { at, share, energyWs } = this.#segment
    const [level, square] = this.#integrals(t)
    const hashing = (this.nominalW - this.standbyW) * share * (0.55 * level + 0.45 * square)
    return energyWs + this.standbyW * Math.max(0, t - at) + hashing
  }

  #mean(t: number, seconds: number): number {
    const from = Math.max(this.#miningAt, t - seconds)
    return t - from < 1e-6 ? 0 : Math.max(0, (this.#work(t) - this.#work(from)) / (t - from))
  }

  #power(t: number, level: number): number {
    const hot = 1 + 0.0008 * (this.#ambient(t) - this.#cooling.siteC)
    const noise = 1 + 0.004 * wander(this.#seed + 3, t, 20)
    const hashing = (this.nominalW - this.standbyW) * this.#segment.share * powerOf(level) * hot * noise
    return this.standbyW + hashing
  }

  /** Air or coolant at the inlet: the day, the place in the rack, the weather. */
  #ambient(t: number): number {
    const { siteC, dailyC } = this.#cooling
    const at = this.#startNow / 1000 + t
    // Warmest at 15:00 UTC.
    const day = Math.cos(((at / daySeconds - 15 / 24) % 1) * 2 * Math.PI)
    const weather = 1.5 * wander(7, at, 6 * 3600) + 0.3 * wander(this.#seed + 4, at, 300)
    return siteC + dailyC * day + this.#placeC + weather
  }

  #duty(level: number, t: number): number {
    if (!this.#drive.awake && level === 0) return 0.12
    const blocked = this.#drive.blocked ? 0.3 : 0
    return clamp(0.3 + 0.42 * powerOf(level) + 0.012 * (this.#ambient(t) - this.#cooling.siteC) + blocked, 0.12, 1)
  }

  #finalRise(level: number, t: number): number {
    const { boardC } = this.#cooling
    const { stoppedFans, blocked } = this.#drive
    const air = this.hardware.cooling === 'air' ? 0.55 + (0.45 * this.#duty(level, t)) / 0.72 : 1
    const weak = 1 + 0.3 * (stoppedFans.size / Math.max(1, this.hardware.fans))
    const heat = (boardC * powerOf(level) * weak) / air
    return Math.max(leastRiseC, heat + (blocked ? blockedRiseC : 0))
  }

  #rise(t: number): number {
    const { at, delayS, to, from, riseC } = this.#segment
    const { tauS } = this.#cooling
    const waited = Math.max(0, Math.min(t - at, delayS))
    const idle = this.#finalRise(from, at)
    const before = idle + (riseC - idle) * Math.exp(-waited / tauS)
    const s = Math.max(0, t - at - delayS)
    const final = this.#finalRise(to, t)
    return Math.max(leastRiseC, final + (before - final) * Math.exp(-s / tauS))
  }

  /** What shares follow from, cheaper than a whole reading: TH done since mining started, TH/s now, and when that is. */
  work(): { workTh: number; rateThs: number; seconds: number } {
    const seconds = this.seconds()
    const rateThs = this.hardware.nominalThs * this.#level(seconds) * this.#segment.share
    return { workTh: this.#work(seconds), rateThs, seconds }
  }

  read(): Reading {
    const t = this.seconds()
    const { hardware } = this
    const seed = this.#seed
    const level = this.#level(t)
    const { share } = this.#segment
    const rate = hardware.nominalThs * level * share
    const powerW = this.#power(t, level)
    const inletC = this.#ambient(t)
    const workTh = this.#work(t)
    const avgThs = this.#mean(t, Number.POSITIVE_INFINITY)
    const duty = hardware.fans > 0 ? this.#duty(level, t) : 0
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
      targetThs: hardware.nominalThs * this.#segment.to * share,
      workTh,
      // One wrong nonce in some 600,000 TH: a few hundred a day.
      hwErrors: Math.floor(workTh / 60_000 + (share < 1 ? workTh / 20_000 : 0)),
      powerW,
      power5mW: this.#power(t, Math.min(modeRate.high, this.#mean(t, 300) / (hardware.nominalThs * (share || 1)))),
      energyWs: this.#energy(t),
      frequencyMhz: hardware.frequencyMhz * level,
      tuned: running && Math.abs(level - this.#segment.to) < 0.03 * this.#segment.to,
      ambientC: inletC,
      inletC,
      outletC: inletC + this.#cooling.outC * powerOf(level) * share,
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
    const rise = this.#rise(t)
    const inlet = this.#ambient(t)
    const { chipC, chipMaxC } = this.#cooling
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

/** Power at a level, both as shares of the nominal ones. */
function powerOf(level: number): number {
  return level * (0.55 + 0.45 * level)
}

/** The level that draws so much: the inverse of `powerOf`. */
function levelAt(power: number): number {
  return power <= 0 ? 0 : (Math.sqrt(0.3025 + 1.8 * power) - 0.55) / 0.9
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}
