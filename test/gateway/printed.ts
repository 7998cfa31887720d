import type { CliCommand } from '../../src/cli/command.js'
import type { Output } from '../../src/cli/output.js'
import { openSite as openClient } from '../../src/cli/site-client.js'
import type { Site } from './site.js'

interface Words {
  args?: readonly string[]
  options?: Record<string, unknown>
  json?: boolean
}

/** What a command prints against this site, over HTTP: tables as their titles and cells, other answers and notes as lines. */
export async function printedBy(
  { url, adminToken, storage }: Site,
  command: CliCommand,
  { args = [], options = {}, json = false }: Words = {},
) {
  const printed = { rows: [] as unknown[][], titles: [] as string[], lines: [] as string[], notes: [] as string[] }
  const out: Output = {
    json,
    terminal: false,
    width: 120,
    table(rows, columns) {
      printed.titles = columns.map(({ title }) => title)
      printed.rows = rows.map((row) => columns.map(({ get }) => get(row)))
    },
    value: (_, text) => void printed.lines.push(text),
    line: (text) => void printed.lines.push(text),
    note: (text) => void printed.notes.push(text),
  }
  const { signal } = new AbortController()
  const site = () => openClient({ url, token: adminToken, storage, signal })
  await command.run({ args, options, out, env: {}, signal, site })
  return printed
}
