import { useMemo, useState } from 'preact/hooks'
import type { Metric } from '#model'
import type { Series } from '#replication'
import type { HistoryRequest } from '../client.js'
import { hashrate, incomplete, power, temperature, text } from '../format.js'
import { useLoad } from '../hooks.js'
import { Chart, type Line } from './chart.js'
import { Card, Empty, Problem } from './parts.js'

const ranges = {
  '1h': { from: '-1h', step: '1m', everyMs: 20_000 },
  '24h': { from: '-24h', step: '5m', everyMs: 60_000 },
  '7d': { from: '-7d', step: '1h', everyMs: 300_000 },
  '30d': { from: '-30d', step: '1h', everyMs: 600_000 },
} as const
type Range = keyof typeof ranges

/** What is drawn over time, one chart each. */
const plots: {
  key: string
  title: string
  format: (value: number) => string
  lines: { metric: Metric; label: string; color: string; dashed?: boolean; filled?: boolean }[]
}[] = [
  {
    key: 'hashrate',
    title: 'Hashrate',
    format: (value) => text(hashrate(value)),
    lines: [
      { metric: 'hashrateThs', label: 'Hashrate', color: '--chart-1', filled: true },
      { metric: 'expectedHashrateThs', label: 'Expected', color: '--text-3', dashed: true },
    ],
  },
  {
    key: 'power',
    title: 'Power',
    format: (value) => text(power(value)),
    lines: [{ metric: 'powerW', label: 'Power', color: '--chart-2', filled: true }],
  },
  {
    key: 'temperature',
    title: 'Temperature',
    format: (value) => text(temperature(value)),
    lines: [
      { metric: 'chipTempMaxC', label: 'Hottest chip', color: '--chart-3' },
      { metric: 'boardTempMaxC', label: 'Hottest board', color: '--chart-4' },
      { metric: 'inletTempC', label: 'Inlet', color: '--chart-5' },
      { metric: 'outletTempC', label: 'Outlet', color: '--chart-6' },
    ],
  },
  {
    key: 'coolant',
    title: 'Coolant',
    format: (value) => text(temperature(value)),
    lines: [
      { metric: 'supplyTempC', label: 'To the miners', color: '--chart-5' },
      { metric: 'returnTempC', label: 'From the miners', color: '--chart-3' },
      { metric: 'setpointTempC', label: 'Set', color: '--text-3', dashed: true },
    ],
  },
  {
    key: 'climate',
    title: 'Air',
    format: (value) => String(Math.round(value * 10) / 10),
    lines: [
      { metric: 'ambientTempC', label: 'Temperature, °C', color: '--chart-3' },
      { metric: 'outdoorTempC', label: 'Outdoor, °C', color: '--chart-5' },
      { metric: 'humidityPct', label: 'Humidity, %', color: '--chart-6' },
    ],
  },
  {
    key: 'voltage',
    title: 'Voltage',
    format: (value) => `${value.toFixed(1)} V`,
    lines: [
      { metric: 'voltageL1V', label: 'L1', color: '--chart-3' },
      { metric: 'voltageL2V', label: 'L2', color: '--chart-4' },
      { metric: 'voltageL3V', label: 'L3', color: '--chart-5' },
    ],
  },
  {
    key: 'current',
    title: 'Current',
    format: (value) => `${value.toFixed(1)} A`,
    lines: [
      { metric: 'currentL1A', label: 'L1', color: '--chart-3' },
      { metric: 'currentL2A', label: 'L2', color: '--chart-4' },
      { metric: 'currentL3A', label: 'L3', color: '--chart-5' },
    ],
  },
  {
    key: 'readings',
    title: 'Temperature',
    format: (value) => text(temperature(value)),
    lines: [
      { metric: 'temperatureC', label: 'Hottest', color: '--text-3', dashed: true },
      { metric: 'temperature1C', label: 'Channel 1', color: '--chart-3' },
      { metric: 'temperature2C', label: 'Channel 2', color: '--chart-4' },
      { metric: 'temperature3C', label: 'Channel 3', color: '--chart-5' },
      { metric: 'temperature4C', label: 'Channel 4', color: '--chart-6' },
    ],
  },
  {
    key: 'balance',
    title: 'Balance',
    format: (value) => `${value.toFixed(6)} BTC`,
    lines: [{ metric: 'balanceBtc', label: 'Balance', color: '--chart-2', filled: true }],
  },
]

