import type { Board, Fan } from '#model'
import type { Model } from '../define.js'
import { type Brackets, numberOf, numbersOf } from '../kit/avalon.js'
import { count, defined, highest, lowest, maxParts, mean, temperature } from '../kit/values.js'
import { isWorking, type Stats, supplyOf, thsOf } from './avalon-stats.js'

/** A chip that has brought nothing after so long is dead, s. */
const settledS = 900
/** Below so many works of the usual chip the counts say nothing yet. */
const tellingWorks = 20

/** The boards of all miners behind this controller, in their order; undefined if the reply says nothing of boards. */
export function boardsOf(stats: Stats, model: Model): Board[] | undefined {
  const all = [stats.own, ...stats.chained].flatMap((own, at) => {
    const boards = ownBoards(stats, own, at === 0 ? stats.boards : new Map())
    return boards.map((board) => ({ ...board, slot: board.slot + at * (model.boards ?? boards.length) }))
  })
  return all.length > 0 ? all : undefined
}

function ownBoards(stats: Stats, own: Brackets, apart: ReadonlyMap<number, Brackets>): Board[] {
  const rates = (own.get('MGHS')?.trim().split(/\s+/) ?? []).slice(0, maxParts).map(thsOf)
  const lists = [...own.keys()].map((key) => Number(/^(?:PVT_[TV]|SF)(\d{1,2})$/.exec(key)?.[1] ?? -1))
  const places = Math.min(maxParts, Math.max(rates.length, (highest(lists) ?? -1) + (rates.length > 0 ? 0 : 1)))
  const slots = [...new Set([...Array.from({ length: places }, (_, slot) => slot), ...apart.keys()])]
  const boards = slots
    .filter((slot) => slot < maxParts)
    .sort((a, b) => a - b)
    .map((slot) => boardOf(stats, own, apart.get(slot), slot, slots.length === 1, rates[slot]))
  const counted = numberOf(/hash board:\s*(\d+)/i.exec(own.get('SYSTEMSTATU') ?? '')?.[1])
  // The miner counts fewer than it has places: those without rate, chips and heat hold no board.
  const isShort = counted !== undefined && counted < boards.length && isWorking(stats) === true
  return isShort ? boards.filter((board) => board.hashrateThs || board.chips || board.chipTempMaxC) : boards
}

function boardOf(
  stats: Stats,
  own: Brackets,
  apart: Brackets | undefined,
  slot: number,
  isOnly: boolean,
  rateThs: number | undefined,
): Board {
  const works = isWorking(stats)
  /** Of a board with a string of its own; there some builds number the key by board, others leave it at 0. */
  const list = (key: string) =>
    numbersOf(apart ? (apart.get(`${key}${slot}`) ?? apart.get(`${key}0`)) : own.get(`${key}${slot}`))
  const at = (key: string) => numbersOf(own.get(key))[slot]
  // A miner that stands still repeats what its sensors said last.
  const temps = works === false ? [] : list('PVT_T').map(temperature)
  const chips = chipsOf(stats, temps, list('PVT_V'), list('MW'), isOnly)
  const frequency = mean(numbersOf(own.get(`SF${slot}`)).filter((mhz) => mhz !== undefined && mhz > 0))
  return {
    slot,
    ...defined({
      // The rates of the boards are means that linger; a miner that does not work makes nothing.
      hashrateThs: works === false ? 0 : rateThs,
      chips,
      frequencyMhz: frequency ?? (isOnly ? numberOf(own.get('Freq')) : undefined),
      voltageV: supplyOf(stats)?.busV,
      chipTempMinC: lowest(temps),
      chipTempMaxC: temperature(at('MTmax')) ?? highest(temps),
      chipTempAvgC: temperature(at('MTavg')) ?? mean(temps),
      inletTempC: temperature(at('HBITemp')),
      outletTempC: temperature(at('HBOTemp')),
      hwErrors: count(at('MH')),
    }),
    ...(at('HASHS') === 1 && works ? { status: 'error' as const } : {}),
  }
}

/** Chips that work: by their works once these are telling, else by their sensors; undefined where nothing tells. */
function chipsOf(
  { elapsedS = 0, own }: Stats,
  temps: readonly (number | undefined)[],
  volts: readonly (number | undefined)[],
  works: readonly (number | undefined)[],
  isOnly: boolean,
): number | undefined {
  const sorted = works.map((each) => each ?? 0).sort((a, b) => a - b)
  const usual = sorted[Math.floor(sorted.length / 2)] ?? 0
  if (works.length > 1 && elapsedS > settledS && usual > tellingWorks) return works.filter((each) => each).length
  const hot = temps.filter((celsius) => celsius !== undefined).length
  if (hot > 0) return hot
  if (isOnly) return count(own.get('TA'))
  return volts.some((volt) => volt) ? volts.filter((volt) => volt).length : undefined
}

const maxFans = 8

/** A model without fans still counts them, standing; a place that the model does not have is none. */
export function fansOf({ own }: Stats, model: Model): Fan[] | undefined {
  const fans = Array.from({ length: maxFans }, (_, index) => ({ index, rpm: numberOf(own.get(`Fan${index + 1}`)) }))
    .filter((fan): fan is { index: number; rpm: number } => fan.rpm !== undefined && fan.rpm >= 0)
    .filter(({ index, rpm }) => rpm > 0 || model.fans === undefined || index < model.fans)
  return fans.length > 0 || model.fans === 0 ? fans : undefined
}
