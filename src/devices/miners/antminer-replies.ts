import { type Pool, SdkError } from '#model'
import { difficulty, isAlive, secondsAgo } from '../kit/cgminer.js'
import { bool, type Fields, fields, num, rows, str } from '../kit/json.js'
import { count, defined, maxParts, object, positive, rateReader } from './antminer-values.js'

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

const maxPools = 16
/** Before this (s) the clock of the device was never set, and times that it gives mean nothing. */
const clockSetS = 1_500_000_000
/** Nor after this. */
const clockEndS = 1e10

/** The configured pools, without empty places. Stock firmware fails over in order: the first that lives is the one in use. */
export function parsePools(reply: unknown): Pool[] {
  const root = object(reply, 'pools')
  if (!Array.isArray(root.POOLS)) throw new SdkError('DEVICE_BAD_REPLY', 'pools has no section POOLS')
  const status = fields(Array.isArray(root.STATUS) ? root.STATUS[0] : root.STATUS)
  const when = num(status.when) ?? num(status.When)
  const pools = rows(root.POOLS)
    .slice(0, maxPools)
    .map((pool, at) => poolOf(pool, at, when))
    .filter((pool) => pool.url !== '')
  if (pools.every((pool) => pool.active === undefined)) {
    const inUse = [...pools]
      .sort((a, b) => (a.priority ?? a.index) - (b.priority ?? b.index))
      .find((pool) => pool.alive)
    for (const pool of pools) if (pool.alive !== undefined) pool.active = pool === inUse
  }
  return pools
}

function poolOf(pool: Fields, at: number, when: number | undefined): Pool {
  const ago = secondsAgo(pool.lstime ?? pool['Last Share Time'])
  const index = num(pool.index) ?? num(pool.POOL) ?? at
  const accepted = count(pool.accepted) ?? count(pool.Accepted)
  const rejected = count(pool.rejected) ?? count(pool.Rejected)
  const tried = (accepted ?? 0) + (rejected ?? 0)
  return {
    index: Number.isInteger(index) && index >= 0 ? index : at,
    url: str(pool.url) ?? str(pool.URL) ?? '',
    user: str(pool.user) ?? str(pool.User) ?? '',
    ...defined({
      alive: isAlive(pool.status ?? pool.Status),
      active: bool(pool['Stratum Active']),
      priority: count(pool.priority) ?? count(pool.Priority),
      quota: count(pool.Quota),
      accepted,
      rejected,
      stale: count(pool.stale) ?? count(pool.Stale),
      rejectPct: tried > 0 && rejected !== undefined ? Math.round((rejected / tried) * 1e4) / 100 : undefined,
      lastShareAt:
        ago !== undefined && when !== undefined && when > clockSetS && when < clockEndS
          ? (when - ago) * 1000
          : undefined,
      difficulty: positive(difficulty(pool.diff ?? pool.Diff)),
    }),
  }
}
