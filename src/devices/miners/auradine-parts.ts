import type { Board, DeviceError, Fan, PowerMode } from '#model'
import type { Model } from '../define.js'
import { defined, highest, lowest, mean } from '../kit/values.js'
import type { Dev, FanNow, Led, Mode, Report, Temperatures } from './auradine-replies.js'

export interface Others {
  readonly report?: Report
  readonly temperatures?: ReadonlyMap<number, Temperatures>
  readonly frequencies?: ReadonlyMap<number, readonly (number | undefined)[]>
  readonly count?: { readonly chips?: number; readonly boards?: number }
  readonly mode?: Mode
}

/** The total is of all boards: it is a board's only where it is what whole boards have. */
function chipsOf({ chips, boards }: NonNullable<Others['count']>): number | undefined {
  if (chips === undefined || boards === undefined) return undefined
  return Number.isInteger(chips / boards) ? chips / boards : undefined
}

export function boardsOf(devs: readonly Dev[], model: Model, all: Others): Board[] | undefined {
  if (devs.length === 0) return undefined
  const each = all.count && chipsOf(all.count)
  const isWhole = each !== undefined && (model.chips === undefined || each === model.chips)
  return devs.map(({ slot, rateThs, temperatureC, status, enabled }) => {
    const { board = [], chips = [] } = all.temperatures?.get(slot) ?? {}
    return {
      slot,
      ...defined({
        serial: all.report?.boardSerials[slot],
        status: statusOf(status, enabled),
        hashrateThs: rateThs,
        chips: isWhole ? each : undefined,
        frequencyMhz: mean(all.frequencies?.get(slot) ?? []),
        boardTempC: temperatureC ?? mean(board),
        // What comes in is the coldest place of a board, what goes out the hottest.
        inletTempC: lowest(board),
        outletTempC: highest(board),
        chipTempMinC: lowest(chips),
        chipTempMaxC: highest(chips),
        chipTempAvgC: mean(chips),
      }),
    }
  })
}

function statusOf(status: string | undefined, enabled: boolean | undefined): Board['status'] {
  if (enabled === false) return 'disabled'
  if (status !== undefined && /^(dead|sick|nostart|error)/i.test(status)) return 'error'
  return undefined
}

export function fansOf(fans: readonly FanNow[]): Fan[] | undefined {
  return fans.length > 0 ? fans.map((fan) => ({ ...fan })) : undefined
}

/** Its modes by our names. */
export const modes = { low: 'eco', normal: 'normal', high: 'turbo' } as const

export function modeOf({ mode, asleep }: Mode): PowerMode | undefined {
  if (asleep) return 'sleep'
  if (mode === 'custom') return 'custom'
  return (Object.keys(modes) as (keyof typeof modes)[]).find((name) => modes[name] === mode)
}

interface Meaning extends Pick<DeviceError, 'code' | 'component' | 'severity' | 'action'> {
  readonly message: string
}

const normal = 2
export const locate = 3

/** The codes that the LED shows; 2 is normal, 3 is "here I am". The miner's own words come first. */
const meanings: Readonly<Record<number, Meaning>> = {
  1: {
    code: 'psu-power',
    component: 'psu',
    severity: 'high',
    message: 'It has no power for its boards.',
    action: 'Check mains and power supply.',
  },
  4: {
    code: 'too-hot',
    component: 'cooling',
    severity: 'critical',
    message: 'It is too hot.',
    action: 'Check air, coolant, fans and dust.',
  },
  5: {
    code: 'pool-config',
    component: 'pool',
    severity: 'high',
    message: 'Its pools are not set right.',
    action: 'Set the pools.',
  },
  6: {
    code: 'network',
    component: 'network',
    severity: 'high',
    message: 'It has no network.',
    action: 'Check cable, address and gateway.',
  },
  7: {
    code: 'control-board',
    component: 'control',
    severity: 'high',
    message: 'Its control board has a fault.',
    action: 'Reboot; replace the control board.',
  },
  8: {
    code: 'hashrate-low',
    component: 'device',
    severity: 'medium',
    message: 'Its hashrate is low.',
    action: 'Look at boards and temperatures; restart mining.',
  },
}
const other: Meaning = {
  code: 'vendor-error',
  component: 'device',
  severity: 'medium',
  message: 'It reports a fault.',
  action: 'Look at its page; reboot it if it does not mine.',
}

export function ledErrors({ code, message }: Led): DeviceError[] {
  if (code === undefined || code === normal || code === locate) return []
  const meaning = meanings[code] ?? other
  return [{ ...meaning, vendorCode: `LED ${code}`, message: message ? `The miner says: ${message}.` : meaning.message }]
}

/** Where the chips cannot be told by board, what is missing of all is told. */
export function countErrors({ count, mode }: Others, { boards, chips }: Model): DeviceError[] {
  if (!boards || !chips || count?.chips === undefined || mode?.asleep) return []
  const missing = boards * chips - count.chips
  if (missing <= 0) return []
  return [
    {
      code: 'chips-missing',
      component: 'chip',
      severity: missing > chips / 2 ? 'high' : 'medium',
      message: `The miner shows ${count.chips} of ${boards * chips} chips.`,
      action: 'Look at the board whose hashrate is low; have it repaired.',
    },
  ]
}
