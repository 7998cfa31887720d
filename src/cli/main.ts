#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { SdkError } from '#model'
import { type Call, type CliCommand, type CommandGroup, text } from './command.js'
import { groups, single } from './commands/index.js'
import { exit, report } from './failure.js'
import { createOutput } from './output.js'
import { openSite } from './site-client.js'

/** Options that every command takes, before or after its name. */
const common = [
  ['--json', 'answer as JSON'],
  ['--config <file>', 'configuration file (default ./miningsdk.config.json)'],
  ['--storage <folder>', 'storage folder of the site (default: as configured, else ./data)'],
  ['--url <address>', 'address of a running site, e.g. http://127.0.0.1:3000'],
] as const

const stopping = new AbortController()
let code: number = exit.ok

function add(parent: Command, name: string, entry: CliCommand) {
  const command = parent.command(`${name} ${entry.usage}`.trim()).description(entry.summary).exitOverride()
  for (const [flags, description] of [...(entry.options ?? []), ...common]) command.option(flags, description)
  command.action(async () => {
    code = await run(entry, command)
  })
}

async function run(entry: CliCommand, command: Command): Promise<number> {
  const options = command.optsWithGlobals()
  const env = withFolder(process.env, options)
  const call: Call = {
    args: command.args,
    options,
    env,
    out: createOutput(options.json === true),
    signal: stopping.signal,
    site: async () => {
      const { storageOf } = await import('./settings.js')
      return openSite({
        url: text(options, 'url'),
        token: env.MININGSDK_TOKEN,
        storage: await storageOf(env),
        signal: stopping.signal,
      })
    },
  }
  if (!entry.ownSignals)
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => stopping.abort(new SdkError('CANCELLED', 'interrupted')))
  return (await entry.run(call)) ?? exit.ok
}

/** Options are the nearest word: --config and --storage stand over the environment, which stands over the file. */
function withFolder(env: NodeJS.ProcessEnv, options: Record<string, unknown>): NodeJS.ProcessEnv {
  const config = text(options, 'config')
  const storage = text(options, 'storage')
  return { ...env, ...(config ? { MININGSDK_CONFIG: config } : {}), ...(storage ? { MININGSDK_STORAGE: storage } : {}) }
}

function program(): Command {
  const root = new Command('miningsdk')
    .description(
      'Runs Bitcoin mining sites: reads and commands miners, keeps their history, shows and steers them from anywhere',
    )
    .exitOverride()
    .showHelpAfterError('(add --help for more)')
  for (const [name, entry] of Object.entries(single)) add(root, name, entry)
  for (const [name, { summary, commands }] of Object.entries(groups)) addGroup(root, name, summary, commands)
  return root
}

function addGroup(root: Command, name: string, summary: string, commands: CommandGroup) {
  const group = root.command(name).description(summary).exitOverride()
  for (const [word, entry] of Object.entries(commands)) add(group, word, entry)
}

try {
  await program().parseAsync(process.argv)
} catch (error) {
  if (error instanceof CommanderError) code = error.exitCode === 0 ? exit.ok : exit.usage
  else code = report(error, process.argv.includes('--json'))
}
process.exitCode = code
// When nothing is left to wait for, leave at once: Node's own way out frees the native store, and was seen to spin there for ever.
process.on('beforeExit', () => process.exit())
