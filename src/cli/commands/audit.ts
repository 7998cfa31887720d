import { type CliCommand, list, text } from '../command.js'
import type { Column } from '../output.js'

interface Row {
  readonly source: 'gateway' | 'record'
  readonly at: number
  readonly by: string
  readonly name?: string | null
  readonly action: string
  readonly targets: readonly string[]
  readonly targetCount: number
  readonly status?: number
  readonly code?: string
  readonly result?: string
}

/** So many targets are named. */
const named = 3

const columns: readonly Column<Row>[] = [
  { title: 'time', get: ({ at }) => new Date(at).toISOString() },
  { title: 'by', get: ({ by, name }) => (name ? `${name} (${by})` : by) },
  { title: 'did', get: ({ action }) => action },
  {
    title: 'to',
    get: ({ targets, targetCount }) => {
      const shown = targets.slice(0, named)
      return [...shown, ...(targetCount > shown.length ? [`${targetCount - shown.length} more`] : [])].join(', ')
    },
  },
  { title: 'came to', get: ({ code, result, status }) => code ?? result ?? status },
]

export const audit: CliCommand = {
  usage: '',
  summary: 'who did what by the gateway, and who changed what in the fleet; newest first; for admins',
  options: [
    ['--from <time>', 'ISO time, ms, or relative like -24h (default: however old)'],
    ['--to <time>', 'default: now'],
    ['--by <who>', 'of one: token:<id>, session:<id>, member:<key> or nobody'],
    ['--source <name...>', 'gateway (what was asked of it), record (what all of the fleet know); default: both'],
    ['--limit <n>', 'so many at most, up to 1000 (default 100)'],
  ],
  async run({ options, out, site }) {
    const source = list(options, 'source').join(',')
    const { data } = await (await site()).get<{ data: Row[] }>('/api/v1/audit', {
      ...Object.fromEntries(['from', 'to', 'by', 'limit'].map((key) => [key, text(options, key)])),
      source: source === '' ? undefined : source,
    })
    if (data.length === 0 && !out.json) out.note('Nothing that was asked for has been done.')
    else out.table(data, columns)
    return undefined
  },
}
