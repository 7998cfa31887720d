import type { Fan, Pool } from '#model'
import { section } from '../kit/cgminer.js'
import { parsePools } from '../kit/cgminer-pools.js'
import { bool, type Fields, fields, num, rows, str } from '../kit/json.js'
import { boardReplies } from '../kit/luxos.js'
import { count, defined, highest, lowest, maxParts, positive, temperature, tidy, words } from '../kit/values.js'

/** The replies of LuxOS as facts (protocols/luxos.md §4): `summary` has GH/s, `devs` MH/s, `profiles` TH/s. */

export const first = (reply: unknown, name: string): Fields => section(reply, name)[0] ?? {}

export const summaryOf = (reply: unknown): Fields => first(reply, 'SUMMARY')
export const configOf = (reply: unknown): Fields => first(reply, 'CONFIG')
export const versionOf = (reply: unknown): Fields => first(reply, 'VERSION')

export function ghs(value: unknown): number | undefined {
  const rate = count(value)
  return rate === undefined ? undefined : tidy(rate / 1e3)
}

function mhs(value: unknown): number | undefined {
  const rate = count(value)
  return rate === undefined ? undefined : tidy(rate / 1e6)
}

/** A board's place by its `ID`; undefined for what is none. */
export function placeOf(value: unknown): number | undefined {
  const id = num(value)
  return id !== undefined && Number.isInteger(id) && id >= 0 && id < maxParts ? id : undefined
}

export interface Dev {
  readonly slot: number
  readonly serial?: string
  readonly rateThs?: number
  readonly nominalThs?: number
  readonly temperatureC?: number
  readonly profile?: string
  readonly isRamping?: boolean
  readonly isOff?: boolean
  readonly isDead?: boolean
  readonly hwErrors?: number
}

/** In the order of their places, whatever order they come in. */
export function parseDevs(reply: unknown): Dev[] {
  return section(reply, 'DEVS')
    .slice(0, maxParts)
    .flatMap((dev) => {
      const slot = placeOf(dev.ID ?? dev.ASC)
      if (slot === undefined) return []
      const status = str(dev.Status)
      return [
        {
          slot,
          ...defined({
            serial: words(dev.SerialNumber, 64),
            rateThs: mhs(dev['MHS 5s'] ?? dev['MHS 1m'] ?? dev['MHS av']),
            nominalThs: positive(mhs(dev['Nominal MHS'])),
            temperatureC: temperature(dev.Temperature),
            profile: words(dev.Profile, 32),
            isRamping: bool(dev.IsRamping),
            isOff: bool(dev.IsUserShutdown) === true || bool(dev.Enabled) === false ? true : undefined,
            isDead: status !== undefined && /^(dead|sick|nostart)/i.test(status) ? true : undefined,
            hwErrors: count(dev['Hardware Errors']),
          }),
        },
      ]
    })
    .sort((a, b) => a.slot - b.slot)
}

export interface Chain {
  readonly slot: number
  readonly chips?: number
  readonly rateThs?: number
  readonly frequencyMhz?: number
  readonly chipMap?: string
}

export interface Stats {
  readonly type?: string
  readonly firmware?: string
  readonly elapsedS?: number
  readonly idealThs?: number
  readonly fans: readonly (number | undefined)[]
  readonly chains: readonly Chain[]
}

/** The part that is like Bitmain's: chain 1 is board 0; a chain without chips that names none is a free place. */
export function parseStats(reply: unknown): Stats {
  const sections = section(reply, 'STATS')
  const stats = sections.find((each) => each['GHS 5s'] !== undefined || each.chain_acn1 !== undefined) ?? {}
  const chains = Array.from({ length: maxParts }, (_, slot): Chain => {
    const of = (name: string) => stats[`${name}${slot + 1}`]
    return {
      slot,
      ...defined({
        chips: count(of('chain_acn')),
        rateThs: ghs(of('chain_rate')),
        frequencyMhz: positive(num(of('freq'))),
        chipMap:
          str(of('chain_acs'))
            ?.replace(/[^ox-]/gi, '')
            .slice(0, maxChips)
            .toLowerCase() || undefined,
      }),
    }
  })
  const fanCount = Math.min(maxParts, count(stats.fan_num) ?? 0)
  return {
    fans: Array.from({ length: fanCount }, (_, index) => count(stats[`fan${index + 1}`])),
    chains: chains.filter(({ chips, chipMap }) => chips !== undefined && (chips > 0 || chipMap !== undefined)),
    ...defined({
      type: words(sections[0]?.Type, 48),
      firmware: words(sections[0]?.Miner, 64),
      elapsedS: count(stats.Elapsed),
      idealThs: positive(ghs(stats.total_rateideal)),
    }),
  }
}

