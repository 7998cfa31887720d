import type { Metric } from '#model'
import type { Missing, Series } from '#replication'
import { type CliCommand, text } from '../command.js'

export const history: CliCommand = {
  usage: '<id>',
  summary: 'the history of one device',
  options: [
    ['--metrics <list>', 'which metrics (default hashrateThs,powerW,boardTempMaxC)'],
    ['--from <time>', 'ISO time, ms, or relative like -24h (default -24h)'],
    ['--to <time>', 'default: now'],
    ['--step <step>', 'raw, 1m, 5m, 1h or 1d (default: by span)'],
  ],
  async run({ args, options, out, site }) {
    const metrics = text(options, 'metrics') ?? 'hashrateThs,powerW,boardTempMaxC'
    const series = await (await site()).get<Series>(`/api/v1/devices/${encodeURIComponent(args[0]!)}/history`, {
      metrics,
      from: text(options, 'from'),
      to: text(options, 'to'),
      step: text(options, 'step'),
    })
    if (series.missing) out.note(missingText(series.missing))
    if (out.json) {
      out.line(JSON.stringify(series))
      return
    }
    const names = Object.keys(series.series) as Metric[]
    out.table(
      series.at.map((_, index) => index),
      [
        { title: 'time', get: (index) => new Date(series.at[index]!).toISOString() },
        ...names.map((name) => ({
          title: name,
          get: (index: number) => series.series[name]?.[index] ?? null,
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
