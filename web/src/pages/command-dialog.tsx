import { commands } from 'virtual:vocabulary'
import { useMemo, useState } from 'preact/hooks'
import type { CommandName } from '#model'
import type { CommandJob, CommandRequest } from '#rpc'
import type { DeviceRow } from '../client.js'
import { defaultBatch, type Impact, impactOf, phraseFor, type Risk } from '../commanding.js'
import { nameOf } from '../filter.js'
import { plural, power, text } from '../format.js'
import { initial, problems as problemsOf } from '../forms.js'
import { useApp, useDismiss } from '../hooks.js'
import { withJob } from '../store.js'
import { Icon } from '../ui/icon.js'
import { Dialog, Problem, Simulated } from '../ui/parts.js'
import { SchemaForm } from '../ui/schema-form.js'
import { JobProgress } from './job.js'

const sampleMax = 6

const risks: Record<Risk, { label: string; means: string; tone: string }> = {
  safe: { label: 'Safe', means: 'Mining goes on.', tone: 'ok' },
  disruptive: { label: 'Disruptive', means: 'Mining is interrupted.', tone: 'warn' },
  dangerous: { label: 'Dangerous', means: 'If it goes wrong, somebody has to go to the device.', tone: 'bad' },
}

const factsOf = (command: string) =>
  commands[command as CommandName] ?? { title: command, risk: 'dangerous' as const, input: { type: 'object' as const } }
export const titleOf = (command: string): string => factsOf(command).title

