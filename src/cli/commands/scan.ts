import { SdkError } from '#model'
import type { Scan } from '#rpc'
import { type Call, type CliCommand, text } from '../command.js'
import { exit } from '../failure.js'
import { progressBar } from '../progress.js'
import { pause } from './pause.js'

const followMs = 300

export const scan: CliCommand = {
  usage: '<range...>',
  summary: 'find devices: CIDR (10.0.0.0/22), ranges (10.0.0.10-60), addresses',
  options: [
    ['--add', 'add what was found to the workers that accept it (needs a running site)'],
    ['--port <name=n...>', 'unusual ports by protocol name, e.g. http=8080 rpc=4029'],
    ['--timeout <ms>', 'how long a host may take to accept a connection (default 1000)'],
  ],
  async run(call) {
    const { args, options, out } = call
    const request = {
      ranges: [...args],
      ...(options.port ? { ports: portsOf(options.port as string[]) } : {}),
      ...(options.timeout ? { connectMs: Number(options.timeout) } : {}),
      ...(options.add ? { adopt: true } : {}),
    }
    const result = options.add || text(options, 'url') ? await overSite(call, request) : await here(call, request)
    out.table(result.found, [
      { title: 'host', get: (found) => found.host },
      { title: 'make', get: (found) => found.make },
      { title: 'model', get: (found) => [found.model, found.variant].filter(Boolean).join(' ') || null },
      { title: 'firmware', get: (found) => found.firmware },
      { title: 'library', get: (found) => found.library },
      { title: 'confidence', get: (found) => `${Math.round(found.confidence * 100)} %`, align: 'right' },
      { title: 'known as', get: (found) => found.knownAs },
      { title: 'seen', get: (found) => (found.library ? null : found.seen[0]) },
    ])
    const seconds = (((result.endedAt ?? Date.now()) - result.startedAt) / 1000).toFixed(1)
    out.note(
      `${result.state}: ${result.found.length} found, ${result.tried} of ${result.addresses} addresses tried in ${seconds} s${result.reason ? `; ${result.reason}` : ''}`,
    )
    if (options.add)
      out.note(
        `${result.adopted.length} added${result.refused.length > 0 ? `, ${result.refused.length} refused: ${result.refused[0]!.reason}` : ''}`,
      )
    for (const { host, reason } of result.untried.slice(0, 10)) out.note(`not tried: ${host} (${reason})`)
    return result.state === 'complete' ? exit.ok : exit.someFailed
  },
}

type Request = { ranges: string[]; ports?: Record<string, number>; connectMs?: number; adopt?: boolean }

async function overSite({ out, site, signal }: Call, request: Request): Promise<Scan> {
  const client = await site()
  let found = await client.send<Scan>('POST', '/api/v1/scans', request)
  const bar = progressBar(out, 'scan', found.addresses)
  try {
    while (found.state === 'running') {
      await pause(followMs, signal)
      found = await client.get<Scan>(`/api/v1/scans/${encodeURIComponent(found.id)}`)
      bar.update(found.tried, `${found.found.length} found`)
    }
    return found
  } finally {
    bar.stop()
  }
}

/** Without a running site the scan runs in this process; it changes nothing, so it needs nobody's leave. */
async function here({ out, signal }: Call, request: Request): Promise<Scan> {
  const [{ scanOnce }, { devices }] = await Promise.all([import('#workers'), import('#devices')])
  const bar = progressBar(out, 'scan', 1)
  try {
    return await scanOnce(devices, request, {
      signal,
      progress: (scan: Scan) => bar.update(scan.tried, `of ${scan.addresses}, ${scan.found.length} found`),
    })
  } finally {
    bar.stop()
  }
}

function portsOf(pairs: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name, port] = pair.split('=')
      if (!name || !/^\d+$/.test(port ?? ''))
        throw new SdkError('BAD_REQUEST', `--port ${pair}: write name=number, e.g. http=8080`)
      return [name, Number(port)]
    }),
  )
}
