import { open } from 'node:fs/promises'
import { SdkError } from '#model'
import { type Call, type CliCommand, list, text } from '../command.js'
import { exit } from '../failure.js'
import { passphraseOf } from '../prompt.js'
import { storageOf } from '../settings.js'
import { milliseconds } from './pause.js'

const asked = 'asked for, or from stdin or MININGSDK_PASSPHRASE'

export const backup: CliCommand = {
  usage: '<file>',
  summary: `seal the node's keys, fleet and vaults under a passphrase (${asked}) into a new file`,
  async run({ args, env, out }) {
    const { backUp, createSecretFile, fingerprintOf } = await import('#keys')
    const file = args[0]!
    const storage = await storageOf(env)
    const { key, files, bytes } = await backUp(storage, await passphraseOf(env, { fresh: true }), Date.now())
    if (!(await createSecretFile(file, bytes))) throw new SdkError('CONFLICT', `${file} is there already`)
    out.value({ node: key, file, files }, `${file} holds the node ${fingerprintOf(key)}: ${files.join(', ')}`)
    out.note('Keep it apart from its passphrase: who has both is this node. History is not in it.')
    return undefined
  },
}

export const restore: CliCommand = {
  usage: '[file]',
  summary: `bring back the keys of a backup into a folder that is no node (passphrase ${asked}), or lost history from peers`,
  options: [
    [
      '--from-peers',
      'the history of workers whose stores are lost or damaged, from members that hold copies; the site is stopped',
    ],
    ['--service <name...>', 'with --from-peers: these, also if they can be read'],
    ['--patience <time>', 'with --from-peers: give up when nothing has come for so long (default 2m)'],
  ],
  async run(call) {
    const { args, options, env, out } = call
    if (options.fromPeers === true) return fromPeers(call)
    if (args[0] === undefined) throw new SdkError('BAD_REQUEST', 'name the file of a backup, or say --from-peers')
    const [keys, { lockFolder }] = await Promise.all([import('#keys'), import('#node')])
    const storage = await storageOf(env)
    const sealed = await read(args[0]!, keys.maxBackupBytes * 2)
    const unlock = await lockFolder(storage)
    try {
      const { key, at, files } = await keys.restore(storage, sealed, await passphraseOf(env, { fresh: false }))
      const made = new Date(at).toISOString()
      out.value(
        { node: key, storage, at, files },
        `${storage} is the node ${keys.fingerprintOf(key)} as of ${made}: ${files.join(', ')}`,
      )
      out.note('The machine that it was made on must never run as this node again: two of one are none.')
    } finally {
      await unlock()
    }
    return undefined
  },
}

async function fromPeers(call: Call): Promise<number> {
  const { args, options, env, out } = call
  if (args[0] !== undefined)
    throw new SdkError('BAD_REQUEST', 'keys come from a file, history from peers: one at a time')
  const [{ keptText, restoredText, restoreFromPeers }, { loadSettings }] = await Promise.all([
    import('../restore-feeds.js'),
    import('../settings.js'),
  ])
  const { config } = await loadSettings(env)
  const patienceMs = milliseconds(text(options, 'patience') ?? '2m')
  const found = await restoreFromPeers(config, { services: list(options, 'service'), patienceMs }, call)
  const { restored, kept } = found
  const lines = [...restored.map(restoredText), ...kept.map(keptText)]
  out.value(
    found,
    lines.length === 0
      ? 'Every store of this node can be read: nothing was done. Name one to fetch it anyway: --service <name>'
      : [...lines, 'Start the site: miningsdk start'].join('\n'),
  )
  return kept.length > 0 ? exit.someFailed : exit.ok
}

async function read(file: string, mostBytes: number): Promise<Uint8Array> {
  try {
    const handle = await open(file, 'r')
    try {
      if ((await handle.stat()).size > mostBytes)
        throw new SdkError('SECRET_DAMAGED', `${file} is too large for a backup`)
      return await handle.readFile()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof SdkError) throw error
    const { code } = error as NodeJS.ErrnoException
    throw new SdkError('NOT_FOUND', `${file} cannot be read: ${code}`, { cause: error })
  }
}
