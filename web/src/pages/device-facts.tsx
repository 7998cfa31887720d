import { errors as errorTable, metrics as metricTable } from 'virtual:vocabulary'
import type { ComponentChildren } from 'preact'
import type { DeviceRecord, Metric } from '#model'
import { hashrate, percent, power, quantity } from '../format.js'
import { Card, Empty, Value } from '../ui/parts.js'

/** Names and values; what is not reported is left out. */
export function Facts({ rows }: { rows: readonly (readonly [string, ComponentChildren])[] }) {
  const given = rows.filter(([, value]) => value !== null && value !== undefined && value !== '')
  if (given.length === 0) return <Empty>Not reported.</Empty>
  return (
    <dl class="pairs">
      {given.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

export function Identity({ record }: { record: DeviceRecord }) {
  const { firmware, psu, location } = record
  return (
    <Card title="Device">
      <Facts
        rows={
          [
            ['Id', <code key="id">{record.id}</code>],
            ['Firmware', [firmware.family, firmware.version].filter(Boolean).join(' ')],
            ['API', firmware.api],
            ['Serial', record.serial],
            ['MAC', record.mac],
            ['Host name', record.hostname],
            ['Control board', record.controlBoard],
            ['Power supply', psu && [psu.model, psu.version, psu.serial].filter(Boolean).join(' · ')],
            [
              'Location',
              [location.container, location.rack, location.slot].filter((part) => part !== undefined).join(' / '),
            ],
            [
              'Tags',
              record.tags.length > 0 &&
                record.tags.map((tag) => (
                  <span class="tag" key={tag}>
                    {tag}
                  </span>
                )),
            ],
            ['Worker', record.worker],
            ['Answered in', record.latencyMs != null && `${Math.round(record.latencyMs)} ms`],
          ].filter(([, value]) => value !== false) as [string, ComponentChildren][]
        }
      />
    </Card>
  )
}

const yes = (value: boolean | null | undefined) => (value === true ? 'yes' : value === false ? 'no' : null)

export function Settings({ record }: { record: DeviceRecord }) {
  const { tuning, network } = record
  return (
    <Card title="Tuning and network">
      <Facts
        rows={[
          ['Power mode', tuning?.mode],
          ['Target power', tuning?.targetW != null ? <Value of={power(tuning.targetW)} /> : null],
          ['Target hashrate', tuning?.targetThs != null ? <Value of={hashrate(tuning.targetThs)} /> : null],
          ['Power', tuning?.percent != null ? percent(tuning.percent) : null],
          [
            'Frequency',
            tuning?.frequencyPct != null ? `${tuning.frequencyPct > 0 ? '+' : ''}${tuning.frequencyPct} %` : null,
          ],
          ['Preset', tuning?.preset],
          ['Tuned', yes(tuning?.tuned)],
          ['LED', record.led],
          ['DHCP', yes(network?.dhcp)],
          ['IP address', network?.ip],
          ['Netmask', network?.netmask],
          ['Gateway', network?.gateway],
          ['DNS', network?.dns?.join(', ')],
        ]}
      />
    </Card>
  )
}

export function AllMetrics({ record }: { record: DeviceRecord }) {
  const given = (Object.keys(metricTable) as Metric[]).filter(
    (name) => record.metrics[name] !== undefined && record.metrics[name] !== null,
  )
  return (
    <Card>
      <details>
        <summary>All {given.length} values that it reports</summary>
        <dl class="pairs wide">
          {given.map((name) => (
            <div key={name}>
              <dt title={name}>{metricTable[name].title}</dt>
              <dd>
                <Value of={quantity(record.metrics[name], metricTable[name].unit)} />
              </dd>
            </div>
          ))}
        </dl>
      </details>
    </Card>
  )
}

export function MissingFields({ record }: { record: DeviceRecord }) {
  return (
    <Card title="Could not be read this time">
      <ul class="rows">
        {Object.entries(record.missing).map(([field, { code, message }]) => (
          <li key={field}>
            <span>{metricTable[field as Metric]?.title ?? field}</span>
            <span class="why">{message}</span>
            <span class="quiet" title={errorTable[code]?.action}>
              {errorTable[code]?.title ?? code}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  )
}
