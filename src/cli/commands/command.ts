import { type CommandName, commands, type DeviceRecord, isCommand, SdkError } from '#model'
import type { CommandJob } from '#rpc'
import { type CliCommand, list, text } from '../command.js'
import { exit } from '../failure.js'
import { hashrate, type Output, power } from '../output.js'
import { progressBar } from '../progress.js'
import { confirm, confirmTyped } from '../prompt.js'
import type { SiteClient } from '../site-client.js'
import { allDevices, filterKeys, filterOptions } from './devices.js'
import { milliseconds, pause } from './pause.js'

/** Above so many devices the count itself has to be typed. */
const typedAbove = 10
const followMs = 500

export const command: CliCommand = {
  usage: '<name>',
  summary: 'carry out a command on devices (with read-back)',
  options: [
    ['--id <id...>', 'these devices'],
    ...filterOptions,
    ['--all', 'all devices of the site'],
    ['-p, --param <key=value...>', 'parameters; values are JSON or text'],
    ['--params <json>', 'parameters as one JSON object'],
    ['--dry-run', 'check everything, send nothing'],
    ['--batch <n>', 'so many devices at once'],
    ['--pause <time>', 'pause between batches, e.g. 5s'],
    ['--stop-after <n>', 'stop after so many failures'],
    ['--reason <text>', 'why; it stands in the audit'],
    ['--yes', 'do not ask'],
  ],
  async run({ args, options, out, site, signal }) {
    const name = args[0]!
    if (!isCommand(name))
      throw new SdkError('BAD_REQUEST', `there is no command ${name}; there are ${Object.keys(commands).join(', ')}`)
    const client = await site()
    const targets = targetsOf(options)
    const request = {
      command: name,
      params: paramsOf(options),
      targets,
      ...(options.batch || options.pause
        ? {
            batch: {
              size: Number(options.batch ?? 10),
              ...(options.pause ? { pauseMs: milliseconds(String(options.pause)) } : {}),
            },
          }
        : {}),
      ...(options.stopAfter ? { stopAfterFailures: Number(options.stopAfter) } : {}),
      ...(text(options, 'reason') ? { reason: text(options, 'reason') } : {}),
      dryRun: options.dryRun === true,
    }
    if (!options.dryRun && !options.yes) await ask(client, name, targets, out)
    const job = await follow(client, await client.send<CommandJob>('POST', '/api/v1/commands', request), out, signal)
    out.table(job.results, [
      { title: 'device', get: (result) => result.deviceId },
      { title: 'state', get: (result) => result.state },
      { title: 'code', get: (result) => result.code },
      { title: 'reason', get: (result) => result.reason },
    ])
    out.note(
      Object.entries(job.counts)
        .map(([state, count]) => `${count} ${state}`)
        .join(', '),
    )
    const good = job.results.filter((result) => result.state === 'confirmed' || result.state === 'accepted').length
    if (good === job.results.length || options.dryRun) return exit.ok
    return good > 0 ? exit.someFailed : exit.failed
  },
}

type Targets = { ids: string[] } | { filter: Record<string, unknown> }

function targetsOf(options: Readonly<Record<string, unknown>>): Targets {
  const ids = list(options, 'id')
  const filter = Object.fromEntries(
    filterKeys.flatMap((key) => {
      const value = text(options, key)
      return value === undefined ? [] : [[key, key === 'q' ? value : value.split(',')]]
    }),
  )
  const filtered = Object.keys(filter).length > 0
  if (ids.length > 0 && (filtered || options.all))
    throw new SdkError('BAD_REQUEST', 'name devices by --id, or by filters, not both')
  if (ids.length > 0) return { ids }
  if (!filtered && !options.all)
    throw new SdkError('BAD_REQUEST', 'which devices? Give --id, a filter (--status, --model, --tag ...), or --all')
  return { filter }
}

function paramsOf(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const whole = text(options, 'params')
  const params: Record<string, unknown> = whole === undefined ? {} : object(whole)
  for (const pair of list(options, 'param')) {
    const [key, ...rest] = pair.split('=')
    if (!key || rest.length === 0) throw new SdkError('BAD_REQUEST', `--param ${pair}: write key=value`)
    params[key] = jsonOrText(rest.join('='))
  }
  return params
}

function object(json: string): Record<string, unknown> {
  const value = jsonOrText(json)
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new SdkError('BAD_REQUEST', '--params is not a JSON object')
  return value as Record<string, unknown>
}

function jsonOrText(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

/** Shows how many and what they draw before anything that interrupts mining. */
async function ask(client: SiteClient, name: CommandName, targets: Targets, out: Output) {
  const { risk, title } = commands[name]
  if (risk === 'safe') return
  const devices =
    'ids' in targets ? await byIds(client, targets.ids) : await allDevices(client, queryOf(targets.filter))
  const total = (metric: 'hashrateThs' | 'powerW') =>
    devices.reduce((sum, device) => sum + (device.metrics[metric] ?? 0), 0)
  out.note(
    `${title} (${risk}): ${devices.length} devices, ${hashrate(total('hashrateThs'))}, ${power(total('powerW'))}`,
  )
  out.note(
    `  ${devices
      .slice(0, 5)
      .map((device) => device.id)
      .join(', ')}${devices.length > 5 ? ', ...' : ''}`,
  )
  const sure =
    devices.length > typedAbove ? await confirmTyped('Go on?', String(devices.length)) : await confirm('Go on?')
  if (!sure) throw new SdkError('CANCELLED', 'nothing was sent')
}

function byIds(client: SiteClient, ids: readonly string[]): Promise<DeviceRecord[]> {
  return Promise.all(
    ids.slice(0, 100).map((id) => client.get<DeviceRecord>(`/api/v1/devices/${encodeURIComponent(id)}`)),
  )
}

function queryOf(filter: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(filter).map(([key, value]) => [key, String(value)]))
}

/** Until the job has ended. An interrupt ends the following, not the job: the site goes on, and we say how to cancel it. */
async function follow(client: SiteClient, started: CommandJob, out: Output, signal: AbortSignal): Promise<CommandJob> {
  let job = started
  const path = `/api/v1/commands/${encodeURIComponent(job.id)}`
  const bar = progressBar(out, job.command, job.results.length)
  try {
    while (job.state === 'running') {
      await pause(followMs, signal)
      job = await client.get<CommandJob>(path)
      bar.update(job.results.filter((result) => result.endedAt !== undefined).length)
    }
    return job
  } catch (error) {
    if (signal.aborted)
      out.note(`the command goes on at the site; cancel it with: curl -X POST ${client.url}${path}/cancel`)
    throw error
  } finally {
    bar.stop()
  }
}
