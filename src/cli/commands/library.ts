import { isAbsolute, resolve } from 'node:path'
import { SdkError } from '#model'
import type { InstalledLibrary } from '#rpc'
import type { Call, CommandGroup } from '../command.js'
import { confirm } from '../prompt.js'

export const library: CommandGroup = {
  ls: {
    usage: '',
    summary:
      'the device libraries of the running site: families, models, commands; without one those that are built in',
    async run(call) {
      const { out } = call
      const { rows, running } = await installed(call)
      out.table(rows, [
        { title: 'library', get: (row) => row.library },
        { title: 'kind', get: (row) => row.kind },
        { title: 'make', get: (row) => row.make },
        { title: 'firmware', get: (row) => row.families.join(', ') },
        { title: 'models', get: (row) => row.models.length, align: 'right' },
        { title: 'devices', get: (row) => (running ? row.devices : null), align: 'right' },
        { title: 'from', get: (row) => `${row.package} ${row.version}` },
        { title: 'commands', get: (row) => (row.problem ? `! ${row.problem.message}` : row.commands.join(', ')) },
      ])
    },
  },
  add: {
    usage: '<package>',
    summary:
      'add a library: the folder of an npm package, or the name of one that is installed; its code runs with the rights of the site',
    async run({ args, out, site }) {
      const added = await (await site()).send<InstalledLibrary>('POST', '/api/v1/libraries', {
        package: pathOf(args[0]!),
      })
      const worker = added.workers[0]
      out.value(
        added,
        `added ${added.library} (${added.package} ${added.version}): ${added.models.length} models, ${added.commands.length} commands` +
          (worker ? `\nnext: miningsdk devices add <host> --worker ${worker}` : ''),
      )
    },
  },
  check: {
    usage: '<package>',
    summary: 'try a library without adding it: is it one, and what does it bring; its code is run',
    async run({ args, out }) {
      const { shelf } = await import('../site.js')
      const { name, version, library, kind, models, commands } = await shelf.inspect(pathOf(args[0]!))
      out.value(
        { package: name, version, library, kind, models, commands },
        `${name} ${version} is good: ${library}, a ${kind} with ${models.length} models; commands: ${commands.join(', ') || 'none'}`,
      )
    },
  },
  rm: {
    usage: '<library>',
    summary: 'remove a library that was added and that no device needs',
    options: [['--yes', 'do not ask']],
    async run({ args, options, out, site }) {
      const name = args[0]!
      if (!options.yes && !(await confirm(`Remove the library ${name}?`)))
        throw new SdkError('CANCELLED', 'nothing was changed')
      await (await site()).send('DELETE', `/api/v1/libraries/${encodeURIComponent(name)}`)
      out.value({ removed: name }, `removed ${name}`)
    },
  },
}

/** `./custom-device` and the like are folders here; the site may work in another one. */
function pathOf(wanted: string): string {
  return /^\.{0,2}[/\\]/.test(wanted) || wanted === '.' || wanted === '..' || isAbsolute(wanted)
    ? resolve(wanted)
    : wanted
}

/** Of the running site; where none runs, what this version brings. */
async function installed({ site, out, options }: Call): Promise<{ rows: InstalledLibrary[]; running: boolean }> {
  try {
    const { data } = await (await site()).get<{ data: InstalledLibrary[] }>('/api/v1/libraries')
    return { rows: data, running: true }
  } catch (error) {
    if (options.url || !(error instanceof SdkError) || error.code !== 'UNAVAILABLE') throw error
  }
  out.note('no site runs here: these are built in')
  const [{ devices }, { libraries }, { version }] = await Promise.all([
    import('#devices'),
    import('#workers'),
    import('#node'),
  ])
  const rows = libraries(devices).map((row) => ({
    ...row,
    builtIn: true,
    package: 'miningsdk',
    version,
    path: null,
    workers: [],
    devices: 0,
    problem: null,
  }))
  return { rows, running: false }
}
