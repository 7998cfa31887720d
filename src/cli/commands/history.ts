import type { Missing } from '#replication'
import { type CliCommand, text } from '../command.js'

interface History {
  readonly at: readonly number[]
  readonly series: Readonly<Record<string, readonly (number | null)[]>>
  readonly digests?: Readonly<Record<string, Readonly<Record<string, readonly (number | null)[]>>>>
  readonly missing?: readonly Missing[]
}

export const history: CliCommand = {
  usage: '<id>',
  summary: 'the history of one device',
  options: [
    ['--metrics <list>', 'which metrics (default hashrateThs,powerW,boardTempMaxC)'],
    ['--from <time>', 'ISO time, ms, or relative like -24h (default -24h)'],
    ['--to <time>', 'default: now'],
    ['--step <step>', 'raw, 1m, 5m, 1h or 1d (default: by span)'],
    ['--digest <list>', 'also min, max, mean, last, count of the samples of each interval; not with raw'],
  ],
  async run({ args, options, out, site }) {
    const metrics = text(options, 'metrics') ?? 'hashrateThs,powerW,boardTempMaxC'
    const series = await (await site()).get<History>(`/api/v1/devices/${encodeURIComponent(args[0]!)}/history`, {
      metrics,
      from: text(options, 'from'),
      to: text(options, 'to'),
      step: text(options, 'step'),
      digest: text(options, 'digest'),
    })
    if (series.missing) out.note(missingText(series.missing))
    if (out.json) {
      out.line(JSON.stringify(series))
      return
    }
    const columns = Object.entries(series.series).flatMap(([metric, values]) => [
      { title: metric, values },
      ...Object.entries(series.digests?.[metric] ?? {}).map(([name, values]) => ({
        title: `${metric} ${name}`,
        values,
      })),
    ])
    out.table(
      series.at.map((_, index) => index),
      [
        { title: 'time', get: (index) => new Date(series.at[index]!).toISOString() },
        ...columns.map(({ title, values }) => ({
          title,
          get: (index: number) => values[index],
          align: 'right' as const,
        })),
      ],
    )
  },
}

const reasons: Record<Missing['reason'], string> = {
  absent: 'neither here nor with anybody who can be reached now',
  damaged: 'damaged',
}

/** So many stretches are named. */
const named = 3

/** One line: what could not be read, of whose feed, and why. */
function missingText(missing: readonly Missing[]): string {
  const time = (at: number) => new Date(at).toISOString()
  const stretches = missing
    .slice(0, named)
    .map(({ from, to, worker, reason }) => `${time(from)} to ${time(to)} of ${worker}, ${reasons[reason]}`)
  const more = missing.length > named ? `; and ${missing.length - named} more` : ''
  return `Not all could be read, and what is missing is a gap: ${stretches.join('; ')}${more}`
}
