import type { DeviceError, Health, Severity, Status } from './device.js'
import type { Metrics } from './fields.js'
import type { Kind } from './kinds.js'

/**
 * Everything the status of a device depends on. The poller knows the first group, the device module the second.
 */
export interface StatusFacts {
  /** Polls in a row that failed; 0 if the last one was answered. */
  failures: number
  /** True if the device was never read. */
  never: boolean
  /** A reboot or an update that we or the vendor started and that is not over yet. */
  pending?: 'rebooting' | 'updating' | undefined
  /** The vendor says that it does not hash because it was told so. */
  asleep?: boolean | undefined
  /** Sleeping because of our curtailment. */
  curtailed?: boolean | undefined
  /** The firmware says that it is finding its settings. */
  tuning?: boolean | undefined
  /** A container says whether it works. */
  running?: boolean | undefined
  metrics: Metrics
  errors: DeviceError[]
}

/** After this many failed polls in a row a device is offline; before, it keeps its status. */
export const offlineAfterFailures = 2
/** A miner may take this long from power-on to its first hashes before "not hashing" is a finding. */
export const startWindowS = 600
/** Below this share of the expected hashrate, together with a critical error, a miner counts as broken, not as mining. */
export const brokenBelow = 0.5
/** Below this share of the expected hashrate a miner is degraded. */
export const degradedBelow = 0.85

const rank: Record<Severity, number> = { info: 0, low: 1, medium: 2, high: 3, critical: 4 }

/**
 * The one rule (protocols/data-model.md §3 and §5): offline; pending reboot or update; then what the kind of device does. The first that
 * applies wins. `stale` is not decided here: it is the reader's view of an old record.
 */
export function statusOf(kind: Kind, facts: StatusFacts): Status {
  const { failures, never, pending } = facts
  if (failures >= offlineAfterFailures || (failures > 0 && never)) return pending ?? 'offline'
  if (never) return 'unknown'
  if (pending) return pending
  return doing[kind](facts)
}

const doing: Readonly<Record<Kind, (facts: StatusFacts) => Status>> = {
  miner: mining,
  container({ running, errors }) {
    if (hasAtLeast(errors, 'high')) return 'error'
    return running === undefined ? 'unknown' : running ? 'running' : 'stopped'
  },
  powermeter: reporting,
  // One of several channels may fail; without any value it is the sensor that is broken.
  sensor: (facts) => (facts.errors.length > 0 && tellsNothing(facts.metrics) ? 'error' : reporting(facts)),
  pool: reporting,
}

/** What only tells values runs as long as it tells them. */
function reporting({ errors }: StatusFacts): Status {
  return hasAtLeast(errors, 'critical') ? 'error' : 'running'
}

function tellsNothing(metrics: Metrics): boolean {
  return Object.values(metrics).every((value) => value === undefined || value === null)
}

function hasAtLeast(errors: readonly DeviceError[], severity: Severity): boolean {
  return errors.some((error) => rank[error.severity] >= rank[severity])
}

/** Asleep by intent; hashing (tuning, or error if broken); starting; error; not mining. */
function mining(facts: StatusFacts): Status {
  const { metrics, errors } = facts
  if (facts.asleep) return facts.curtailed ? 'curtailed' : 'sleeping'
  const rate = metrics.hashrateThs
  if (rate !== null && rate !== undefined && rate > 0) {
    const expected = metrics.expectedHashrateThs ?? metrics.nominalHashrateThs
    if (hasAtLeast(errors, 'critical') && expected && rate < expected * brokenBelow) return 'error'
    return facts.tuning ? 'tuning' : 'mining'
  }
  if (rate === null || rate === undefined) return 'unknown'
  const sinceStart = metrics.miningUptimeS ?? metrics.uptimeS
  if (sinceStart !== null && sinceStart !== undefined && sinceStart < startWindowS) return 'starting'
  return hasAtLeast(errors, 'high') ? 'error' : 'not-mining'
}

/** The rule for a miner. */
export function minerStatus(facts: StatusFacts): Status {
  return statusOf('miner', facts)
}

/** `critical` by a critical error; `degraded` by a medium or high one or a hashrate well below the expected; not to be told when not read. */
export function healthOf(status: Status, metrics: Metrics, errors: DeviceError[]): Health {
  if (status === 'offline' || status === 'unknown' || status === 'stale') return 'unknown'
  const worst = errors.reduce((highest, error) => Math.max(highest, rank[error.severity]), 0)
  if (worst >= rank.critical || status === 'error') return 'critical'
  if (worst >= rank.medium) return 'degraded'
  const expected = metrics.expectedHashrateThs ?? metrics.nominalHashrateThs
  if (status === 'mining' && expected && metrics.hashrateThs != null && metrics.hashrateThs < expected * degradedBelow)
    return 'degraded'
  return 'ok'
}

/** Whether the values of a record are live and may count in totals. */
export function isLive(status: Status): boolean {
  return status !== 'offline' && status !== 'stale' && status !== 'unknown'
}
