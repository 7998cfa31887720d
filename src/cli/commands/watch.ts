import { SdkError } from '#model'
import type { Totals } from '#replication'
import { type CliCommand, text } from '../command.js'
import { exit } from '../failure.js'
import { aligned, deviceColumns } from '../output.js'
import { allDevices, filterKeys, filterOptions } from './devices.js'
import { pause } from './pause.js'
import { totalsLines } from './status.js'

const clear = '\u001b[H\u001b[J'

export const watch: CliCommand = {
  usage: '',
  summary: 'a live table of the devices; Ctrl-C ends it',
  options: [
    ...filterOptions,
    ['--sort <field>', 'sort by a field or metric'],
    ['--every <seconds>', 'how often (default 2)'],
    ['--count <n>', 'end after so many tables'],
  ],
  async run({ options, out, site, signal }) {
    const client = await site()
    const seconds = Number(options.every ?? 2)
    if (!(seconds >= 0.5 && seconds <= 3600)) throw new SdkError('BAD_REQUEST', '--every takes 0.5 to 3600 seconds')
    const query = Object.fromEntries([...filterKeys, 'sort'].map((key) => [key, text(options, key)]))
    const rows = out.terminal ? (process.stdout.rows ?? 40) - 10 : Number.POSITIVE_INFINITY
    for (let left = Number(options.count ?? Number.POSITIVE_INFINITY); left > 0; left--) {
      const [fleet, devices] = await Promise.all([
        client.get<{ site: string; simulated: boolean; totals: Totals }>('/api/v1/fleet'),
        allDevices(client, query),
      ])
      if (out.json) out.line(JSON.stringify({ at: Date.now(), fleet, devices }))
      else {
        const shown = devices.slice(0, rows)
        const more =
          devices.length > shown.length
            ? [`... and ${devices.length - shown.length} more (use filters, or --json)`]
            : []
        out.line(
          [
            out.terminal ? clear : '',
            ...totalsLines(fleet, client.url),
            '',
            ...aligned(shown, deviceColumns, out.width),
            ...more,
          ].join('\n'),
        )
      }
      if (left > 1 && !(await waited(seconds * 1000, signal))) return exit.ok
    }
    return exit.ok
  },
}

/** False if the person ended it: that is how a live table ends. */
async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await pause(ms, signal)
    return true
  } catch {
    return false
  }
}
