import type { ComponentChildren } from 'preact'
import type { DeviceRecord } from '#model'
import { hashrate, none, percent, plural, power, quantity, temperature } from '../format.js'
import { socketsOf } from '../plant.js'
import type { Look } from '../status.js'
import { Ago, Card, Mark, Time, Value } from '../ui/parts.js'
import { Facts } from './device-facts.js'

const on: Look = { label: 'On', tone: 'ok', shape: 'disc', means: 'Works' }
const off: Look = { label: 'Off', tone: 'off', shape: 'ring', means: 'Switched off' }
const silent: Look = { label: 'No answer', tone: 'off', shape: 'ring', means: 'Not there, or it does not answer' }
const failed: Look = { label: 'Failed', tone: 'bad', shape: 'octagon', means: 'Reports a fault' }

function Running({ running, fault }: { running?: boolean | null | undefined; fault?: boolean | null | undefined }) {
  if (fault) return <Mark look={failed} />
  return running == null ? <span>{none}</span> : <Mark look={running ? on : off} />
}

/** All parts that only plant has; each as far as the device reports it. */
export function PlantParts({ record }: { record: DeviceRecord }) {
  return (
    <>
      {record.readings && record.readings.length > 0 && <Readings record={record} />}
      {record.pdus && record.pdus.length > 0 && <Sockets record={record} />}
      {record.cooling && <Cooling record={record} />}
      {record.ups && <Ups record={record} />}
      {record.workers && record.workers.length > 0 && <Workers record={record} />}
      {record.payments && record.payments.length > 0 && <Payments record={record} />}
    </>
  )
}

function Readings({ record }: { record: DeviceRecord }) {
  const readings = record.readings ?? []
  return (
    <Card title={`Readings (${readings.length})`}>
      <ul class="rows">
        {readings.map(({ id, name, quantity: what, value, unit, fault }) => (
          <li key={id}>
            <b>{name ?? `Channel ${id}`}</b>
            <span class="quiet">{what}</span>
            <span class="why">{fault}</span>
            {fault ? <Mark look={failed} /> : <Value of={quantity(value, unit)} />}
          </li>
        ))}
      </ul>
    </Card>
  )
}

function Sockets({ record }: { record: DeviceRecord }) {
  const pdus = record.pdus ?? []
  const { all, on: working } = socketsOf(record)
  return (
    <Card title={`Sockets (${working} of ${all} on)`}>
      <ul class="rows pdus">
        {pdus.map((pdu) => (
          <li key={pdu.id}>
            <b class="num">PDU {pdu.id}</b>
            <span class="sockets" role="img" aria-label={socketsLabel(pdu)}>
              {pdu.sockets.map((socket) => (
                <i
                  key={socket.id}
                  class={socket.enabled == null ? 'unknown' : socket.enabled ? 'on' : 'off'}
                  title={socketTitle(socket)}
                />
              ))}
            </span>
            {pdu.online === false ? <Mark look={silent} /> : <Value of={power(pdu.powerW)} />}
          </li>
        ))}
      </ul>
    </Card>
  )
}

type Pdu = NonNullable<DeviceRecord['pdus']>[number]

const socketsLabel = ({ id, sockets }: Pdu) =>
  `PDU ${id}: ${sockets.filter(({ enabled }) => enabled).length} of ${plural(sockets.length, 'socket')} on`

function socketTitle({ id, enabled, powerW, currentA }: Pdu['sockets'][number]): string {
  const state = enabled == null ? 'unknown' : enabled ? 'on' : 'off'
  const values = [powerW == null ? '' : `${Math.round(powerW)} W`, currentA == null ? '' : `${currentA} A`]
  return [`Socket ${id}: ${state}`, ...values.filter(Boolean)].join(', ')
}

