import { commands, type DeviceRecord, isLive, redact, resultStates } from '#model'
import type { CommandJob, CommandRequest, CommandResult } from '#rpc'

/** What is already decided, or still to do, for each device of a job. */
export interface Target {
  readonly deviceId: string
  readonly record: DeviceRecord | undefined
}

/** Without a wish: what interrupts mining goes in small packets with a pause, so that a breaker does not see all of it at once. */
const gentle = { size: 10, pauseMs: 5000 }
const swift = { size: 100, pauseMs: 0 }

/** A new job over its targets; what cannot be done is skipped at once, with the reason. */
export function newJob(
  id: string,
  request: CommandRequest,
  targets: readonly Target[],
  by: string,
  createdAt: number,
): CommandJob {
  const usual = request.dryRun || commands[request.command].risk === 'safe' ? swift : gentle
  const job: CommandJob = {
    id,
    command: request.command,
    params: redact(request.params ?? {}) as Record<string, unknown>,
    state: 'running',
    dryRun: request.dryRun ?? false,
    ...(request.reason === undefined ? {} : { reason: request.reason }),
    by,
    createdAt,
    batch: { size: request.batch?.size ?? usual.size, pauseMs: request.batch?.pauseMs ?? usual.pauseMs },
    counts: {},
    powerW: powerOf(targets),
    results: targets.map((target) => firstResult(request, target)),
  }
  return { ...job, counts: countsOf(job.results) }
}

function firstResult({ command }: CommandRequest, { deviceId, record }: Target): CommandResult {
  if (!record) return { deviceId, state: 'skipped', code: 'NOT_FOUND', reason: 'there is no such device' }
  if (record.at !== null && !record.capabilities.includes(command)) {
    const reason = `a ${record.make ?? ''} ${record.model ?? 'device'} of this firmware cannot do ${command}`
    return { deviceId, state: 'skipped', code: 'DEVICE_UNSUPPORTED', reason }
  }
  return { deviceId, state: 'queued' }
}

/** What the live targets draw now, W; null if none of them tells. */
function powerOf(targets: readonly Target[]): number | null {
  const powers = targets.flatMap(({ record }) => {
    const powerW = record && isLive(record.status) ? record.metrics.powerW : null
    return powerW === null || powerW === undefined ? [] : [powerW]
  })
  return powers.length === 0 ? null : powers.reduce((sum, powerW) => sum + powerW, 0)
}

/** How many results are in each state; every state is named. */
export function countsOf(results: readonly CommandResult[]): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries(resultStates.map((state) => [state, 0]))
  for (const { state } of results) counts[state]!++
  return counts
}

/**
 * What a job is after the commander was started anew while it ran: nobody knows of what was under way, and nothing more is sent, because
 * nobody knows how long ago it was wanted and its secrets were never stored.
 */
export function afterRestart(job: CommandJob, now: number): CommandJob {
  const results = job.results.map((result): CommandResult => {
    if (result.state === 'running') {
      const reason = 'the commander stopped while this was under way: look at the device'
      return { ...result, state: 'unknown', reason, endedAt: now }
    }
    if (result.state === 'queued') {
      const reason = 'the commander was restarted, nothing more was sent: submit it again for what is left'
      return { ...result, state: 'skipped', code: 'CANCELLED', reason, endedAt: now }
    }
    return result
  })
  return { ...job, state: 'cancelled', endedAt: now, results, counts: countsOf(results) }
}
