import { resolve } from 'node:path'
import type { OwnerKey } from '#keys'
import { SdkError } from '#model'
import type { Intent, Word } from '#replication'
import type { RecordState } from '#rpc'
import { text } from './command.js'
import { passphraseOf } from './prompt.js'
import type { SiteClient } from './site-client.js'

/** On commands that write the fleet's record. */
export const ownerOption = [
  '--owner <file>',
  "with the key of the fleet's owner; its passphrase is asked for, or taken from MININGSDK_PASSPHRASE",
] as const

/** Who holds the owner's key, for as long as a command runs: the key itself goes nowhere, only what it signed does. */
export interface Owner {
  readonly keyPair: OwnerKey['keyPair']
  readonly fleet: OwnerKey['fleet']
  /** Signs that the owner wants it now. */
  word(intent: Intent): Promise<Word>
}

/**
 * The owner whose key file `--owner` names; undefined without. Throws what `openOwnerKey` throws, FORBIDDEN if it owns another fleet than
 * that of the site.
 */
export async function ownerOf(
  options: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
  site: SiteClient,
): Promise<Owner | undefined> {
  const file = text(options, 'owner')
  if (file === undefined) return undefined
  const [{ fingerprintOf }, { signIntent }] = await Promise.all([import('#keys'), import('#replication')])
  const { fleet, fingerprint, keyPair } = await open(resolve(file), env)
  const state = await site.get<RecordState>('/api/v1/mesh/record')
  if (state.fleet !== fleet) {
    const message = `${file} is the key of the fleet ${fingerprint}, and this is the fleet ${fingerprintOf(state.fleet)}`
    throw new SdkError('FORBIDDEN', message)
  }
  return { fleet, keyPair, word: async (intent) => signIntent(state.record, intent, keyPair, Date.now()) }
}

async function open(file: string, env: NodeJS.ProcessEnv): Promise<OwnerKey> {
  const { openOwnerKey } = await import('#keys')
  try {
    return await openOwnerKey(file, env.MININGSDK_PASSPHRASE || undefined)
  } catch (error) {
    const isSealed = error instanceof SdkError && error.code === 'PASSPHRASE_WRONG' && !env.MININGSDK_PASSPHRASE
    if (!isSealed) throw error
    return openOwnerKey(file, await passphraseOf(env, { fresh: false }))
  }
}