function Cooling({ record }: { record: DeviceRecord }) {
  const { on: works, mode, pumps = [], fans = [], dryCoolers = [], tanks = [], exhaustFan, limits } = record.cooling!
  const set = record.metrics.setpointTempC
  const rows: [string, ComponentChildren][] = [
    ['Cooling', works == null ? null : <Running running={works} />],
    ['Mode', mode],
    ['Set to', set == null ? null : <Value of={temperature(set)} />],
    ['Exhaust fan', exhaustFan == null ? null : <Running running={exhaustFan} />],
    ...pumps.map((pump): [string, ComponentChildren] => [
      `${pump.type} pump ${pump.id}`,
      <Moving key={pump.id} part={pump} />,
    ]),
    ...fans.map((fan): [string, ComponentChildren] => [`Fan ${fan.id}`, <Moving key={fan.id} part={fan} />]),
    ...dryCoolers.map((cooler): [string, ComponentChildren] => [
      `Dry cooler ${cooler.id}`,
      <>
        <Running running={cooler.running} fault={cooler.fault} />
        {cooler.fans && ` ${cooler.fans.filter(({ running }) => running).length} of ${cooler.fans.length} fans`}
      </>,
    ]),
    ...tanks.map((tank): [string, ComponentChildren] => [
      `Tank ${tank.id}`,
      tank.enabled === false ? (
        'not used'
      ) : (
        <>
          <Value of={temperature(tank.coldC)} /> to <Value of={temperature(tank.hotC)} />
          {tank.levelPct != null && ` · ${percent(tank.levelPct)} full`}
        </>
      ),
    ]),
    ...Object.entries(limits ?? {}).map(([name, value]): [string, ComponentChildren] => [
      limitTitles[name] ?? name,
      value == null ? null : `${value} ${name.endsWith('Pct') ? '%' : name.endsWith('Kpa') ? 'kPa' : '°C'}`,
    ]),
  ]
  return (
    <Card title="Cooling">
      <Facts rows={rows} />
    </Card>
  )
}

const limitTitles: Readonly<Record<string, string>> = {
  coolOilSetC: 'Cold oil, set to',
  coolOilAlarmC: 'Cold oil, alarm from',
  hotOilAlarmC: 'Hot oil, alarm from',
  coolWaterAlarmC: 'Cold water, alarm from',
  hotWaterAlarmC: 'Hot water, alarm from',
  exhaustFanStartC: 'Exhaust fan, from',
  pressureAlarmKpa: 'Pressure, alarm from',
  fanSpeedPct: 'Fan speed',
  fanStartC: 'Fans, from',
  fanStopC: 'Fans, until',
}

interface Moves {
  running?: boolean | null
  fault?: boolean | null
  speedPct?: number | null
}

function Moving({ part: { running, fault, speedPct } }: { part: Moves }) {
  return (
    <>
      <Running running={running} fault={fault} />
      {speedPct != null && ` ${percent(speedPct)}`}
    </>
  )
}

function Ups({ record }: { record: DeviceRecord }) {
  const { batteryPct, inputV, outputV, tempC } = record.ups!
  return (
    <Card title="Uninterruptible supply">
      <Facts
        rows={[
          ['Battery', batteryPct == null ? null : percent(batteryPct)],
          ['Input', inputV == null ? null : <Value of={quantity(inputV, 'V')} />],
          ['Output', outputV == null ? null : <Value of={quantity(outputV, 'V')} />],
          ['Temperature', tempC == null ? null : <Value of={temperature(tempC)} />],
        ]}
      />
    </Card>
  )
}

/** More are not listed one by one. */
const mostListed = 50

function Workers({ record }: { record: DeviceRecord }) {
  const workers = record.workers ?? []
  return (
    <Card title={`Workers, as the pool sees them (${workers.length})`}>
      <ul class="rows">
        {workers.slice(0, mostListed).map((worker) => (
          <li key={worker.name}>
            <b class="wrap">{worker.name}</b>
            <span class="why quiet">
              {worker.lastShareAt != null && (
                <>
                  last share <Ago at={worker.lastShareAt} /> ago
                </>
              )}
            </span>
            <Value of={hashrate(worker.hashrateThs)} />
            <Running running={worker.online} />
          </li>
        ))}
      </ul>
      {workers.length > mostListed && <p class="quiet">and {workers.length - mostListed} more</p>}
    </Card>
  )
}

function Payments({ record }: { record: DeviceRecord }) {
  return (
    <Card title="Payments">
      <ul class="rows">
        {(record.payments ?? []).slice(0, mostListed).map((payment) => (
          <li key={`${payment.at}${payment.type}${payment.id}`}>
            <span class="num">
              <Time at={payment.at} />
            </span>
            <span class="why">{payment.type}</span>
            <span class="num">{payment.amountBtc.toFixed(8)} BTC</span>
          </li>
        ))}
      </ul>
    </Card>
  )
}
