import { writeFile } from 'node:fs/promises'
import { SdkError } from '#model'
import { type CliCommand, list, text } from '../command.js'
import { configFile } from '../settings.js'

export const init: CliCommand = {
  usage: '',
  summary: 'write a configuration file for this site',
  options: [
    ['--site <name>', 'name of the site (default home)'],
    ['--lib <name...>', 'device libraries, one worker each (default: all of miners)'],
    ['--port <n>', 'port of the dashboard (default 3000)'],
    ['--force', 'write over a file that is there'],
  ],
  async run({ options, out }) {
    const { devices } = await import('#devices')
    const known = namesOf(devices)
    // What is no miner is listed with its address and settings; an empty worker of each would be of no use.
    const libs = options.lib ? list(options, 'lib') : namesOf(devices.filter(({ kind }) => kind === 'miner'))
    const unknown = libs.filter((lib) => !known.includes(lib))
    if (unknown.length > 0)
      throw new SdkError('BAD_REQUEST', `no library ${unknown.join(', ')}; there are ${known.join(', ')}`)
    const config = {
      $schema: './node_modules/miningsdk/miningsdk.config.schema.json',
      site: text(options, 'site') ?? 'home',
      services: [
        { name: 'gateway', port: Number(text(options, 'port') ?? 3000) },
        ...libs.map((lib) => ({ name: lib.replace(/^miner-/, ''), lib })),
      ],
    }
    try {
      await writeFile(configFile, `${JSON.stringify(config, null, 2)}\n`, { flag: options.force ? 'w' : 'wx' })
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST')
        throw new SdkError('CONFLICT', `${configFile} is there already; --force writes over it`)
      throw cause
    }
    out.value(
      { written: configFile, config },
      `${configFile} written. Next: miningsdk start, then miningsdk scan <your network> --add`,
    )
  },
}

function namesOf(devices: readonly { readonly library: string }[]): string[] {
  return [...new Set(devices.map(({ library }) => library))]
}
