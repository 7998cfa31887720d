import { metrics as metricTable } from 'virtual:vocabulary'
import type { ComponentChildren } from 'preact'
import { useCallback, useState } from 'preact/hooks'
import type { DeviceRecord } from '#model'
import { commandsOf } from '../commanding.js'
import { nameOf } from '../filter.js'
import { duration, efficiency, hashrate, none, percent, power, quantity, share, temperature } from '../format.js'
import { useApp, useDevices, useLoad, useNow } from '../hooks.js'
import { chartsOf, figuresOf } from '../plant.js'
import { hrefOf } from '../route.js'
import { isOld, statusLooks } from '../status.js'
import { History, reported } from '../ui/history.js'
import { Icon } from '../ui/icon.js'
import {
  Age,
  Card,
  Empty,
  HealthMark,
  Meter,
  Problem,
  SeverityMark,
  Simulated,
  StatusMark,
  Time,
  Value,
} from '../ui/parts.js'
import { CommandDialog, CommandMenu } from './command-dialog.js'
import { AllMetrics, Identity, MissingFields, Settings } from './device-facts.js'
import { Events, Raw } from './device-log.js'
import { Boards, Fans, Pools } from './device-parts.js'
import { PlantParts } from './plant-parts.js'

/** One device in full: read again each time the stream tells that it has changed. */
export function DevicePage({ id }: { id: string }) {
  const { client, store, session } = useApp()
  useDevices(store.devices, 1000)
  const row = store.devices.byId.get(id)
  const { data, error, reload } = useLoad(() => client.device(id), [id, row?.askedAt, row?.status])
  const [command, setCommand] = useState<string | null>(null)
  const record = data && row ? { ...data, ...row } : data
  const load = useCallback(
    (request: Parameters<typeof client.deviceHistory>[1]) => client.deviceHistory(id, request),
    [client, id],
  )
  if (!record) return error ? <Missing id={id} error={error} retry={reload} /> : <Empty>Loading …</Empty>
  const commands = commandsOf([record])
  return (
    <>
      <Head record={record}>
        {session.scope !== 'read' && commands.size > 0 && (
          <CommandMenu commands={commands} total={1} choose={setCommand} />
        )}
      </Head>
      {record.kind === 'miner' ? <Metrics record={record} /> : <PlantMetrics record={record} />}
      {record.errors.length > 0 && <Errors record={record} />}
      <History load={load} of={id} shown={chartsShown(record)} sync={id} />
      {record.boards.length > 0 && <Boards record={record} />}
      {record.kind === 'miner' && (
        <div class="halves">
          <Pools record={record} />
          <Fans record={record} />
        </div>
      )}
      <PlantParts record={record} />
      <div class="halves">
        <Identity record={record} />
        {(record.kind === 'miner' || record.tuning || record.network) && <Settings record={record} />}
      </div>
      <AllMetrics record={record} />
      {Object.keys(record.missing).length > 0 && <MissingFields record={record} />}
      <div class="halves">
        <Events id={id} />
        <Raw id={id} />
      </div>
      {command && <CommandDialog command={command} targets={[record]} close={() => setCommand(null)} />}
    </>
  )
}

/** A miner is expected to report all of its charts; what else there is has only some of its kind's. */
const chartsShown = ({ kind, metrics }: DeviceRecord) =>
  kind === 'miner' ? chartsOf.miner : reported(chartsOf[kind], metrics)

function Missing({ id, error, retry }: { id: string; error: Error; retry: () => void }) {
  return (
    <Card title={id}>
      <Problem error={error} retry={retry} />
      <p>
        <a href={hrefOf('devices')}>All devices</a>
      </p>
    </Card>
  )
}

function Head({ record, children }: { record: DeviceRecord; children: ComponentChildren }) {
  const now = useNow()
  const name = [record.make, record.model, record.variant].filter(Boolean).join(' ') || 'Unknown model'
  return (
    <header class="device-head">
      <a
        class="back"
        href={hrefOf('devices')}
        onClick={(event) => {
          if (history.length > 1) {
            event.preventDefault()
            history.back()
          }
        }}
      >
        <Icon name="back" /> Devices
      </a>
      <div class="device-title">
        <h1>{nameOf(record)}</h1>
        <StatusMark status={record.status} reason={record.statusReason} />
        <HealthMark health={record.health} />
        {record.simulated && <Simulated />}
        <span class="device-actions">{children}</span>
      </div>
      <p class="quiet">
        {name}
        {record.unknownModel && ' (model not in the hardware table)'} · <span class="num">{record.address}</span> ·{' '}
        {record.worker} · measured <Age at={record.at} now={now} />
        {record.at !== null && ' ago'}
      </p>
      {isOld(record.status) && (
        <p class="notice">
          <Icon name={statusLooks[record.status].shape} /> {record.statusReason ?? statusLooks[record.status].means}.{' '}
          {record.at === null ? (
            'It was never read.'
          ) : (
            <>
              Values below are{' '}
              <b>
                <Age at={record.at} now={now} />
              </b>{' '}
              old and count in no total.
            </>
          )}
        </p>
      )}
      {!isOld(record.status) && record.statusReason && <p class="notice">{record.statusReason}</p>}
    </header>
  )
}

