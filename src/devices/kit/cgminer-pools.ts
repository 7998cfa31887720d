import { type Pool, SdkError } from '#model'
import { difficulty, isAlive, secondsAgo } from './cgminer.js'
import { bool, type Fields, fields, num, rows, str } from './json.js'
import { count, defined, object, positive } from './values.js'

const maxPools = 16
/** Before this (s) the clock of the device was never set, and times that it gives mean nothing. */
const clockSetS = 1_500_000_000
/** Nor after this. */
const clockEndS = 1e10

/**
 * The pools of a cgminer-style `pools`, in every spelling (protocols/cgminer.md §3), without empty places. Where none is said to be in use,
 * the miner fails over in order: it is the first that lives.
 */
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
      lastShareAt: lastShare(pool.lstime ?? pool['Last Share Time'], when),
      difficulty: positive(
        difficulty(pool.diff ?? pool.Diff) ?? num(pool['Stratum Difficulty']) ?? num(pool['Work Difficulty']),
      ),
      ...(isDevFee(pool) ? { devFee: true } : {}),
    }),
  }
}

/** `h:mm:ss` ago by the device's clock, or the time itself; 0 is never, and a clock that was never set tells nothing. */
function lastShare(value: unknown, when: number | undefined): number | undefined {
  const ago = secondsAgo(value)
  if (ago === undefined) {
    const at = num(value)
    return at !== undefined && isClock(at) ? at * 1000 : undefined
  }
  return when !== undefined && isClock(when) ? (when - ago) * 1000 : undefined
}

function isClock(seconds: number): boolean {
  return seconds > clockSetS && seconds < clockEndS
}

/** VNish and Hiveon list the pool of their fee among the others. */
function isDevFee(pool: Fields): boolean {
  return /^dev ?fee$/i.test(str(pool.URL) ?? str(pool.url) ?? '')
}
