import { metrics as metricTable } from 'virtual:vocabulary'
import type { ComponentChildren } from 'preact'
import type { DeviceRow } from '../client.js'
import { modelOf } from '../filter.js'
import {
  duration,
  efficiency,
  hashrate,
  integer,
  none,
  percent,
  power,
  quantity,
  share,
  temperature,
} from '../format.js'
import { briefOf } from '../plant.js'
import { severityOrder, worst } from '../status.js'
import { Age, DeviceLink, SeverityMark, Simulated, StatusMark, Value } from '../ui/parts.js'

export interface Column {
  key: string
  title: string
  /** CSS grid track. */
  width: string
  numeric?: true
  /** Not shown until chosen. */
  hidden?: true
  /** A measured value: dimmed where it is old. */
  measured?: true
  /** Only miners have it: of all else the values that matter stand in the place of the first of these, over their whole width. */
  ofMiners?: true
  cell(record: DeviceRow, now: number): ComponentChildren
}

const reached = ({ metrics }: DeviceRow) =>
  share(metrics.hashrateThs, metrics.expectedHashrateThs ?? metrics.nominalHashrateThs)

const hot = (celsius: number | null | undefined, warnAt: number) =>
  celsius !== null && celsius !== undefined && celsius >= warnAt ? 'hot' : ''
/** From here a chip runs hotter than most makers allow for long. */
const hotChipC = 95
const hotBoardC = 85

function Errors({ record }: { record: DeviceRow }) {
  if (record.errors.length === 0) return <span class="quiet">{none}</span>
  const most = severityOrder[5 - worst(record.errors)]!
  return (
    <span class="marks" title={record.errors.map(({ message }) => message).join('\n')}>
      <SeverityMark severity={most} count={record.errors.length} />
    </span>
  )
}

const measured = { numeric: true, measured: true } as const
const ofMiners = { ...measured, ofMiners: true } as const

export const columns: readonly Column[] = [
  {
    key: 'status',
    title: 'Status',
    width: '118px',
    cell: (record) => <StatusMark status={record.status} reason={record.statusReason} />,
  },
  {
    key: 'name',
    title: 'Device',
    width: 'minmax(190px, 1.6fr)',
    cell: (record) => (
      <>
        <DeviceLink record={record} />
        {record.simulated && <Simulated short />}
      </>
    ),
  },
  {
    key: 'model',
    title: 'Model',
    width: 'minmax(96px, .7fr)',
    cell: (record) => (
      <span title={[record.make, record.model, record.variant].filter(Boolean).join(' ')}>{modelOf(record)}</span>
    ),
  },
  {
    key: 'hashrate',
    title: 'Hashrate',
    width: '100px',
    ...ofMiners,
    cell: (record) => <Value of={hashrate(record.metrics.hashrateThs)} />,
  },
  {
    key: 'performance',
    title: 'Of expected',
    width: '104px',
    ...ofMiners,
    cell: (record) => {
      const value = reached(record)
      return (
        <span class={value !== undefined && value < 85 && record.status === 'mining' ? 'low' : ''}>
          {percent(value)}
        </span>
      )
    },
  },
  {
    key: 'power',
    title: 'Power',
    width: '92px',
    ...measured,
    cell: (record) => <Value of={power(record.metrics.powerW)} />,
  },
  {
    key: 'efficiency',
    title: 'Efficiency',
    width: '100px',
    ...ofMiners,
    cell: (record) => <Value of={efficiency(record.metrics.efficiencyJTh)} />,
  },
  {
    key: 'chipTemp',
    title: 'Chip',
    width: '86px',
    ...ofMiners,
    cell: (record) => (
      <Value of={temperature(record.metrics.chipTempMaxC)} class={hot(record.metrics.chipTempMaxC, hotChipC)} />
    ),
  },
  {
    key: 'boardTemp',
    title: 'Board',
    width: '86px',
    ...ofMiners,
    hidden: true,
    cell: (record) => (
      <Value of={temperature(record.metrics.boardTempMaxC)} class={hot(record.metrics.boardTempMaxC, hotBoardC)} />
    ),
  },
  {
    key: 'fan',
    title: 'Fan',
    width: '92px',
    ...ofMiners,
    hidden: true,
    cell: (record) => (
      <Value of={{ value: integer(record.metrics.fanMaxRpm), unit: record.metrics.fanMaxRpm == null ? '' : 'RPM' }} />
    ),
  },
  {
    key: 'uptime',
    title: 'Uptime',
    width: '104px',
    ...ofMiners,
    cell: (record) => <span>{record.metrics.uptimeS == null ? none : duration(record.metrics.uptimeS * 1000)}</span>,
  },
  {
    key: 'reject',
    title: 'Rejected',
    width: '90px',
    ...ofMiners,
    hidden: true,
    cell: (record) => <span>{percent(record.metrics.poolRejectPct)}</span>,
  },
  { key: 'errors', title: 'Errors', width: '134px', cell: (record) => <Errors record={record} /> },
  {
    key: 'address',
    title: 'Address',
    width: 'minmax(128px, .8fr)',
    hidden: true,
    cell: (record) => <span class="num">{record.address}</span>,
  },
  { key: 'worker', title: 'Worker', width: 'minmax(96px, .7fr)', hidden: true, cell: (record) => record.worker },
  {
    key: 'firmware',
    title: 'Firmware',
    width: 'minmax(120px, .8fr)',
    hidden: true,
    cell: (record) => <span title={record.firmware.version ?? ''}>{record.firmware.version ?? none}</span>,
  },
  {
    key: 'location',
    title: 'Location',
    width: 'minmax(96px, .6fr)',
    hidden: true,
    cell: ({ location: { container, rack, slot } }) =>
      [container, rack, slot].filter((part) => part !== undefined).join(' / ') || none,
  },
  {
    key: 'tags',
    title: 'Tags',
    width: 'minmax(90px, .6fr)',
    hidden: true,
    cell: (record) =>
      record.tags.length
        ? record.tags.map((tag) => (
            <span class="tag" key={tag}>
              {tag}
            </span>
          ))
        : none,
  },
  {
    key: 'at',
    title: 'Measured',
    width: '104px',
    numeric: true,
    cell: (record, now) => <Age at={record.at} now={now} />,
  },
]

/** What matters of a device that is no miner, in a line. */
export function Brief({ record }: { record: DeviceRow }) {
  return (
    <span class="brief">
      {briefOf(record).map((metric) => (
        <span key={metric} title={metricTable[metric].title}>
          <Value of={quantity(record.metrics[metric], metricTable[metric].unit)} />
        </span>
      ))}
    </span>
  )
}

/** The cells of a row: a column each, or of what is no miner one over each run of columns that only miners have. */
export function cellsOf(
  record: DeviceRow,
  shown: readonly Column[],
): { column: Column; span: number; brief: boolean }[] {
  if (record.kind === 'miner') return shown.map((column) => ({ column, span: 1, brief: false }))
  const cells: { column: Column; span: number; brief: boolean }[] = []
  for (const column of shown) {
    const last = cells.at(-1)
    if (column.ofMiners && last?.column.ofMiners) last.span++
    else cells.push({ column, span: 1, brief: column.ofMiners === true && !cells.some(({ brief }) => brief) })
  }
  return cells
}
