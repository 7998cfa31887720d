/** What steers a miner: settings of its operator, and what is broken. */
export interface Drive {
  readonly awake: boolean
  readonly mode: 'low' | 'normal' | 'high'
  /** W; null: the limit of the model, which never binds. */
  readonly limitW: number | null
  /** Of the power of the mode. */
  readonly powerPct: number
  /** Shift of the chip frequency. */
  readonly frequencyPct: number
  /** A pool gives work. */
  readonly hasWork: boolean
  readonly lostBoards: ReadonlySet<number>
  readonly stoppedFans: ReadonlySet<number>
  /** The cooling is blocked: it heats up and throttles itself. */
  readonly blocked: boolean
}

export const usualDrive: Drive = {
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

/** Hashrate of a mode as a share of the nominal one. */
export const modeRate: Readonly<Record<Drive['mode'], number>> = { low: 0.84, normal: 1, high: 1.13 }

const blockedRate = 0.5
const lowestFrequency = 0.3
/** More than this no chip does, whatever it is told. */
const highestLevel = 1.5

/** Power at a level of hashrate, both as shares of the nominal ones: it grows faster, so lower modes are more efficient. */
export function powerOf(level: number): number {
  return level * (0.55 + 0.45 * level)
}

/** The level that draws so much: the inverse of `powerOf`. */
function levelDrawing(power: number): number {
  return power <= 0 ? 0 : (Math.sqrt(0.3025 + 1.8 * power) - 0.55) / 0.9
}

/** The share of its nominal hashrate that each living board aims at. */
export function targetLevel(drive: Drive, power: { nominalW: number; standbyW: number }): number {
  const { awake, hasWork, mode, frequencyPct, powerPct, limitW, blocked } = drive
  if (!awake || !hasWork) return 0
  const bySettings = modeRate[mode] * Math.max(lowestFrequency, 1 + frequencyPct / 100)
  const byPercent = levelDrawing((powerOf(bySettings) * powerPct) / 100)
  const { nominalW, standbyW } = power
  const byLimit =
    limitW === null ? byPercent : Math.min(byPercent, levelDrawing((limitW - standbyW) / (nominalW - standbyW)))
  return Math.min(highestLevel, byLimit) * (blocked ? blockedRate : 1)
}
