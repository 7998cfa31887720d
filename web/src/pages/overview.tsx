import type { ComponentChildren } from 'preact'
import { useMemo } from 'preact/hooks'
import type { Kind, Severity } from '#model'
import type { Totals } from '#replication'
import type { DeviceRow } from '../client.js'
import { modelOf } from '../filter.js'
import {
  efficiency,
  hashrate,
  integer,
  none,
  percent,
  plural,
  power,
  type Quantity,
  share,
  temperature,
} from '../format.js'
import { useApp, useCell, useDevices, useNow } from '../hooks.js'
import { kindTitles } from '../plant.js'
import { isOld, severityOrder, statusLooks, statusOrder, worst } from '../status.js'
import { History } from '../ui/history.js'
import { Icon } from '../ui/icon.js'
import { Age, Card, DeviceLink, Empty, Mark, Meter, SeverityMark, Simulated, StatusMark, Value } from '../ui/parts.js'
import { Brief } from './columns.js'

const attentionMax = 8

export function Overview() {
  const { client, store, node } = useApp()
  const fleet = useCell(store.fleet)
  if (!fleet) return <Empty>Loading …</Empty>
  return (
    <>
      <h1 class="visually-hidden">Overview of {node.site}</h1>
      <Tiles totals={fleet.totals} />
      <History load={client.siteHistory} of="site" shown={['hashrate', 'power']} sync="site" />
      <div class="halves">
        <Attention />
        <Models />
      </div>
      <Plant />
    </>
  )
}

function Tile({ title, value, children }: { title: string; value: Quantity; children?: ComponentChildren }) {
  return (
    <section class="card tile">
      <h2>{title}</h2>
      <Value of={value} class="big" />
      <div class="tile-foot">{children}</div>
    </section>
  )
}

/** Hashrate is the business of miners: of all else none is expected. */
const behind = (reporting: number, { byKind, devices }: Totals) =>
  byKind.miner ? `from ${integer(reporting)} of ${plural(byKind.miner, 'miner')}` : `from ${plural(devices, 'device')}`

function Tiles({ totals }: { totals: Totals }) {
  const now = useNow()
  const expected = totals.expectedHashrateThs ?? totals.nominalHashrateThs
  const reached = share(totals.hashrateThs, expected)
  const errors = Object.values(totals.errors).reduce((sum, count) => sum + count, 0)
  return (
    <div class="tiles">
      <DevicesTile totals={totals} />
      <Tile title="Hashrate" value={hashrate(totals.hashrateThs)}>
        {reached === undefined ? (
          behind(totals.reporting.hashrateThs, totals)
        ) : (
          <>
            <Meter value={reached} label="Share of the expected hashrate" tone={reached < 85 ? 'warn' : 'ok'} />
            <span>
              <b>{percent(reached)}</b> of expected <Value of={hashrate(expected)} />
            </span>
          </>
        )}
      </Tile>
      <Tile title="Power" value={power(totals.powerW)}>
        {totals.sitePowerW === null ? (
          behind(totals.reporting.powerW, totals)
        ) : (
          <span>
            The site draws <Value of={power(totals.sitePowerW)} />
          </span>
        )}
      </Tile>
      <Tile title="Efficiency" value={efficiency(totals.efficiencyJTh)}>
        Energy per work
      </Tile>
      <Tile title="Hottest chip" value={temperature(totals.chipTempMaxC)}>
        Hottest board <Value of={temperature(totals.boardTempMaxC)} />
      </Tile>
      <Tile title="Errors" value={{ value: integer(errors), unit: '' }}>
        {errors === 0 ? (
          <span class="mark ok">
            <Icon name="check" />
            <span>None reported</span>
          </span>
        ) : (
          <span class="marks">
            {severityOrder
              .filter((severity) => totals.errors[severity])
              .map((severity: Severity) => (
                <SeverityMark key={severity} severity={severity} count={totals.errors[severity] ?? 0} />
              ))}
          </span>
        )}
      </Tile>
      <section class="card tile">
        <h2>Age of the data</h2>
        <span class="value big">
          <Age at={totals.newestAt} now={now} />
        </span>
        <div class="tile-foot">
          {totals.oldestAt === null ? (
            none
          ) : (
            <>
              Oldest live value{' '}
              <b>
                <Age at={totals.oldestAt} now={now} />
              </b>
            </>
          )}
        </div>
      </section>
    </div>
  )
}

