import { useState } from 'preact/hooks'
import type { CommandJob } from '#rpc'
import { progressOf } from '../commanding.js'
import { plural, power, text } from '../format.js'
import { withoutRemoved } from '../forms.js'
import { useApp, useCell, useLoad } from '../hooks.js'
import { hrefOf } from '../route.js'
import { Icon } from '../ui/icon.js'
import { Card, Empty, Problem, Time } from '../ui/parts.js'
import { CommandDialog, titleOf } from './command-dialog.js'
import { JobBar, JobCounts, JobProgress } from './job.js'

/** The latest commands, and one of them in full. */
export function Commands({ id }: { id: string | null }) {
  return id === null ? <List /> : <One key={id} id={id} />
}

const states: Record<CommandJob['state'], string> = { running: 'Running', done: 'Done', cancelled: 'Cancelled' }

function List() {
  const { store } = useApp()
  const jobs = useCell(store.jobs)
  return (
    <>
      <h1>Commands</h1>
      <Card>
        {jobs.length === 0 && <Empty>No command was given yet. Select devices, then choose a command.</Empty>}
        <ul class="rows jobs">
          {jobs.map((job) => (
            <li key={job.id}>
              <a href={hrefOf('commands', job.id)}>{titleOf(job.command)}</a>
              <span class="quiet">{plural(progressOf(job).total, 'device')}</span>
              {job.dryRun && <span class="tag">dry run</span>}
              <JobBar job={job} />
              <JobCounts job={job} />
              <span class="quiet job-by">{job.by}</span>
              <Time at={job.createdAt} />
            </li>
          ))}
        </ul>
      </Card>
    </>
  )
}

function One({ id }: { id: string }) {
  const { client, store } = useApp()
  const { data: job, error, reload } = useLoad(() => client.command(id), [id])
  const [retry, setRetry] = useState<readonly string[] | null>(null)
  return (
    <>
      <a class="back" href={hrefOf('commands')}>
        <Icon name="back" /> Commands
      </a>
      {error && <Problem error={error} retry={reload} />}
      {job && (
        <>
          <h1>{titleOf(job.command)}</h1>
          <Card>
            <dl class="facts">
              <Fact name="State">{states[job.state]}</Fact>
              <Fact name="Given by">{job.by}</Fact>
              <Fact name="At">
                <Time at={job.createdAt} />
              </Fact>
              {job.endedAt !== undefined && (
                <Fact name="Ended">
                  <Time at={job.endedAt} />
                </Fact>
              )}
              {job.powerW !== null && <Fact name="Power touched">{text(power(job.powerW))}</Fact>}
              <Fact name="Batches">
                {job.batch.size} at once, {job.batch.pauseMs / 1000} s between
              </Fact>
              {job.reason && <Fact name="Reason">{job.reason}</Fact>}
              {Object.keys(job.params).length > 0 && (
                <Fact name="Parameters">
                  <code>{JSON.stringify(job.params)}</code>
                </Fact>
              )}
            </dl>
            <JobProgress job={job} retry={setRetry} />
          </Card>
          {retry && (
            <CommandDialog
              command={job.command}
              params={withoutRemoved(job.params)}
              targets={retry.flatMap((deviceId) => store.devices.byId.get(deviceId) ?? [])}
              close={() => {
                setRetry(null)
                reload()
              }}
            />
          )}
        </>
      )}
    </>
  )
}

function Fact({ name, children }: { name: string; children: import('preact').ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