function Figure({ title, children, note }: { title: string; children: ComponentChildren; note?: ComponentChildren }) {
  return (
    <section class="card tile">
      <h2>{title}</h2>
      {children}
      <div class="tile-foot">{note}</div>
    </section>
  )
}

/** The figures of what is no miner, by the vocabulary's own names. */
function PlantMetrics({ record }: { record: DeviceRecord }) {
  const figures = figuresOf(record)
  if (figures.length === 0) return null
  return (
    <div class={isOld(record.status) ? 'tiles six old' : 'tiles six'}>
      {figures.map((metric) => (
        <Figure key={metric} title={metricTable[metric].title}>
          <Value of={quantity(record.metrics[metric], metricTable[metric].unit)} class="big" />
        </Figure>
      ))}
    </div>
  )
}

function Metrics({ record }: { record: DeviceRecord }) {
  const { metrics, tuning } = record
  const expected = metrics.expectedHashrateThs ?? metrics.nominalHashrateThs
  const reached = share(metrics.hashrateThs, expected)
  const shares = (metrics.acceptedShares ?? 0) + (metrics.rejectedShares ?? 0)
  return (
    <div class={isOld(record.status) ? 'tiles six old' : 'tiles six'}>
      <Figure
        title="Hashrate"
        note={
          reached !== undefined && (
            <>
              <Meter value={reached} label="Share of the expected hashrate" tone={reached < 85 ? 'warn' : 'ok'} />
              <span>
                <b>{percent(reached)}</b> of <Value of={hashrate(expected)} />
              </span>
            </>
          )
        }
      >
        <Value of={hashrate(metrics.hashrateThs)} class="big" />
      </Figure>
      <Figure
        title="Power"
        note={
          metrics.powerLimitW != null ? (
            <>
              Limit <Value of={power(metrics.powerLimitW)} />
            </>
          ) : tuning?.mode ? (
            `Mode ${tuning.mode}`
          ) : (
            ''
          )
        }
      >
        <Value of={power(metrics.powerW)} class="big" />
      </Figure>
      <Figure title="Efficiency" note="Energy per work">
        <Value of={efficiency(metrics.efficiencyJTh)} class="big" />
      </Figure>
      <Figure
        title="Hottest chip"
        note={
          <>
            Hottest board <Value of={temperature(metrics.boardTempMaxC)} />
          </>
        }
      >
        <Value of={temperature(metrics.chipTempMaxC)} class="big" />
      </Figure>
      <Figure
        title="Uptime"
        note={metrics.miningUptimeS != null && `Mining for ${duration(metrics.miningUptimeS * 1000)}`}
      >
        <span class="value big">{metrics.uptimeS == null ? none : duration(metrics.uptimeS * 1000)}</span>
      </Figure>
      <Figure
        title="Shares accepted"
        note={
          metrics.rejectedShares != null &&
          `${quantity(metrics.rejectedShares, '1').value} rejected${shares > 0 ? `, ${percent((metrics.rejectedShares / shares) * 100)}` : ''}`
        }
      >
        <Value of={quantity(metrics.acceptedShares, '1')} class="big" />
      </Figure>
    </div>
  )
}

function Errors({ record }: { record: DeviceRecord }) {
  return (
    <Card title={`Errors (${record.errors.length})`}>
      <ul class="rows errors">
        {record.errors.map((error) => (
          <li key={`${error.code}${error.component}${error.index}${error.vendorCode}`}>
            <SeverityMark severity={error.severity} />
            <div class="why">
              <b>{error.message}</b>
              {error.cause && <p>{error.cause}</p>}
              {error.action && <p class="action">{error.action}</p>}
              <p class="quiet">
                {error.component}
                {error.index != null && ` ${error.index}`} · {error.code}
                {error.vendorCode && ` · vendor code ${error.vendorCode}`}
                {error.firstSeenAt != null && (
                  <>
                    {' '}
                    · since <Time at={error.firstSeenAt} />
                  </>
                )}
              </p>
            </div>
          </li>
        ))}
      </ul>
    </Card>
  )
}