/** The commands that can be given, with how many of the devices can do each. */
export function CommandMenu({
  commands: counts,
  total,
  choose,
  up,
}: {
  commands: Map<string, number>
  total: number
  choose: (command: string) => void
  up?: boolean
}) {
  const [open, setOpen] = useState(false)
  const element = useDismiss(open, () => setOpen(false))
  const order: Risk[] = ['safe', 'disruptive', 'dangerous']
  const listed = [...counts].sort(
    ([a], [b]) => order.indexOf(factsOf(a).risk) - order.indexOf(factsOf(b).risk) || (titleOf(a) < titleOf(b) ? -1 : 1),
  )
  return (
    <div class={up ? 'menu up right' : 'menu right'} ref={element}>
      <button
        type="button"
        class="primary"
        aria-expanded={open}
        aria-haspopup="true"
        disabled={counts.size === 0}
        onClick={() => setOpen(!open)}
      >
        <Icon name="bolt" /> Command <Icon name="chevron" size={12} />
      </button>
      {open && (
        <div class="panel" role="group" aria-label="Commands">
          {listed.map(([command, count]) => (
            <button
              type="button"
              class="option"
              key={command}
              onClick={() => {
                setOpen(false)
                choose(command)
              }}
            >
              <span>{titleOf(command)}</span>
              {count < total && <span class="quiet num">{`${count} of ${total}`}</span>}
              {factsOf(command).risk !== 'safe' && (
                <span class={`tag ${risks[factsOf(command).risk].tone}`}>
                  {risks[factsOf(command).risk].label.toLowerCase()}
                </span>
              )}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}

interface CommandDialogProps {
  command: string
  targets: readonly DeviceRow[]
  close: () => void
  /** For a retry: the parameters of the first time, without secrets. */
  params?: unknown
}

/** Parameters, what it touches, confirmation; then the progress of the job. */
export function CommandDialog({ command, targets, close, params }: CommandDialogProps) {
  const [job, setJob] = useState<CommandJob | null>(null)
  const [again, setAgain] = useState<{ ids: readonly string[]; params: unknown } | null>(null)
  const { store } = useApp()
  const [devices, setDevices] = useState(targets)
  return (
    <Dialog title={titleOf(command)} close={close}>
      {job ? (
        <JobProgress
          job={job}
          close={close}
          retry={(ids) => {
            setDevices(ids.flatMap((id) => store.devices.byId.get(id) ?? []))
            setAgain((last) => ({ ids, params: last?.params ?? params }))
            setJob(null)
          }}
        />
      ) : (
        <Confirm
          key={again?.ids.join()}
          command={command}
          targets={devices}
          params={again?.params ?? params}
          close={close}
          sent={(next, sentParams) => {
            setAgain({ ids: [], params: sentParams })
            setJob(next)
          }}
        />
      )}
    </Dialog>
  )
}

function Confirm({
  command,
  targets,
  params,
  close,
  sent,
}: CommandDialogProps & { sent: (job: CommandJob, params: unknown) => void }) {
  const { client, store } = useApp()
  const { risk, input } = factsOf(command)
  const [value, setValue] = useState<unknown>(() => params ?? initial(input))
  const [batch, setBatch] = useState(defaultBatch)
  const [reason, setReason] = useState('')
  const [typed, setTyped] = useState('')
  const [tried, setTried] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Error | null>(null)
  // The targets are those that were shown when the dialog opened: what is confirmed is what is sent.
  const impact = useMemo(() => impactOf(targets, command), [])
  const key = useMemo(() => crypto.randomUUID(), [value])
  const phrase = phraseFor(risk, command, impact.able.length)
  const problems = problemsOf(input, value)
  const wrong = Object.keys(problems).length > 0
  const confirmed = phrase === null || typed.trim() === phrase

  const submit = (event: Event) => {
    event.preventDefault()
    setTried(true)
    if (wrong || !confirmed || busy) return
    const request: CommandRequest = {
      command: command as CommandName,
      params: value as Record<string, unknown>,
      targets: { ids: impact.able.map(({ id }) => id) },
      ...(impact.able.length > 1 ? { batch } : {}),
      ...(reason.trim() ? { reason: reason.trim() } : {}),
    }
    setBusy(true)
    client
      .submit(request, key)
      .then((job) => {
        store.jobs.set(withJob(store.jobs.value, job))
        sent(job, value)
      }, setError)
      .finally(() => setBusy(false))
  }

  return (
    <form class="dialog-body" onSubmit={submit}>
      <ImpactView impact={impact} risk={risk} />
      <SchemaForm schema={input} value={value} problems={tried ? problems : {}} onChange={setValue} />
      {impact.able.length > 1 && (
        <div class="form-line">
          <div class="field">
            <label for="batch-size">Devices at once</label>
            <input
              id="batch-size"
              type="number"
              min={1}
              max={1000}
              required
              value={batch.size}
              onInput={(event) => setBatch({ ...batch, size: event.currentTarget.valueAsNumber || 1 })}
            />
          </div>
          <div class="field">
            <label for="batch-pause">Pause between, s</label>
            <input
              id="batch-pause"
              type="number"
              min={0}
              max={3600}
              required
              value={batch.pauseMs / 1000}
              onInput={(event) =>
                setBatch({ ...batch, pauseMs: Math.round((event.currentTarget.valueAsNumber || 0) * 1000) })
              }
            />
          </div>
        </div>
      )}
      <div class="field">
        <label for="reason">
          Reason<span class="quiet"> optional, kept in the record of the command</span>
        </label>
        <input id="reason" maxLength={500} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
      </div>
      {phrase !== null && (
        <div class="field">
          <label for="typed">
            Type <b class="phrase">{phrase}</b> to confirm
          </label>
          <input
            id="typed"
            autocomplete="off"
            spellcheck={false}
            value={typed}
            aria-invalid={tried && !confirmed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </div>
      )}
      {error && <Problem error={error} />}
      <footer class="dialog-foot">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button
          type="submit"
          class={risk === 'safe' ? 'primary' : 'danger'}
          disabled={impact.able.length === 0 || !confirmed || busy}
        >
          {busy ? 'Sending …' : `${titleOf(command)}: ${plural(impact.able.length, 'device')}`}
        </button>
      </footer>
    </form>
  )
}

function ImpactView({ impact, risk }: { impact: Impact; risk: Risk }) {
  const { able, unable, powerW, offline, simulated } = impact
  const rest = able.length - sampleMax
  return (
    <div class={`impact ${risks[risk].tone}`}>
      <p>
        <b>{risks[risk].label}.</b> {risks[risk].means}
      </p>
      <p class="impact-figures">
        <span>
          <b>{plural(able.length, 'device')}</b>
        </span>
        {powerW !== null && (
          <span>
            <b>{text(power(powerW))}</b> now
          </span>
        )}
        {simulated > 0 &&
          (simulated === able.length ? <Simulated /> : <span>{plural(simulated, 'is', 'are')} simulated</span>)}
      </p>
      <p class="sample">
        {able.slice(0, sampleMax).map((record) => (
          <span class="tag" key={record.id}>
            {nameOf(record)}
          </span>
        ))}
        {rest > 0 && <span class="quiet">and {rest} more</span>}
      </p>
      {offline > 0 && <p class="quiet">{plural(offline, 'does', 'do')} not answer now.</p>}
      {unable > 0 && (
        <p class="quiet">
          {plural(unable, 'selected device')} cannot do this and {unable === 1 ? 'is' : 'are'} left out.
        </p>
      )}
    </div>
  )
}
