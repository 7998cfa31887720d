import { open, rename } from 'node:fs/promises'

/** A JSON file that says which file it is and when it was written: put back from a backup it is another one, or of another time. */
interface Own {
  readonly file: string
  readonly written: number
}

/** Between the moment that a file tells of and the one in which it was really written, ms. */
const slackMs = 10_000

/** On the disk when it resolves, whole or not at all, whatever happens to the machine. */
export async function writeOwn(path: string, value: object): Promise<void> {
  const next = `${path}.new`
  const file = await open(next, 'w')
  try {
    const stat = await file.stat()
    await file.writeFile(JSON.stringify({ ...value, file: placeOf(stat), written: stat.mtimeMs } satisfies Own))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(next, path)
}

/**
 * The file's value, undefined if it is damaged, and whether it is the very file that was written: of one from before files said so, nothing
 * else is known. Undefined if there is none.
 */
export async function readOwn(path: string): Promise<{ value: unknown; isOwn: boolean } | undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!file) return undefined
  try {
    const stat = await file.stat()
    const value = parse(await file.readFile('utf8'))
    const { file: place, written } = (value ?? {}) as Partial<Own>
    const isOwn =
      place === undefined || (place === placeOf(stat) && Math.abs(stat.mtimeMs - Number(written)) <= slackMs)
    return { value, isOwn }
  } finally {
    await file.close()
  }
}

function placeOf({ ino, birthtimeMs }: { ino: number; birthtimeMs: number }): string {
  return `${ino}-${birthtimeMs}`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
