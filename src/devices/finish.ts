import { type Board, type DeviceError, type Fan, type Metric, measured, type Pool } from '#model'
import type { Model, Telemetry } from './define.js'
import { fanStopped } from './kit/fan-stopped.js'

/** Below this share of the nominal hashrate an efficiency says nothing. */
const efficiencyFrom = 0.01
/** No machine has more places for boards; a higher number is none. */
const maxSlots = 64
/** Up to this share of missing chips the board still does its work. */
const fewChips = 0.03

type Combine = 'sum' | 'mean' | 'max' | 'min'

/** What the parts of a device say together, where the device itself does not say it: metric, how, which field of the part. */
const ofBoards: readonly (readonly [Metric, Combine, keyof Board])[] = [
  ['hashrateThs', 'sum', 'hashrateThs'],
  ['boardTempMaxC', 'max', 'boardTempC'],
  ['boardTempAvgC', 'mean', 'boardTempC'],
  ['chipTempMaxC', 'max', 'chipTempMaxC'],
  ['chipTempAvgC', 'mean', 'chipTempAvgC'],
  ['chipTempMinC', 'min', 'chipTempMinC'],
  ['inletTempC', 'max', 'inletTempC'],
  ['outletTempC', 'max', 'outletTempC'],
  ['frequencyMhz', 'mean', 'frequencyMhz'],
  ['hwErrors', 'sum', 'hwErrors'],
]
const ofFans: readonly (readonly [Metric, Combine, keyof Fan])[] = [['fanMaxRpm', 'max', 'rpm']]
const ofPools: readonly (readonly [Metric, Combine, keyof Pool])[] = [
  ['acceptedShares', 'sum', 'accepted'],
  ['rejectedShares', 'sum', 'rejected'],
  ['staleShares', 'sum', 'stale'],
]

/**
 * Adds to the readings what follows from them for every brand alike: maxima, means, efficiency, and what the model row says should be
 * there. Runs on every poll of every device: one pass a metric, no copies.
 */
export function finish(telemetry: Telemetry, model: Model | undefined): Telemetry {
  const hashing = !telemetry.asleep
  if (telemetry.boards) telemetry.boards = withExpected(telemetry.boards, model, hashing)
  const { boards, pools } = telemetry
  const fans = telemetry.fans?.some((fan) => fan.location === 'psu')
    ? telemetry.fans.filter((fan) => fan.location !== 'psu')
    : telemetry.fans
  fill(telemetry, 'nominalHashrateThs', model?.nominalHashrateThs)
  if (boards) fillFrom(telemetry, boards, ofBoards)
  if (fans) fillFrom(telemetry, fans, ofFans)
  if (pools)
    fillFrom(telemetry, pools.some((pool) => pool.devFee) ? pools.filter((pool) => !pool.devFee) : pools, ofPools)
  if (telemetry.efficiencyJTh === undefined) fill(telemetry, 'efficiencyJTh', efficiency(telemetry))
  if (hashing) addFindings(telemetry, fans ?? [], model)
  return telemetry
}

function fill(telemetry: Telemetry, metric: Metric, value: number | undefined) {
  if (telemetry[metric] !== undefined) return
  const derived = measured(metric, value)
  if (derived !== undefined) telemetry[metric] = derived
}

function fillFrom<P>(
  telemetry: Telemetry,
  parts: readonly P[],
  table: readonly (readonly [Metric, Combine, keyof P])[],
) {
  for (const [metric, combine, field] of table) {
    if (telemetry[metric] === undefined) fill(telemetry, metric, combined(parts, field, combine))
  }
}

/** Over the parts that report it; undefined if none does. */
function combined<P>(parts: readonly P[], field: keyof P, combine: Combine): number | undefined {
  let result: number | undefined
  let count = 0
  for (const part of parts) {
    const value = part[field]
    if (typeof value !== 'number') continue
    count++
    if (result === undefined) result = value
    else if (combine === 'max') result = value > result ? value : result
    else if (combine === 'min') result = value < result ? value : result
    else result += value
  }
  return result !== undefined && combine === 'mean' ? Math.round((result / count) * 100) / 100 : result
}

/** The findings that the vendor has not named itself. Mostly there are none. */
function addFindings(telemetry: Telemetry, fans: readonly Fan[], model: Model | undefined) {
  const findings: DeviceError[] = []
  for (const board of telemetry.boards ?? []) {
    const finding = boardError(board, telemetry)
    if (finding) findings.push(finding)
  }
  if (telemetry.hashrateThs && model?.fans) {
    for (const fan of fans) if (fan.rpm === 0 || fan.status === 'failed') findings.push(fanStopped(fan))
  }
  if (areAllDead(telemetry.pools ?? [])) findings.push(poolError)
  if (findings.length === 0) return
  const known = telemetry.errors ?? []
  telemetry.errors = [...known, ...findings.filter((finding) => !known.some((other) => sameFinding(other, finding)))]
}

