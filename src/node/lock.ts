import { randomUUID } from 'node:crypto'
import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { makeSecretFolder } from '#keys'
import { matches, SdkError, type Static, Type } from '#model'

/** Who holds a storage folder. A process is known by its pid and when it began, for pids come again, above all in containers. */
const HolderSchema = Type.Object({
  token: Type.String(),
  pid: Type.Integer(),
  host: Type.String(),
  /** In clock ticks since the boot; null where the system does not tell. */
  began: Type.Union([Type.String(), Type.Null()]),
})
type Holder = Static<typeof HolderSchema>

const fileName = 'node.lock'
/** The holder touches its lock so often. */
const touchMs = 5_000
/** A lock of another host (or container), whose processes cannot be seen from here, is dead when it was not touched for so long. */
const deadMs = 20_000
/** Removing a dead lock takes milliseconds; who holds the broom longer was killed with it in hand. */
const broomMs = 5_000
const retryMs = 20
const attempts = 500
/** The locks that this process holds now. */
const held = new Set<string>()

/**
 * Makes the folder (only its owner may look into it) and takes it for this process; answers how to give it back. Throws STORE_LOCKED,
 * saying who has it. What a killed process left behind does not count.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await makeSecretFolder(folder)
  const path = join(folder, fileName)
  const own: Holder = { token: randomUUID(), pid: process.pid, host: hostname(), began: await beganAt(process.pid) }
  held.add(own.token)
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (await create(path, JSON.stringify(own))) return hold(path, own)
    const found = await look(path)
    if (!found) continue
    if (await isAlive(found)) {
      held.delete(own.token)
      throw new SdkError('STORE_LOCKED', `${folder} is used by ${words(found)}`, {
        details: { folder, pid: found.holder?.pid, host: found.holder?.host },
      })
    }
    await sweep(path)
  }
  held.delete(own.token)
  throw new SdkError('STORE_LOCKED', `${folder} is being taken by several processes at once`)
}

interface Found {
  /** undefined: cannot be read, for it is just being written or was never finished. */
  readonly holder: Holder | undefined
  readonly ageMs: number
}

async function create(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw new SdkError('STORE_FAILED', `cannot write ${path}: ${(error as Error).message}`, { cause: error })
  }
}

async function look(path: string): Promise<Found | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)])
    // The file system's time is the machine's, whatever clock the node was given.
    return { holder: parse(text), ageMs: Date.now() - mtimeMs }
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw new SdkError('STORE_FAILED', `cannot read ${path}: ${(error as Error).message}`, { cause: error })
  }
}

function parse(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return matches(HolderSchema, value) ? value : undefined
  } catch {
    return undefined
  }
}

async function isAlive({ holder, ageMs }: Found): Promise<boolean> {
  if (!holder) return ageMs < 1_000
  if (holder.host !== hostname()) return ageMs < deadMs
  if (holder.pid === process.pid) return held.has(holder.token)
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    // Not ours to signal, but there.
    if (!isCode(error, 'EPERM')) return false
  }
  return holder.began === null || (await beganAt(holder.pid)) === holder.began
}

/**
 * Removes a dead lock. One process at a time may, or the second would remove what the first has put in its place: while a dead lock is
 * there no new one can come, and only who holds the broom removes it.
 */
async function sweep(path: string): Promise<void> {
  const broom = `${path}.sweep`
  if (await create(broom, '')) {
    try {
      const found = await look(path)
      if (found && !(await isAlive(found))) await rm(path, { force: true })
    } finally {
      await rm(broom, { force: true })
    }
    return
  }
  const other = await look(broom)
  if (other && other.ageMs > broomMs) await rm(broom, { force: true })
  await new Promise((resolve) => setTimeout(resolve, retryMs))
}

function hold(path: string, own: Holder): () => Promise<void> {
  const timer = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => {})
  }, touchMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    held.delete(own.token)
    const found = await look(path)
    if (found?.holder?.token === own.token) await rm(path, { force: true })
  }
}

/** When a process began, in the words of its system (proc(5), field 22 of stat); null where there is no such file. */
async function beganAt(pid: number): Promise<string | null> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in brackets and may hold anything.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}

function words({ holder, ageMs }: Found): string {
  if (!holder) return 'a process that is just starting'
  const here = holder.host === hostname()
  return here
    ? `process ${holder.pid}`
    : `process ${holder.pid} on ${holder.host}, seen ${Math.round(ageMs / 1000)} s ago`
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code
}
