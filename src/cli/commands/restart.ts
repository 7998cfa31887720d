import { SdkError } from '#model'
import type { ServiceHealth } from '#rpc'
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
    const list = async () => (await (await site()).get<{ data: ServiceHealth[] }>('/api/v1/services')).data
    const before = await list()
    const chosen = before.filter(({ name }) => args.length === 0 || args.includes(name))
    const missing = args.filter((name) => !chosen.some((service) => service.name === name))
    if (missing.length > 0) throw new SdkError('NOT_FOUND', `there is no service ${missing.join(', ')}`)
    const gateways = new Set(before.filter(({ kind }) => kind === 'gateway').map(({ pid }) => pid))
    // One service stands for its process; whoever answers us goes last.
    const processes = [...new Map(chosen.map((service) => [service.pid, service])).values()].sort(
      (a, b) => Number(gateways.has(a.pid)) - Number(gateways.has(b.pid)),
    )
    for (const { name, pid } of processes) {
      await client.send('POST', `/api/v1/services/${encodeURIComponent(name)}/restart`, { process: true })
      const deadline = performance.now() + waitMs
      const isBack = async () => {
        const now = await list().catch(() => [])
        return now.some((service) => service.name === name && service.pid !== pid && service.state === 'running')
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
