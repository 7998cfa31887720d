import { SdkError } from '#model'
import { num, rows, str } from '../kit/json.js'
import { count, maxParts, object, positive, rateReader } from '../kit/values.js'

/** `summary` of the web interface and both RPC forms. */
export interface Summary {
  readonly elapsedS: number | undefined
  readonly nowThs: number | undefined
  readonly last30mThs: number | undefined
  readonly averageThs: number | undefined
  readonly idealThs: number | undefined
  readonly hwErrors: number | undefined
  readonly hwErrorPct: number | undefined
  readonly bestShare: number | undefined
  readonly accepted: number | undefined
  readonly rejected: number | undefined
  readonly stale: number | undefined
  readonly poolRejectPct: number | undefined
  readonly poolStalePct: number | undefined
  readonly empty: boolean
  readonly alarms: readonly {
    readonly type: string
    readonly level: string
    readonly code: string
    readonly text: string
  }[]
}

export function parseSummary(reply: unknown): Summary {
  const root = object(reply, 'summary')
  if (!Array.isArray(root.SUMMARY)) throw new SdkError('DEVICE_BAD_REPLY', 'summary has no section SUMMARY')
  const summary = rows(root.SUMMARY)[0] ?? {}
  const rate = rateReader(summary.rate_unit)
  return {
    elapsedS: num(summary.elapsed) ?? num(summary.Elapsed),
    nowThs: rate(summary.rate_5s ?? summary['GHS 5s']),
    last30mThs: rate(summary.rate_30m ?? summary['GHS 30m']),
    averageThs: rate(summary.rate_avg ?? summary['GHS av']),
    idealThs: positive(rate(summary.rate_ideal)),
    hwErrors: count(summary.hw_all) ?? count(summary['Hardware Errors']),
    hwErrorPct: num(summary['Device Hardware%']),
    bestShare: num(summary.bestshare) ?? num(summary['Best Share']),
    accepted: count(summary.Accepted),
    rejected: count(summary.Rejected),
    stale: count(summary.Stale),
    poolRejectPct: num(summary['Pool Rejected%']),
    poolStalePct: num(summary['Pool Stale%']) ?? num(summary['Pool Stale%%']),
    empty: Object.keys(summary).length === 0,
    alarms: rows(summary.status)
      .slice(0, maxParts)
      .map((alarm) => ({
        type: str(alarm.type) ?? '',
        level: str(alarm.status) ?? '',
        code: str(alarm.code) ?? '',
        text: (str(alarm.msg) ?? '').slice(0, 200),
      })),
  }
}