export interface BoardTemps {
  readonly inletC?: number
  readonly outletC?: number
  readonly hottestC?: number
}

const corners = ['TopLeft', 'TopRight', 'BottomLeft', 'BottomRight'] as const

/** Which corner is at the intake the reply says itself; where it does not, left is the exhaust. */
export function parseTemps(reply: unknown): Map<number, BoardTemps> {
  const labels = fields(rows(fields(reply).METADATA)[0])
  const isIntake = (corner: (typeof corners)[number]) => {
    const label = str(fields(labels[corner]).Label)
    return label === undefined ? corner.endsWith('Right') : /intake|inlet/i.test(label)
  }
  const found = new Map<number, BoardTemps>()
  for (const row of section(reply, 'TEMPS').slice(0, maxParts)) {
    const slot = placeOf(row.ID ?? row.TEMP)
    if (slot === undefined) continue
    const measured = (wanted: boolean) =>
      corners.filter((corner) => isIntake(corner) === wanted).map((corner) => temperature(row[corner]))
    const [inlet, outlet] = [measured(true), measured(false)]
    found.set(
      slot,
      defined({ inletC: lowest(inlet), outletC: highest(outlet), hottestC: highest([...inlet, ...outlet]) }),
    )
  }
  return found
}

export function parseFans(reply: unknown) {
  const fans = section(reply, 'FANS')
    .slice(0, maxParts)
    .flatMap((fan, at): Fan[] => {
      const index = placeOf(fan.ID ?? at)
      const duty = count(fan.Speed ?? fan['Speed %'])
      if (index === undefined) return []
      return [
        { index, ...defined({ rpm: count(fan.RPM), dutyPct: duty !== undefined && duty <= 100 ? duty : undefined }) },
      ]
    })
    .sort((a, b) => a.index - b.index)
  return { fans, minFans: count(rows(fields(reply).FANCTRL)[0]?.MinFans) }
}
export type Fans = ReturnType<typeof parseFans>

export function parsePower(reply: unknown): number | undefined {
  return count(first(reply, 'POWER').Watts)
}

/** A pool that was never given a share tells the time since its start instead. */
export function parseLuxPools(reply: unknown): Pool[] {
  return parsePools(reply).map(({ lastShareAt, ...pool }) =>
    pool.accepted === 0 || lastShareAt === undefined ? pool : { ...pool, lastShareAt },
  )
}

/** V by board. */
export function parseVoltages(reply: unknown): Map<number, number> {
  const found = new Map<number, number>()
  for (const { board, reply: each } of boardReplies(reply)) {
    const volts = positive(num(first(each, 'VOLTAGE').Voltage))
    if (volts !== undefined) found.set(board, volts)
  }
  return found
}

const maxChips = 1024

/** The chips of each board that the firmware calls unhealthy, and all of them as a map. */
export interface ChipHealth {
  readonly map: string
  readonly bad: readonly number[]
}

export function parseChips(reply: unknown): Map<number, ChipHealth> {
  const found = new Map<number, ChipHealth>()
  for (const { board, reply: each } of boardReplies(reply)) {
    const chips = section(each, 'CHIPS').slice(0, maxChips)
    const isBad = chips.map(({ Healthy }) => bool(Healthy) === false)
    found.set(board, {
      map: isBad.map((bad) => (bad ? 'x' : 'o')).join(''),
      bad: chips.flatMap(({ Chip }, at) => (isBad[at] ? [count(Chip) ?? at] : [])),
    })
  }
  return found
}