function efficiency({ powerW, hashrateThs, expectedHashrateThs, nominalHashrateThs }: Telemetry): number | undefined {
  if (!powerW || !hashrateThs) return undefined
  const expected = nominalHashrateThs ?? expectedHashrateThs
  if (expected && hashrateThs < expected * efficiencyFrom) return undefined
  return Math.round((powerW / hashrateThs) * 100) / 100
}

/** The boards in order, with what the model expects of each, and the missing ones named. */
function withExpected(boards: readonly Board[], model: Model | undefined, hashing: boolean): Board[] {
  let count = model?.boards ?? 0
  for (const { slot } of boards) if (slot >= count && slot < maxSlots) count = slot + 1
  const expected: Board[] = []
  for (let slot = 0; slot < count; slot++) {
    // In most replies the boards are in order already.
    const board = boards[slot]?.slot === slot ? boards[slot] : boards.find((each) => each.slot === slot)
    expected.push(board ? withChips(board, model, hashing) : { slot, status: hashing ? 'missing' : 'disabled' })
  }
  return expected
}

/** Every field is written out, also what is not reported: boards of one shape are kept, copied and compared in a fraction of the time and room. */
function withChips(board: Board, model: Model | undefined, hashing: boolean): Board {
  const expectedChips = board.expectedChips ?? model?.chips ?? null
  const whole: { [F in keyof Required<Board>]: Board[F] | undefined } = {
    slot: board.slot,
    serial: board.serial,
    status: board.status ?? statusOf(board, expectedChips, hashing),
    hashrateThs: board.hashrateThs,
    expectedHashrateThs: board.expectedHashrateThs,
    chips: board.chips,
    expectedChips,
    frequencyMhz: board.frequencyMhz,
    voltageV: board.voltageV,
    powerW: board.powerW,
    boardTempC: board.boardTempC,
    chipTempMinC: board.chipTempMinC,
    chipTempMaxC: board.chipTempMaxC,
    chipTempAvgC: board.chipTempAvgC,
    inletTempC: board.inletTempC,
    outletTempC: board.outletTempC,
    hwErrors: board.hwErrors,
    hwErrorPct: board.hwErrorPct,
    tuned: board.tuned,
    chipMap: board.chipMap,
  }
  return whole as Board
}

function statusOf(board: Board, expectedChips: number | null, hashing: boolean): NonNullable<Board['status']> {
  if (!hashing) return 'ok'
  if (board.chips === 0) return 'missing'
  if (board.hashrateThs === 0) return 'error'
  return missingChips(board.chips, expectedChips) > (expectedChips ?? 0) * fewChips ? 'degraded' : 'ok'
}

function missingChips(chips: number | null | undefined, expected: number | null | undefined): number {
  return chips == null || expected == null ? 0 : Math.max(0, expected - chips)
}

function boardError(board: Board, { hashrateThs }: Telemetry): DeviceError | undefined {
  if (board.status === 'missing') {
    return {
      component: 'board',
      index: board.slot,
      code: 'board-missing',
      severity: 'high',
      message: `Board ${board.slot} is missing.`,
      cause: 'The controller does not see it.',
      action: 'Check its cables and power, then reboot; replace it if it stays away.',
    }
  }
  // A whole miner that does not hash is said by its status; a single board is a finding.
  if (board.status === 'error' && hashrateThs) {
    return {
      component: 'board',
      index: board.slot,
      code: 'board-not-hashing',
      severity: 'high',
      message: `Board ${board.slot} does not hash.`,
      cause: 'It is seen, but brings no hashrate.',
      action: 'Restart mining; look at its temperature and chips if it stays so.',
    }
  }
  const chips = missingChips(board.chips, board.expectedChips)
  if (chips === 0) return undefined
  return {
    component: 'chip',
    index: board.slot,
    code: 'chips-missing',
    severity: chips > (board.expectedChips ?? 0) * fewChips ? 'medium' : 'low',
    message: `Board ${board.slot} shows ${board.chips} of ${board.expectedChips} chips.`,
    action: 'Watch its hashrate; repair the board when more chips drop out.',
  }
}

const poolError: DeviceError = Object.freeze({
  code: 'all-pools-dead',
  severity: 'critical',
  component: 'pool',
  message: 'No pool can be reached.',
  cause: 'Network, DNS or the pools themselves.',
  action: 'Check the network of the site and the pool addresses.',
})

/** Of the pools in use whose state is told. */
function areAllDead(pools: readonly Pool[]): boolean {
  let dead = 0
  for (const { url, devFee, alive } of pools) {
    if (url === '' || devFee || alive === undefined || alive === null) continue
    if (alive) return false
    dead++
  }
  return dead > 0
}

/** The vendor's own error for the same part says it already. */
function sameFinding(vendor: DeviceError, derived: DeviceError): boolean {
  return (
    vendor.component === derived.component &&
    (vendor.index ?? null) === (derived.index ?? null) &&
    vendor.code === derived.code
  )
}
