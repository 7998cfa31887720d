import type { Board, Fan, PowerMode } from '#model'
import type { DeviceLimits } from '../define.js'
import { defined, highest, lowest, maxParts, mean } from '../kit/values.js'
import type { BoardNow, Cooling, Hardware, Mining, Now, PsuNow, Target } from './proto-replies.js'

interface Sources {
  readonly hardware?: Hardware
  readonly boards?: readonly BoardNow[]
  readonly chips?: Now
  readonly mining?: Mining
}

const statuses: Readonly<Record<string, NonNullable<Board['status']>>> = {
  error: 'error',
  overheated: 'error',
  updating: 'disabled',
}

/** Telemetry, statistics and inventory of the boards as one list; a bay that is empty is `disabled`, not missing: rigs have gaps. */
export function boardsOf(now: readonly BoardNow[], all: Sources): Board[] | undefined {
  const inventory = all.hardware?.boards ?? []
  const serials = new Map(inventory.map(({ serial, slot }) => [serial, slot]))
  const slotOf = ({ serial, index }: BoardNow) => (serial === undefined ? undefined : serials.get(serial)) ?? index
  const same = (list: readonly BoardNow[] | undefined, slot: number) => list?.find((each) => slotOf(each) === slot)
  const slots = new Set([...now.map(slotOf), ...inventory.map(({ slot }) => slot)])
  if (slots.size === 0) return undefined
  const installed = all.mining?.installed || slots.size
  const boards: Board[] = []
  for (let slot = 0; slot <= Math.min(maxParts - 1, Math.max(...slots)); slot++) {
    const known = inventory.find((each) => each.slot === slot)
    if (!slots.has(slot)) boards.push({ slot, status: 'disabled' })
    else boards.push(boardOf(slot, known, same(now, slot), same(all.boards, slot), same(all.chips?.boards, slot)))
  }
  const ideal = all.mining?.idealThs
  // Where others have telemetry, a board of the inventory without it is not seen any more.
  const isLost = ({ slot }: Board) =>
    now.length > 0 && !same(now, slot) && slots.has(slot) && !(all.mining && isAsleep(all.mining))
  for (const board of boards) if (isLost(board)) board.status = 'missing'
  return boards.map((board) =>
    board.expectedHashrateThs === undefined && ideal !== undefined && board.status !== 'disabled'
      ? { ...board, expectedHashrateThs: ideal / installed }
      : board,
  )
}

function boardOf(
  slot: number,
  known: Hardware['boards'][number] | undefined,
  now: BoardNow | undefined,
  stats: BoardNow | undefined,
  chips: BoardNow | undefined,
): Board {
  const works = chips?.chips?.filter((rate) => rate !== undefined && rate > 0).length
  return {
    slot,
    ...defined({
      serial: known?.serial ?? now?.serial ?? stats?.serial,
      status: statuses[(stats?.status ?? '').toLowerCase()],
      hashrateThs: now?.rateThs ?? stats?.rateThs,
      expectedHashrateThs: stats?.idealThs,
      chips: works ?? known?.chips,
      expectedChips: known?.chips ?? chips?.chips?.length,
      voltageV: now?.voltageV ?? stats?.voltageV,
      powerW: now?.powerW ?? stats?.powerW,
      boardTempC: now?.averageC ?? mean([stats?.inletC, stats?.outletC]),
      inletTempC: now?.inletC ?? stats?.inletC,
      outletTempC: now?.outletC ?? stats?.outletC,
      chipTempMaxC: highest(chips?.chipTemps ?? []) ?? stats?.chipMaxC,
      chipTempMinC: lowest(chips?.chipTemps ?? []),
      chipTempAvgC: mean(chips?.chipTemps ?? []) ?? stats?.chipC,
    }),
  }
}

export function fansOf({ fans }: Cooling): Fan[] | undefined {
  return fans.length > 0 ? fans.map((fan) => ({ ...fan })) : undefined
}

export function sumOf(psus: readonly PsuNow[], key: keyof PsuNow): number | undefined {
  const values = psus.map((psu) => psu[key]).filter((value) => value !== undefined)
  return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) : undefined
}

const asleep = new Set(['stopped', 'curtailed', 'poweringoff'])

export function isAsleep({ status }: Mining): boolean {
  return asleep.has(status.toLowerCase())
}

/** The two goals that a rig has, as our modes. */
export const goals = { high: 'MaximumHashrate', low: 'Efficiency' } as const

export function modeOf({ mode }: Target, mining: Mining | undefined): PowerMode | undefined {
  if (mining && isAsleep(mining)) return 'sleep'
  return (Object.keys(goals) as (keyof typeof goals)[]).find((key) => goals[key] === mode)
}

export function limitsOf({ leastW, mostW }: Target): DeviceLimits | undefined {
  return mostW === undefined ? undefined : { powerW: [leastW ?? 0, mostW] }
}