/** Those of the charts for which the device reports at least one line; all of them while it reports nothing. */
export function reported(shown: readonly string[], metrics: Partial<Record<Metric, unknown>>): readonly string[] {
  const some = shown.filter((key) =>
    plots.some((plot) => plot.key === key && plot.lines.some(({ metric }) => metrics[metric] != null)),
  )
  return some.length > 0 ? some : shown
}

/** Charts over a range the reader chooses. Without a choice it is 24 h, or 1 h while there is little history. */
export function History({
  load,
  of,
  shown,
  sync,
}: {
  load: (request: HistoryRequest) => Promise<Series | null>
  of: string
  shown: readonly string[]
  sync: string
}) {
  const [chosen, choose] = useState<Range | null>(null)
  const wanted = plots.filter(({ key }) => shown.includes(key))
  const metrics = wanted.flatMap(({ lines }) => lines.map(({ metric }) => metric))
  const ask = async () => {
    const series = await load({ metrics, ...ranges[chosen ?? '24h'] })
    const young = chosen === null && filled(series) < 12
    return young
      ? { range: '1h' as Range, series: await load({ metrics, ...ranges['1h'] }) }
      : { range: chosen ?? '24h', series }
  }
  const { data, error, reload } = useLoad(ask, [of, chosen], ranges[chosen ?? '1h'].everyMs)
  const series = data?.series ?? null
  const range = chosen ?? data?.range ?? '24h'
  return (
    <Card
      title="History"
      class="history"
      extra={
        <div class="segments" role="group" aria-label="Range">
          {(Object.keys(ranges) as Range[]).map((each) => (
            <button type="button" key={each} aria-pressed={each === range} onClick={() => choose(each)}>
              {each}
            </button>
          ))}
        </div>
      }
    >
      {error && <Problem error={error} retry={reload} />}
      {series?.missing && <p class="hint">{incomplete(series.missing)}</p>}
      <div class={`charts n${wanted.length}`}>
        {wanted.map((plot) => (
          <figure key={plot.key}>
            <figcaption>{plot.title}</figcaption>
            <Plot
              series={series}
              plot={plot}
              sync={sync}
              label={`${plot.title} over the last ${range}`}
              failed={error !== null}
            />
          </figure>
        ))}
      </div>
    </Card>
  )
}

function Plot({
  series,
  plot,
  sync,
  label,
  failed,
}: {
  series: Series | null
  plot: (typeof plots)[number]
  sync: string
  label: string
  failed: boolean
}) {
  const drawn = useMemo(() => {
    const cut = series && trimmed(series)
    return cut && { at: cut.at, lines: linesOf(cut, plot.lines) }
  }, [series, plot])
  if (drawn && drawn.at.length > 1 && drawn.lines.length > 0)
    return <Chart {...drawn} format={plot.format} sync={sync} label={label} height={200} />
  return <div class="chart-empty">{(series || !failed) && <Empty>{emptyText(series)}</Empty>}</div>
}

function emptyText(series: Series | null): string {
  if (!series) return 'Loading …'
  if (filled(series) > 1) return 'Not reported.'
  return series.missing ? 'Cannot be read now.' : 'Nothing in this range yet. New history appears within minutes.'
}

const reports = (series: Series, index: number) =>
  Object.values(series.series).some((values) => values?.[index] !== null && values?.[index] !== undefined)

/** How many points have a value. */
function filled(series: Series | null): number {
  return series ? series.at.filter((_at, index) => reports(series, index)).length : 0
}

/** Without the empty time before the first value: a young site fills its chart. */
function trimmed(series: Series): Series {
  const first = series.at.findIndex((_at, index) => reports(series, index))
  if (first <= 0) return series
  const columns = Object.entries(series.series).map(([metric, values]) => [metric, values?.slice(first)])
  return { ...series, at: series.at.slice(first), series: Object.fromEntries(columns) }
}

/** The lines that have a value at all. */
function linesOf(series: Series, lines: readonly (Omit<Line, 'values'> & { metric: Metric })[]): Line[] {
  return lines.flatMap(({ metric, ...line }) => {
    const values = series.series[metric]
    return values?.some((value) => value !== null) ? [{ ...line, values }] : []
  })
}
