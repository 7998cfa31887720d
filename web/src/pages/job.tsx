import { useEffect, useState } from 'preact/hooks'
import type { CommandJob, CommandResult } from '#rpc'
import { failedIds, progressOf } from '../commanding.js'
import { nameOf } from '../filter.js'
import { integer, plural } from '../format.js'
import { useApp, useCell } from '../hooks.js'
import { hrefOf } from '../route.js'
import type { Look } from '../status.js'
import { Mark, Problem } from '../ui/parts.js'

const results: Record<CommandResult['state'], Look> = {
  queued: { label: 'Waiting', tone: 'off', shape: 'clock', means: 'Not sent yet' },
  running: { label: 'Running', tone: 'busy', shape: 'cycle', means: 'Sent, not answered yet' },
  confirmed: { label: 'Confirmed', tone: 'ok', shape: 'disc', means: 'Read back from the device' },
  accepted: { label: 'Accepted', tone: 'ok', shape: 'ring', means: 'The device took it; it could not be read back' },
  failed: { label: 'Failed', tone: 'bad', shape: 'octagon', means: 'Not done' },
  skipped: { label: 'Skipped', tone: 'off', shape: 'dash', means: 'Not sent' },
  unknown: { label: 'Unknown', tone: 'warn', shape: 'question', means: 'Sent; whether it was done is not known' },
}

const listedMax = 300
const pollMs = 1000

/** A job as it goes on: its own reads while it runs, so that it is followed also where the stream leaves the results out. */
export function useJob(first: CommandJob): { job: CommandJob; error: Error | null; cancel: () => void } {
  const { client, store } = useApp()
  const streamed = useCell(store.jobs).find(({ id }) => id === first.id)
  const [job, setJob] = useState(first)
  const [error, setError] = useState<Error | null>(null)
  const state = streamed?.state ?? job.state
  useEffect(() => {
    if (job.state !== 'running' && job.results.length > 0) return
    let over = false
    const read = () =>
      client.command(first.id).then(
        (next) => {
          if (!over) {
            setJob(next)
            setError(null)
          }
        },
        (cause: Error) => {
          if (!over) setError(cause)
        },
      )
    void read()
    const timer = setInterval(read, pollMs)
    return () => {
      over = true
      clearInterval(timer)
    }
  }, [first.id, job.state, state])
  return { job, error, cancel: () => void client.cancel(first.id).then(setJob, setError) }
}

export function JobBar({ job }: { job: Pick<CommandJob, 'counts'> }) {
  const progress = progressOf(job)
  const parts = [
    ['ok', progress.confirmed + progress.accepted],
    ['bad', progress.failed],
    ['off', progress.skipped],
    ['busy', progress.running],
  ] as const
  return (
    <div
      class="breakdown"
      role="progressbar"
      aria-valuenow={progress.ended}
      aria-valuemin={0}
      aria-valuemax={progress.total}
      aria-label={`${progress.ended} of ${progress.total} done`}
    >
      {parts.map(([tone, count]) => count > 0 && <i key={tone} class={tone} style={{ flexGrow: String(count) }} />)}
      {progress.queued > 0 && <i class="rest" style={{ flexGrow: String(progress.queued) }} />}
    </div>
  )
}

export function JobCounts({ job }: { job: Pick<CommandJob, 'counts'> }) {
  return (
    <span class="marks">
      {(Object.keys(results) as CommandResult['state'][])
        .filter((state) => job.counts[state])
        .map((state) => (
          <Mark key={state} look={results[state]} count={job.counts[state] ?? 0} />
        ))}
    </span>
  )
}

/** Progress and result per device, with what can be done next: cancel while it runs, then retry what failed. */
export function JobProgress({
  job: first,
  retry,
  close,
}: {
  job: CommandJob
  retry?: (ids: string[]) => void
  close?: () => void
}) {
  const { store, session } = useApp()
  const { job, error, cancel } = useJob(first)
  const progress = progressOf(job)
  const failed = failedIds(job)
  const listed = [...job.results].sort((a, b) => rank(a) - rank(b))
  return (
    <div class="dialog-body job">
      <p class="job-head" role="status">
        <b>{job.state === 'running' ? 'Running' : job.state === 'cancelled' ? 'Cancelled' : 'Done'}</b>
        <span class="num">
          {integer(progress.ended)} of {plural(progress.total, 'device')}
        </span>
        {job.dryRun && <span class="tag">dry run: nothing was sent</span>}
      </p>
      <JobBar job={job} />
      <JobCounts job={job} />
      {error && <Problem error={error} />}
      <ul class="rows results">
        {listed.slice(0, listedMax).map((result) => {
          const record = store.devices.byId.get(result.deviceId)
          return (
            <li key={result.deviceId}>
              <a href={hrefOf('devices', result.deviceId)} onClick={close}>
                {record ? nameOf(record) : result.deviceId}
              </a>
              <span class="why">{result.reason}</span>
              <Mark look={results[result.state]} />
            </li>
          )
        })}
        {listed.length > listedMax && <li class="quiet">and {integer(listed.length - listedMax)} more</li>}
      </ul>
      <footer class="dialog-foot">
        {job.state === 'running' && session.scope !== 'read' && (
          <button type="button" onClick={cancel}>
            Cancel what has not started
          </button>
        )}
        {job.state !== 'running' && failed.length > 0 && retry && session.scope !== 'read' && (
          <button type="button" class="danger" onClick={() => retry(failed)}>
            Retry {plural(failed.length, 'failed device')}
          </button>
        )}
        {close && (
          <button type="button" class="primary" onClick={close}>
            Close
          </button>
        )}
      </footer>
    </div>
  )
}

/** What needs the eye first: failures, then what runs, then the rest. */
function rank({ state }: CommandResult): number {
  return ['failed', 'unknown', 'running', 'queued', 'accepted', 'confirmed', 'skipped'].indexOf(state)
}