function DevicesTile({ totals }: { totals: Totals }) {
  const degraded = (totals.byHealth.degraded ?? 0) + (totals.byHealth.critical ?? 0)
  const present = statusOrder.filter((status) => totals.byStatus[status])
  return (
    <section class="card tile fleet-tile">
      <h2>Devices</h2>
      <span class="value big">
        {integer(totals.live)}
        <span class="unit"> of {integer(totals.devices)} online</span>
      </span>
      <div class="counts">
        <a href="#/devices?health=degraded&health=critical" class={degraded > 0 ? 'mark warn' : 'mark quiet'}>
          <Icon name="triangle" />
          <b>{integer(degraded)}</b> degraded
        </a>
        <a href="#/devices?status=offline&status=stale&status=unknown" class="mark off">
          <Icon name="ring" />
          <b>{integer(totals.devices - totals.live)}</b> off
        </a>
      </div>
      <div
        class="breakdown"
        role="img"
        aria-label={present.map((status) => `${totals.byStatus[status]} ${statusLooks[status].label}`).join(', ')}
      >
        {present.map((status) => (
          <i
            key={status}
            class={`${statusLooks[status].tone} ${status}`}
            style={{ flexGrow: String(totals.byStatus[status]) }}
          />
        ))}
      </div>
      <div class="marks">
        {present.map((status) => (
          <a key={status} href={`#/devices?status=${status}`}>
            <Mark look={statusLooks[status]} count={totals.byStatus[status] ?? 0} />
          </a>
        ))}
      </div>
    </section>
  )
}

/** The devices with the worst errors, and those that do not answer. */
function Attention() {
  const { store } = useApp()
  const version = useDevices(store.devices, 2000)
  const loaded = useCell(store.loaded)
  const now = useNow()
  const listed = useMemo(() => {
    const rank = (record: DeviceRow) =>
      worst(record.errors) * 10 + (record.status === 'offline' || record.status === 'not-mining' ? 35 : 0)
    return [...store.devices.byId.values()]
      .map((record) => ({ record, rank: rank(record) }))
      .filter((each) => each.rank >= 30)
      .sort((a, b) => b.rank - a.rank || (a.record.id < b.record.id ? -1 : 1))
  }, [version, loaded])
  return (
    <Card
      title="Needs attention"
      extra={listed.length > attentionMax && <a href="#/devices?sort=-errors">All {integer(listed.length)}</a>}
    >
      {listed.length === 0 && <Empty>{loaded ? 'Nothing stands out.' : 'Loading …'}</Empty>}
      <ul class="rows">
        {listed.slice(0, attentionMax).map(({ record }) => {
          const error = [...record.errors].sort(
            (a, b) => severityOrder.indexOf(a.severity) - severityOrder.indexOf(b.severity),
          )[0]
          return (
            <li key={record.id}>
              <DeviceLink record={record} />
              {record.simulated && <Simulated short />}
              <span class="why">
                {error && !isOld(record.status)
                  ? error.message
                  : (record.statusReason ?? statusLooks[record.status].means)}
              </span>
              {error && !isOld(record.status) ? (
                <SeverityMark severity={error.severity} />
              ) : (
                <StatusMark status={record.status} />
              )}
              {isOld(record.status) && (
                <span class="quiet">
                  <Age at={record.at} now={now} />
                </span>
              )}
            </li>
          )
        })}
      </ul>
    </Card>
  )
}

