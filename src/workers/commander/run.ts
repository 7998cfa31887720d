import { type Clock, type CommandName, SdkError, sleep, toSdkError } from '#model'
import type { Directory } from '#node'
import type { FleetView } from '#replication'
import { type Caller, type CommandJob, type CommandRequest, type CommandResult, deviceWorker, maxTimeoutMs } from '#rpc'

/** What running a job needs of its commander. */
export interface RunTools {
  readonly directory: Directory
  readonly fleet: FleetView
  readonly clock: Clock
  /** Ends with the commander. */
  readonly signal: AbortSignal
  /** Makes what changed durable. */
  readonly save: (job: CommandJob, changed: Iterable<number>) => Promise<void>
  /** Says that the job changed. */
  readonly changed: (job: CommandJob) => void
}

/** A job and its cancellation. */
export interface Running {
  job: CommandJob
  readonly request: CommandRequest
  readonly caller: Caller
  /** Aborted by a person: what has not started is skipped. */
  readonly cancelling: AbortController
}

/** Devices of one job at work at once, however large its packets are. */
const maxParallel = 64

/**
 * Carries a job out: packet by packet, each to its end, then the pause. That a device is under way is durable before anything is sent to it.
 * Stops early at so many failures, or when it is cancelled; ends with every result decided.
 */
export async function run(tools: RunTools, running: Running): Promise<void> {
  const { request, cancelling } = running
  const stop = AbortSignal.any([tools.signal, cancelling.signal])
  let waiting = running.job.results.flatMap(({ state }, index) => (state === 'queued' ? [index] : []))
  let ending: string | undefined
  while (waiting.length > 0 && !stop.aborted) {
    const packet = waiting.slice(0, running.job.batch.size)
    waiting = waiting.slice(packet.length)
    await carryOut(tools, running, packet)
    const failures = running.job.results.filter(({ state }) => state === 'failed' || state === 'unknown').length
    if (request.stopAfterFailures !== undefined && failures >= request.stopAfterFailures && !request.dryRun) {
      ending = `stopped after ${failures} failures`
      break
    }
    if (waiting.length > 0 && !request.dryRun) {
      await sleep(tools.clock, running.job.batch.pauseMs, stop).catch(() => {})
    }
  }
  // The commander itself stops: its next start says what became of the job.
  if (tools.signal.aborted) return
  if (cancelling.signal.aborted) ending = toSdkError(cancelling.signal.reason, 'CANCELLED').message
  for (const index of waiting) {
    put(running, index, { state: 'skipped', code: 'CANCELLED', reason: ending ?? 'cancelled' })
  }
  const state = cancelling.signal.aborted ? 'cancelled' : 'done'
  running.job = { ...running.job, state, endedAt: tools.clock.now() }
  await tools.save(running.job, waiting)
  tools.changed(running.job)
}

async function carryOut(tools: RunTools, running: Running, packet: readonly number[]) {
  const line = packet[Symbol.iterator]()
  const lane = async () => {
    for (const index of line) {
      if (running.cancelling.signal.aborted) {
        const { message } = toSdkError(running.cancelling.signal.reason, 'CANCELLED')
        put(running, index, { state: 'skipped', code: 'CANCELLED', reason: message })
      } else {
        await one(tools, running, index)
      }
    }
  }
  for (const index of packet.slice(0, maxParallel)) mark(tools, running, index)
  await tools.save(running.job, packet)
  tools.changed(running.job)
  await Promise.all(Array.from({ length: Math.min(maxParallel, packet.length) }, lane))
  if (!tools.signal.aborted) await tools.save(running.job, packet)
}

function mark(tools: RunTools, running: Running, index: number) {
  put(running, index, { state: 'running', startedAt: tools.clock.now() })
}

/** One device. What it cannot say becomes the result; it never rejects. */
async function one(tools: RunTools, running: Running, index: number): Promise<void> {
  if (running.job.results[index]!.state === 'queued') {
    mark(tools, running, index)
    await tools.save(running.job, [index])
  }
  const { deviceId } = running.job.results[index]!
  let result: Partial<CommandResult>
  try {
    result = await send(tools, running, deviceId, `${running.job.id}.${index}`)
  } catch (error) {
    result = failure(toSdkError(error), running.job.dryRun)
  }
  if (tools.signal.aborted) return
  put(running, index, { ...result, endedAt: tools.clock.now() })
  tools.changed(running.job)
}

async function send(tools: RunTools, running: Running, deviceId: string, requestId: string) {
  const { request, caller, job } = running
  const reader = tools.fleet.readerOf(deviceId)
  if (!reader) throw new SdkError('NOT_FOUND', 'it was removed meanwhile')
  const worker = tools.directory.find(deviceWorker).find((one) => one.reader === reader)
  if (!worker) throw new SdkError('UNAVAILABLE', `its worker ${reader.worker} does not run`)
  return worker.client.command(
    {
      id: deviceId,
      command: job.command as CommandName,
      params: request.params ?? {},
      requestId,
      dryRun: job.dryRun,
    },
    { caller, signal: tools.signal, timeoutMs: maxTimeoutMs },
  )
}

/** After these nobody can say whether the device took it. */
const inDoubt = new Set(['TIMEOUT', 'CANCELLED', 'INTERNAL'])

function failure(error: SdkError, dryRun: boolean): Partial<CommandResult> {
  const details = error.details as { state?: unknown } | undefined
  const unknown = inDoubt.has(error.code) || details?.state === 'unknown'
  const state = dryRun ? 'skipped' : unknown ? 'unknown' : 'failed'
  return { state, code: error.code, reason: error.message }
}

function put(running: Running, index: number, change: Partial<CommandResult>) {
  const { results, counts } = running.job
  const before = results[index]!
  const after = { ...before, ...change }
  results[index] = after
  running.job = {
    ...running.job,
    counts: count(count(counts, before.state, -1), after.state, 1),
  }
}

function count(counts: Record<string, number>, state: string, by: number): Record<string, number> {
  return { ...counts, [state]: (counts[state] ?? 0) + by }
}
