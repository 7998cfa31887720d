import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SdkError } from '#model'

/** Bits that let others than the owner read, write or run. Windows has none: there the folder's own rights count. */
const othersRights = 0o077
const hasRights = process.platform !== 'win32'

/**
 * Makes the folder with everything above it; only its owner may look into it. With `keep` the rights of a folder that is there already stay
 * (it is not ours alone). Throws STORE_FAILED.
 */
export async function makeSecretFolder(folder: string, { keep = false } = {}): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    if (!keep) await chmod(folder, 0o700)
  } catch (cause) {
    throw failed(`cannot use the folder ${folder}`, cause)
  }
}

/**
 * What stands in the file, or undefined if there is none. Throws SECRET_EXPOSED if others than its owner may read it, SECRET_DAMAGED if it
 * is larger than `mostBytes`, STORE_FAILED if it cannot be read.
 */
export async function readSecretFile(path: string, mostBytes: number): Promise<Uint8Array | undefined> {
  try {
    const file = await open(path, 'r')
    try {
      const { mode, size } = await file.stat()
      if (hasRights && (mode & othersRights) !== 0) {
        const rights = (mode & 0o777).toString(8)
        throw new SdkError(
          'SECRET_EXPOSED',
          `${path} may be read or changed by others (mode ${rights}): run chmod 600 on it, and replace what it holds if others have been here`,
        )
      }
      if (size > mostBytes) throw new SdkError('SECRET_DAMAGED', `${path} is too large to be what it should be`)
      return await file.readFile()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    if (error instanceof SdkError) throw error
    throw failed(`cannot read ${path}`, error)
  }
}

/** Writes the file with mode 0600, whole or not at all also when the power goes; durable when it resolves. Throws STORE_FAILED. */
export async function writeSecretFile(path: string, content: Uint8Array | string): Promise<void> {
  await putSecretFile(path, content, async (draft) => {
    await rename(draft, path)
    return true
  })
}

/** The same for a file that is not there yet; answers false if it is, and leaves it as it is. */
export function createSecretFile(path: string, content: Uint8Array | string): Promise<boolean> {
  return putSecretFile(path, content, (draft) => place(draft, path))
}

async function putSecretFile(
  path: string,
  content: Uint8Array | string,
  put: (draft: string) => Promise<boolean>,
): Promise<boolean> {
  const draft = join(dirname(path), `.${randomBytes(6).toString('hex')}.draft`)
  try {
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    const done = await put(draft)
    if (done) await syncFolder(dirname(path))
    return done
  } catch (cause) {
    throw failed(`cannot write ${path}`, cause)
  } finally {
    await rm(draft, { force: true }).catch(() => {})
  }
}

/** A second name for the draft: unlike a rename it never takes the place of a file that came meanwhile. */
async function place(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    // File systems without links (FAT, some shares): the check is then not of one piece with the rename.
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].some((code) => isCode(error, code))) throw error
  }
  const there = await open(path, 'r').catch(() => undefined)
  await there?.close()
  if (there) return false
  await rename(draft, path)
  return true
}

/** The file's name is durable only when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  if (!hasRights) return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function failed(what: string, cause: unknown): SdkError {
  return new SdkError('STORE_FAILED', `${what}: ${(cause as NodeJS.ErrnoException).code ?? 'unknown reason'}`, {
    cause,
  })
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code
}