/** What is no miner: containers, meters, sensors, pools. */
function Plant() {
  const { store } = useApp()
  const version = useDevices(store.devices, 2000)
  const loaded = useCell(store.loaded)
  const now = useNow()
  const listed = useMemo(
    () =>
      [...store.devices.byId.values()]
        .filter(({ kind }) => kind !== 'miner')
        .sort((a, b) => kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind) || (a.id < b.id ? -1 : 1)),
    [version, loaded],
  )
  if (listed.length === 0) return null
  return (
    <Card
      title="Containers, meters, sensors"
      extra={listed.length > plantMax && <a href={`#/devices?${plantQuery}`}>All {integer(listed.length)}</a>}
    >
      <ul class="rows plant">
        {listed.slice(0, plantMax).map((record) => (
          <li key={record.id}>
            <DeviceLink record={record} />
            {record.simulated && <Simulated short />}
            <span class="why quiet">
              {kindTitles[record.kind]} · {[record.make, record.model].filter(Boolean).join(' ')}
            </span>
            <span class={isOld(record.status) ? 'old num' : 'num'}>
              <Brief record={record} />
            </span>
            {record.metrics.powerW != null && <Value of={power(record.metrics.powerW)} />}
            <StatusMark status={record.status} />
            {isOld(record.status) && (
              <span class="quiet">
                <Age at={record.at} now={now} />
              </span>
            )}
          </li>
        ))}
      </ul>
    </Card>
  )
}

const plantMax = 12
const kindOrder = Object.keys(kindTitles) as Kind[]
const plantQuery = kindOrder
  .filter((kind) => kind !== 'miner')
  .map((kind) => `kind=${kind}`)
  .join('&')

interface ModelRow {
  model: string
  count: number
  live: number
  hashrateThs: number | null
  powerW: number | null
}

function Models() {
  const { store } = useApp()
  const version = useDevices(store.devices, 2000)
  const loaded = useCell(store.loaded)
  const rows = useMemo(() => byModel(store.devices.byId.values()), [version, loaded])
  const most = Math.max(1, ...rows.map(({ hashrateThs }) => hashrateThs ?? 0))
  return (
    <Card title="Miners by model">
      {rows.length === 0 ? (
        <Empty>{loaded ? 'No miners yet.' : 'Loading …'}</Empty>
      ) : (
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col" class="end">
                Online
              </th>
              <th scope="col" class="end">
                Hashrate
              </th>
              <th scope="col" class="end">
                Power
              </th>
              <th scope="col" class="bar-cell">
                <span class="visually-hidden">Share</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.model}>
                <td>
                  <a href={`#/devices?model=${encodeURIComponent(row.model)}`}>{row.model}</a>
                </td>
                <td class="end num">
                  {integer(row.live)}
                  <span class="quiet"> / {integer(row.count)}</span>
                </td>
                <td class="end">
                  <Value of={hashrate(row.hashrateThs)} />
                </td>
                <td class="end">
                  <Value of={power(row.powerW)} />
                </td>
                <td class="bar-cell">
                  <Meter value={((row.hashrateThs ?? 0) / most) * 100} label={`Hashrate of ${row.model}`} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  )
}

function byModel(records: Iterable<DeviceRow>): ModelRow[] {
  const rows = new Map<string, ModelRow>()
  for (const record of records) {
    if (record.kind !== 'miner') continue
    const model = modelOf(record)
    const row = rows.get(model) ?? { model, count: 0, live: 0, hashrateThs: null, powerW: null }
    rows.set(model, row)
    row.count++
    if (isOld(record.status)) continue
    row.live++
    row.hashrateThs = sum(row.hashrateThs, record.metrics.hashrateThs)
    row.powerW = sum(row.powerW, record.metrics.powerW)
  }
  return [...rows.values()].sort((a, b) => (b.hashrateThs ?? -1) - (a.hashrateThs ?? -1)).slice(0, 10)
}

const sum = (total: number | null, value: number | null | undefined) =>
  value === null || value === undefined ? total : (total ?? 0) + value
