import type { Board, Fan } from '#model'
import { antminerTitle } from '../hardware/antminer.js'
import { section } from '../kit/cgminer.js'
import { type Fields, num, str } from '../kit/json.js'
import {
  count,
  defined,
  highest,
  lowest,
  maxParts,
  positive,
  rateReader,
  temperatures,
  tidy,
  words,
} from '../kit/values.js'
import { chainStatus } from './vnish-replies.js'

/** What VNish tells over its read-only RPC (protocols/vnish.md §5): in GH/s, as numbers or as text. */

const ghs = rateReader('GH/s')

export interface RpcStats {
  readonly model?: string
  readonly firmware?: string
  readonly stats: Fields
}

const named = /^(.*?)\s*\(\s*vnish\s*([^)]*)\)/i

export function parseRpcStats(reply: unknown): RpcStats {
  const sections = section(reply, 'STATS')
  const about = sections.find(({ Type }) => Type !== undefined) ?? {}
  const [, model, firmware] = named.exec(str(about.Type)?.slice(0, 100) ?? '') ?? []
  return {
    stats: sections.find((each) => each.Elapsed !== undefined || each['GHS 5s'] !== undefined) ?? {},
    ...defined({
      model: antminerTitle(model ?? words(about.Type, 48)),
      firmware: words(firmware, 64) ?? words(about.Cgminer, 64),
    }),
  }
}

export const rpcSummaryOf = (reply: unknown): Fields => section(reply, 'SUMMARY')[0] ?? {}

export function rpcRate(fields: Fields, key: string): number | undefined {
  return ghs(fields[key])
}

/** Boards stand under their numbers from 1; one without any chip, rate and state is a free place. */
export function rpcBoards({ stats }: RpcStats): Board[] | undefined {
  const boards: Board[] = []
  for (let slot = 0; slot < maxParts; slot++) {
    const of = (name: string) => stats[`${name}${slot + 1}`]
    const chips = count(of('chain_acn'))
    const state = str(of('chain_state'))
    if (chips === undefined && state === undefined) continue
    if (!chips && state === undefined && !count(of('chain_rate'))) continue
    const pcb = temperatures(of('temp_pcb'))
    const chip = temperatures(of('temp_chip'))
    const millivolt = positive(num(of('chain_vol')))
    const fault = str(of('chain_fault'))
    boards.push({
      slot,
      ...defined({
        status: chainStatus(state) ?? (fault ? ('error' as const) : undefined),
        hashrateThs: ghs(of('chain_rate')),
        expectedHashrateThs: positive(ghs(of('chain_rateideal'))),
        chips,
        frequencyMhz: positive(num(of('freq_avg'))),
        voltageV: millivolt === undefined ? undefined : tidy(millivolt / 1000),
        powerW: positive(num(of('chain_consumption'))),
        boardTempC: highest(pcb),
        chipTempMinC: lowest(chip),
        chipTempMaxC: highest(chip),
        hwErrors: count(of('chain_hw')),
      }),
    })
  }
  return boards.length > 0 ? boards : undefined
}

/** What the faults of its boards say, by place. */
export function rpcFaults({ stats }: RpcStats): { slot: number; text: string }[] {
  return Array.from({ length: maxParts }, (_, slot) => ({ slot, text: words(stats[`chain_fault${slot + 1}`]) })).filter(
    (each): each is { slot: number; text: string } => each.text !== undefined,
  )
}

export function rpcFans({ stats }: RpcStats): Fan[] | undefined {
  const number = Math.min(maxParts, count(stats.fan_num) ?? 0)
  const duty = num(stats.fan_pwm)
  if (number === 0) return undefined
  return Array.from({ length: number }, (_, index) => ({
    index,
    ...defined({
      rpm: count(stats[`fan${index + 1}`]),
      dutyPct: duty !== undefined && duty >= 0 && duty <= 100 ? duty : undefined,
    }),
  }))
}

/** Sum over all boards, where they measure it. */
export function rpcPower({ stats }: RpcStats): number | undefined {
  const watts = Object.keys(stats)
    .filter((key) => /^chain_consumption\d{1,2}$/.test(key))
    .map((key) => positive(num(stats[key])))
    .filter((each) => each !== undefined)
  return watts.length > 0 ? watts.reduce((sum, each) => sum + each, 0) : undefined
}

/** In the shape that REST gives it. */
export const rpcState = ({ stats }: RpcStats): Fields => ({ miner_state: stats.state })
