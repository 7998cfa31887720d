import { useCallback } from 'preact/hooks'
import type { ServiceHealth } from '#rpc'
import { duration, integer, plural } from '../format.js'
import { useApp, useLoad, useNow } from '../hooks.js'
import type { Look } from '../status.js'
import { Ago, Empty, Mark, Problem, Time } from '../ui/parts.js'

const refreshMs = 3000

const states: Record<ServiceHealth['state'], Look> = {
  running: { label: 'Running', tone: 'ok', shape: 'disc', means: 'Works' },
  starting: { label: 'Starting', tone: 'busy', shape: 'cycle', means: 'Not ready yet' },
  waiting: { label: 'Waiting', tone: 'warn', shape: 'clock', means: 'It broke and is started again soon' },
  hung: { label: 'Hung', tone: 'bad', shape: 'triangle', means: 'It shows no sign of life' },
  failed: { label: 'Failed', tone: 'bad', shape: 'octagon', means: 'It broke often; it is tried again, but rarely' },
  stopping: { label: 'Stopping', tone: 'off', shape: 'cycle', means: 'Closes what it has open' },
  stopped: { label: 'Stopped', tone: 'off', shape: 'ring', means: 'Does not run' },
  unreachable: { label: 'Unreachable', tone: 'bad', shape: 'ring', means: 'Its node does not answer' },
}

/** Every service of the site: whether it lives, since when, how often it was restarted, what it counts. */
export function Services() {
  const { client, node } = useApp()
  const { data, error, reload } = useLoad(
    useCallback(() => client.services(), [client]),
    [client],
    refreshMs,
  )
  const now = useNow()
  return (
    <>
      <h1>Services</h1>
      <p class="quiet lead">
        MiningSDK {node.version}, {node.mode === 'single' ? 'all services in one process' : node.mode}, up for{' '}
        {duration(now - node.startedAt)}
      </p>
      {error && <Problem error={error} retry={reload} />}
      {!data && !error && <Empty>Loading …</Empty>}
      <div class="services">
        {data?.map((service) => (
          <ServiceCard key={`${service.site}/${service.name}`} service={service} now={now} />
        ))}
      </div>
    </>
  )
}

function ServiceCard({ service, now }: { service: ServiceHealth; now: number }) {
  const stats = Object.entries(service.stats)
  return (
    <section class="card service">
      <header class="card-head">
        <h2>{service.name}</h2>
        <Mark look={states[service.state]} reason={service.reason} />
      </header>
      <p class="quiet">
        {service.kind} · for {duration(now - service.since)}
      </p>
      {!service.ready && <p class="notice">Not ready{service.reason ? `: ${service.reason}` : ''}</p>}
      <dl class="facts">
        <div>
          <dt>Restarts</dt>
          <dd class="num">{integer(service.restarts)}</dd>
        </div>
        <div>
          <dt>Process</dt>
          <dd class="num">{service.pid ?? '—'}</dd>
        </div>
        <div>
          <dt>Last sign of life</dt>
          <dd>
            {service.heartbeatAt === null ? (
              '—'
            ) : (
              <>
                <Ago at={service.heartbeatAt} /> ago
              </>
            )}
          </dd>
        </div>
        {service.retryAt !== null && (
          <div>
            <dt>Started again at</dt>
            <dd>
              <Time at={service.retryAt} />
            </dd>
          </div>
        )}
      </dl>
      {service.lastError && <p class="notice bad">{service.lastError}</p>}
      {stats.length > 0 && (
        <details>
          <summary>{plural(stats.length, 'figure')}</summary>
          <dl class="stats">
            {stats.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd class="num">{Number.isInteger(value) ? integer(value) : value.toFixed(2)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </section>
  )
}
