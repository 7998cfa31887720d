/**
 * How a miner goes from one change to the next: it waits, then its level (hashrate as a share of the nominal one) nears its target
 * exponentially. All sums over time have a closed form, so nothing has to run meanwhile.
 */
export interface Course {
  /** s of the miner's own time. */
  readonly at: number
  readonly from: number
  readonly to: number
  readonly delayS: number
  /** 63 % of the way after each of these. */
  readonly tauS: number
  /** Of the boards, alive. */
  readonly share: number
  /** How much the boards were above their coolant, °C. */
  readonly riseC: number
  /** Counted until then. */
  readonly workTh: number
  readonly energyWs: number
}

/** So near its target a level has reached it. */
const reached = 0.002

export function levelOf({ at, from, to, delayS, tauS }: Course, t: number): number {
  const s = t - at - delayS
  if (s <= 0) return from
  const gap = (from - to) * Math.exp(-s / tauS)
  return Math.abs(gap) < reached ? to : to + gap
}

/** ∫ level and ∫ level² from the start of the course to `t`. */
function integrals({ at, from, to, delayS, tauS }: Course, t: number): [level: number, square: number] {
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

/** TH done until `t`; before the start of the course as if it had always been as at its start. */
export function workOf(course: Course, t: number, nominalThs: number): number {
  const rate = nominalThs * course.share
  if (t < course.at) return Math.max(0, course.workTh - course.from * rate * (course.at - t))
  return course.workTh + rate * integrals(course, t)[0]
}

/** Ws drawn until `t`; the power of a level is that of `powerOf`. */
export function energyOf(course: Course, t: number, power: { nominalW: number; standbyW: number }): number {
  const [level, square] = integrals(course, t)
  const hashing = (power.nominalW - power.standbyW) * course.share * (0.55 * level + 0.45 * square)
  return course.energyWs + power.standbyW * Math.max(0, t - course.at) + hashing
}
