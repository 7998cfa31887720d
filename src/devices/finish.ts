import { type Board, type DeviceError, type Fan, type Metric, measured } from '#model'
import type { Model, Telemetry } from './define.js'

/** Below this share of the nominal hashrate an efficiency says nothing. */
const efficiencyFrom = 0.01
/** Up to this share of missing chips the board still does its work. */
const fewChips = 0.03

/** What follows from the readings for every brand alike: maxima, means, efficiency, and what the model row says should be there. */
export function finish(read: Telemetry, model: Model | undefined): Telemetry {
  const telemetry: Telemetry = { ...read }
  const hashing = !telemetry.asleep
  if (telemetry.boards) telemetry.boards = withExpected(telemetry.boards, model, hashing)
  const fill = (metric: Metric, value: number | undefined) => {
    const derived = measured(metric, value)
    if (telemetry[metric] === undefined && derived !== undefined) telemetry[metric] = derived
  }
  const boards = telemetry.boards ?? []
  const fans = (telemetry.fans ?? []).filter((fan) => fan.location !== 'psu')
  const pools = (telemetry.pools ?? []).filter((pool) => !pool.devFee)

  fill('nominalHashrateThs', model?.nominalHashrateThs)
  fill('hashrateThs', sum(boards.map((board) => board.hashrateThs)))
  fill('boardTempMaxC', max(boards.map((board) => board.boardTempC)))
  fill('boardTempAvgC', mean(boards.map((board) => board.boardTempC)))
  fill('chipTempMaxC', max(boards.map((board) => board.chipTempMaxC)))
  fill('chipTempAvgC', mean(boards.map((board) => board.chipTempAvgC)))
  fill('chipTempMinC', min(boards.map((board) => board.chipTempMinC)))
  fill('inletTempC', max(boards.map((board) => board.inletTempC)))
  fill('outletTempC', max(boards.map((board) => board.outletTempC)))
  fill('frequencyMhz', mean(boards.map((board) => board.frequencyMhz)))
  fill('hwErrors', sum(boards.map((board) => board.hwErrors)))
  fill('fanMaxRpm', max(fans.map((fan) => fan.rpm)))
  fill('acceptedShares', sum(pools.map((pool) => pool.accepted)))
  fill('rejectedShares', sum(pools.map((pool) => pool.rejected)))
  fill('staleShares', sum(pools.map((pool) => pool.stale)))
  fill('efficiencyJTh', efficiency(telemetry))

  const derived = hashing
    ? [...boardErrors(telemetry), ...fanErrors(fans, telemetry, model), ...poolErrors(telemetry)]
    : []
  const known = telemetry.errors ?? []
  const fresh = derived.filter((error) => !known.some((other) => sameFinding(other, error)))
  if (known.length + fresh.length > 0 || telemetry.errors) telemetry.errors = [...known, ...fresh]
  return telemetry
}

function efficiency({ powerW, hashrateThs, expectedHashrateThs, nominalHashrateThs }: Telemetry): number | undefined {
  if (!powerW || !hashrateThs) return undefined
  const expected = nominalHashrateThs ?? expectedHashrateThs
  if (expected && hashrateThs < expected * efficiencyFrom) return undefined
  return Math.round((powerW / hashrateThs) * 100) / 100
}

/** The boards in order, with what the model expects of each, and the missing ones named. */
function withExpected(boards: readonly Board[], model: Model | undefined, hashing: boolean): Board[] {
  const count = Math.max(model?.boards ?? 0, ...boards.map((board) => board.slot + 1))
  return Array.from({ length: count }, (_, slot) => {
    const board = boards.find((each) => each.slot === slot)
    if (!board) return { slot, status: hashing ? 'missing' : 'disabled' } satisfies Board
    const expectedChips = board.expectedChips ?? model?.chips
    const whole: Board = expectedChips === undefined ? { ...board } : { ...board, expectedChips }
    whole.status ??= statusOf(whole, hashing)
    return whole
  })
}

