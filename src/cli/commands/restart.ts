import { SdkError } from '#model'
import type { ServiceRow } from '#rpc'
import { type CliCommand, text } from '../command.js'
import { milliseconds, pause } from './pause.js'

/** How often a process that was restarted is looked for. */
const lookMs = 200
const defaultWaitMs = 30_000

export const restart: CliCommand = {
  usage: '[service...]',
  summary:
    'start processes anew one after the other, each when the one before is back; without names all, the gateway last',
  options: [['--wait <time>', 'how long one may take to come back (default 30s)']],
  async run({ args, options, out, site, signal }) {
    const client = await site()
    const waitMs = milliseconds(text(options, 'wait') ?? `${defaultWaitMs}ms`)
    // Asked anew each time: a gateway that was restarted may have another port.
    const list = async () => (await (await site()).get<{ data: ServiceRow[] }>('/api/v1/services')).data
    const all = await list()
    const known = all.filter(({ name }) => args.length === 0 || args.includes(name))
    const missing = args.filter((name) => !known.some((service) => service.name === name))
    if (missing.length > 0) throw new SdkError('NOT_FOUND', `there is no service ${missing.join(', ')}`)
    const chosen = known.filter(({ pid }) => pid !== null)
    for (const { name, site, pid } of known)
      if (pid === null) out.note(`${name} of ${site} cannot be reached, and is left as it is`)
    const silent = args.filter((name) => !chosen.some((service) => service.name === name))
    if (silent.length > 0) throw new SdkError('UNAVAILABLE', `${silent.join(', ')} cannot be reached now`)
    const gateways = new Set(all.filter(({ kind }) => kind === 'gateway').map(processOf))
    // One service stands for its process; whoever answers us goes last.
    const processes = [...new Map(chosen.map((service) => [processOf(service), service])).values()].sort(
      (a, b) => Number(gateways.has(processOf(a))) - Number(gateways.has(processOf(b))),
    )
    for (const before of processes) {
      const { name, site: at, node } = before
      const path = `/api/v1/services/${encodeURIComponent(name)}/restart`
      await client.send('POST', path, { process: true, site: at, node })
      const deadline = performance.now() + waitMs
      const isBack = async () => {
        const now = await list().catch(() => [])
        return now.some((service) => isAnew(service, before))
      }
      while (!(await isBack())) {
        if (performance.now() > deadline) throw new SdkError('TIMEOUT', `${name} is not back after ${waitMs} ms`)
        await pause(lookMs, signal)
      }
      out.note(`${name} is back`)
    }
    out.value({ restarted: processes.map(({ name }) => name) }, `${processes.length} processes restarted`)
    return undefined
  },
}

/** Machines number their processes alike. */
const processOf = ({ site, node, pid }: ServiceRow) => `${site} ${node} ${pid}`

/** In a container the new process has the number of the old one. */
function isAnew(service: ServiceRow, before: ServiceRow): boolean {
  if (service.name !== before.name || service.site !== before.site || service.node !== before.node) return false
  return service.state === 'running' && (service.pid !== before.pid || service.since > before.since)
}
