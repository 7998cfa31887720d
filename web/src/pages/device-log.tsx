import { useState } from 'preact/hooks'
import { useApp, useLoad } from '../hooks.js'
import { Icon } from '../ui/icon.js'
import { Card, Empty, Problem, Time } from '../ui/parts.js'

const eventTones = {
  'error-raised': ['warn', 'triangle'],
  'error-cleared': ['ok', 'check'],
  command: ['busy', 'bolt'],
  status: ['off', 'cycle'],
} as const
const refreshEventsMs = 10_000

export function Events({ id }: { id: string }) {
  const { client } = useApp()
  const { data, error, reload } = useLoad(() => client.events(id), [id], refreshEventsMs)
  return (
    <Card title="Events">
      {error && <Problem error={error} retry={reload} />}
      {data?.length === 0 && <Empty>Nothing has happened yet.</Empty>}
      <ul class="rows events">
        {data?.map((event, index) => {
          const [tone, icon] = eventTones[event.type as keyof typeof eventTones] ?? ['off', 'dash']
          return (
            <li key={`${event.at}${event.type}${index}`}>
              <span class={`mark ${tone}`} title={event.type}>
                <Icon name={icon} />
              </span>
              <span class="why">{event.message}</span>
              <Time at={event.at} />
            </li>
          )
        })}
      </ul>
    </Card>
  )
}

/** Asked for on demand: it reads the device once more. */
export function Raw({ id }: { id: string }) {
  const { client } = useApp()
  const [raw, setRaw] = useState<Awaited<ReturnType<typeof client.raw>> | null>(null)
  const [error, setError] = useState<Error | null>(null)
  const [busy, setBusy] = useState(false)
  const read = () => {
    setBusy(true)
    setError(null)
    client
      .raw(id)
      .then(setRaw, setError)
      .finally(() => setBusy(false))
  }
  return (
    <Card
      title="Raw replies"
      extra={
        <button type="button" onClick={read} disabled={busy}>
          {busy ? 'Reading …' : raw ? 'Read again' : 'Read now'}
        </button>
      }
    >
      {error && <Problem error={error} />}
      {!raw && !error && <Empty>The replies of the device as they come, without secrets.</Empty>}
      {raw && (
        <>
          <p class="quiet">
            Read at <Time at={raw.at} />
          </p>
          {Object.entries(raw.replies).map(([name, reply]) => (
            <details key={name}>
              <summary>
                <code>{name}</code>
              </summary>
              <pre class="raw" tabIndex={0}>
                {typeof reply === 'string' ? reply : JSON.stringify(reply, null, 2)}
              </pre>
            </details>
          ))}
        </>
      )}
    </Card>
  )
}