function statusOf(board: Board, hashing: boolean): NonNullable<Board['status']> {
  if (!hashing) return 'ok'
  if (board.chips === 0) return 'missing'
  if (board.hashrateThs === 0) return 'error'
  return missingChips(board) > (board.expectedChips ?? 0) * fewChips ? 'degraded' : 'ok'
}

function missingChips(board: Board): number {
  if (board.chips == null || board.expectedChips == null) return 0
  return Math.max(0, board.expectedChips - board.chips)
}

function boardErrors({ boards = [], hashrateThs }: Telemetry): DeviceError[] {
  return boards.flatMap((board): DeviceError[] => {
    const at = { component: 'board', index: board.slot } as const
    if (board.status === 'missing') {
      return [
        {
          ...at,
          code: 'board-missing',
          severity: 'high',
          message: `Board ${board.slot} is missing.`,
          cause: 'The controller does not see it.',
          action: 'Check its cables and power, then reboot; replace it if it stays away.',
        },
      ]
    }
    // A whole miner that does not hash is said by its status; a single board is a finding.
    if (board.status === 'error' && hashrateThs) {
      return [
        {
          ...at,
          code: 'board-not-hashing',
          severity: 'high',
          message: `Board ${board.slot} does not hash.`,
          cause: 'It is seen, but brings no hashrate.',
          action: 'Restart mining; look at its temperature and chips if it stays so.',
        },
      ]
    }
    const chips = missingChips(board)
    if (chips === 0) return []
    const severity = chips > (board.expectedChips ?? 0) * fewChips ? 'medium' : 'low'
    return [
      {
        ...at,
        component: 'chip',
        code: 'chips-missing',
        severity,
        message: `Board ${board.slot} shows ${board.chips} of ${board.expectedChips} chips.`,
        action: 'Watch its hashrate; repair the board when more chips drop out.',
      },
    ]
  })
}

function fanErrors(fans: readonly Fan[], { hashrateThs }: Telemetry, model: Model | undefined): DeviceError[] {
  if (!hashrateThs || !model?.fans) return []
  return fans
    .filter((fan) => fan.rpm === 0 || fan.status === 'failed')
    .map((fan) => ({
      code: 'fan-stopped',
      severity: 'high',
      component: 'fan',
      index: fan.index,
      message: `Fan ${fan.index} stands still.`,
      cause: 'It is blocked, broken or not plugged in.',
      action: 'Check and replace it; the miner may overheat.',
    }))
}

function poolErrors({ pools = [] }: Telemetry): DeviceError[] {
  const used = pools.filter(
    (pool) => pool.url !== '' && !pool.devFee && pool.alive !== undefined && pool.alive !== null,
  )
  if (used.length === 0 || used.some((pool) => pool.alive)) return []
  return [
    {
      code: 'all-pools-dead',
      severity: 'critical',
      component: 'pool',
      message: 'No pool can be reached.',
      cause: 'Network, DNS or the pools themselves.',
      action: 'Check the network of the site and the pool addresses.',
    },
  ]
}

/** The vendor's own error for the same part says it already. */
function sameFinding(vendor: DeviceError, derived: DeviceError): boolean {
  return (
    vendor.component === derived.component &&
    (vendor.index ?? null) === (derived.index ?? null) &&
    vendor.code === derived.code
  )
}

function known(values: readonly (number | null | undefined)[]): number[] {
  return values.filter((value): value is number => value !== null && value !== undefined)
}

function sum(values: readonly (number | null | undefined)[]): number | undefined {
  const numbers = known(values)
  return numbers.length === 0 ? undefined : numbers.reduce((total, value) => total + value, 0)
}

function mean(values: readonly (number | null | undefined)[]): number | undefined {
  const numbers = known(values)
  return numbers.length === 0
    ? undefined
    : Math.round((numbers.reduce((total, value) => total + value, 0) / numbers.length) * 100) / 100
}

function max(values: readonly (number | null | undefined)[]): number | undefined {
  const numbers = known(values)
  return numbers.length === 0 ? undefined : Math.max(...numbers)
}

function min(values: readonly (number | null | undefined)[]): number | undefined {
  const numbers = known(values)
  return numbers.length === 0 ? undefined : Math.min(...numbers)
}
