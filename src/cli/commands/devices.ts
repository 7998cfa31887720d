import { type DeviceRecord, SdkError } from '#model'
import { type CommandGroup, list, text } from '../command.js'
import { describe } from '../device-text.js'
import { exit } from '../failure.js'
import { deviceColumns } from '../output.js'
import { confirm, secretFromStdin } from '../prompt.js'
import type { SiteClient } from '../site-client.js'

const pageSize = 500

/** Every page of a list; the site bounds each of them. */
export async function allDevices(site: SiteClient, query: Record<string, string | undefined>): Promise<DeviceRecord[]> {
  const devices: DeviceRecord[] = []
  let cursor: string | undefined
  do {
    const page = await site.get<{ data: DeviceRecord[]; nextCursor: string | null }>('/api/v1/devices', {
      ...query,
      limit: pageSize,
      cursor,
    })
    devices.push(...page.data)
    cursor = page.nextCursor ?? undefined
  } while (cursor)
  return devices
}

export const filterOptions = [
  ['--status <list>', 'only these states, comma separated'],
  ['--health <list>', 'only ok, degraded, critical or unknown'],
  ['--kind <list>', 'only miner, container, powermeter, sensor or pool'],
  ['--worker <list>', 'only these workers'],
  ['--model <list>', 'only these models'],
  ['--tag <list>', 'only with these tags'],
  ['-q, --q <text>', 'text in id, name, address, model, serial, MAC or tags'],
] as const

export const filterKeys = ['status', 'health', 'kind', 'worker', 'model', 'tag', 'q'] as const

function filterQuery(options: Readonly<Record<string, unknown>>): Record<string, string | undefined> {
  return Object.fromEntries(filterKeys.map((key) => [key, text(options, key)]))
}

const path = (id: string) => `/api/v1/devices/${encodeURIComponent(id)}`

export const devices: CommandGroup = {
  ls: {
    usage: '',
    summary: 'list devices',
    options: [...filterOptions, ['--sort <field>', 'sort by a field or metric, - in front for descending']],
    async run({ options, out, site }) {
      const found = await allDevices(await site(), { ...filterQuery(options), sort: text(options, 'sort') })
      out.table(found, deviceColumns)
      if (found.length === 0) out.note('no device matches')
    },
  },
  show: {
    usage: '<id>',
    summary: 'everything about one device',
    async run({ args, out, site }) {
      const device = await (await site()).get<DeviceRecord>(path(args[0]!))
      out.value(device, describe(device, out.width))
    },
  },
  add: {
    usage: '<host>',
    summary: 'add a device to a worker',
    options: [
      ['--worker <name>', 'the worker that shall read it (default: the one that fits)'],
      ['--port <n>', 'its port, if it is not the usual one'],
      ['--unit <n>', 'its unit, behind a Modbus gateway'],
      ['--option <name=value...>', 'settings of its library (docs/supported-devices.md); a value may be JSON'],
      ['--name <name>', 'a name for people'],
      ['--tag <tag...>', 'tags'],
      ['--username <name>', 'user name on the device'],
      ['--password-stdin', 'read the password of the device from stdin'],
    ],
    async run({ args, options, out, site }) {
      const password = options.passwordStdin ? await secretFromStdin() : undefined
      const port = text(options, 'port')
      const entry = {
        host: args[0],
        ...(port ? { port: Number(port) } : {}),
        ...(text(options, 'unit') ? { unit: Number(text(options, 'unit')) } : {}),
        ...(options.option ? { options: optionsFrom(list(options, 'option')) } : {}),
        ...(text(options, 'name') ? { name: text(options, 'name') } : {}),
        ...(options.tag ? { tags: list(options, 'tag') } : {}),
        ...(text(options, 'username') ? { username: text(options, 'username') } : {}),
        ...(password ? { password } : {}),
      }
      const worker = text(options, 'worker')
      const answer = await (await site()).send<{ added: string[]; existing: string[] }>('POST', '/api/v1/devices', {
        ...(worker ? { worker } : {}),
        entries: [entry],
      })
      out.value(
        answer,
        [...answer.added.map((id) => `added ${id}`), ...answer.existing.map((id) => `there already: ${id}`)].join('\n'),
      )
    },
  },
  rm: {
    usage: '<id>',
    summary: 'forget a device; its history stays',
    options: [['--yes', 'do not ask']],
    async run({ args, options, out, site }) {
      if (!options.yes && !(await confirm(`Forget the device ${args[0]}?`)))
        throw new SdkError('CANCELLED', 'nothing was changed')
      await (await site()).send('DELETE', path(args[0]!))
      out.value({ removed: args[0] }, `removed ${args[0]}`)
      return exit.ok
    },
  },
}

/** `measures=site`, `gapMs=100`, `readings=[{...}]`: what is JSON is taken as it, all else as text. */
function optionsFrom(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw new SdkError('BAD_REQUEST', `--option takes name=value, not ${JSON.stringify(pair)}`)
      return [pair.slice(0, at), valueOfText(pair.slice(at + 1))]
    }),
  )
}

function valueOfText(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
