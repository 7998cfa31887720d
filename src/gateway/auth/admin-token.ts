import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Log, SdkError } from '#model'
import { newSecret } from './secret.js'
import { adminTokenId, parseToken } from './tokens.js'

export const adminTokenFile = 'admin.token'

/**
 * The operator's own token: a text file in the node's storage, mode 0600, made at the first start. The file is the truth: without it
 * a new one is made and the old one is worth nothing any more, so removing it is how to replace it.
 */
export async function openAdminToken(nodeStorage: string, log: Log): Promise<string> {
  const path = join(nodeStorage, adminTokenFile)
  try {
    await writeFile(path, `msdk_${adminTokenId}_${newSecret()}\n`, { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new SdkError('STORE_FAILED', `${path} cannot be written`, { cause })
    }
  }
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0) {
    log.warn({ path }, 'the admin token could be read by others; only its owner may from now on')
    await chmod(path, 0o600)
  }
  const token = (await readFile(path, 'utf8')).trim()
  if (parseToken(token)?.id !== adminTokenId) {
    throw new SdkError('STORE_FAILED', `${path} holds no admin token; remove it and a new one is made`)
  }
  return token
}
