import { open, readFile, rename } from 'node:fs/promises'
import { uptime } from 'node:os'
import { join } from 'node:path'
import { matches, type Static, Type } from '#model'

/** Beside the logs; says how the copy was left, and that it is the one that was left so. */
export const markFile = 'record.json'

const MarkSchema = Type.Object({
  v: Type.Literal(1),
  /** Somebody had it open. */
  open: Type.Boolean(),
  /** Of the machine's start in which it was written. */
  boot: Type.String(),
  /** Of the file itself: a copy of the folder has another. */
  file: Type.String(),
  /** When the copy was last known to be current, ms. */
  current: Type.Union([Type.Number(), Type.Null()]),
})
export type Mark = Static<typeof MarkSchema>

/** How the copy was left. Only after `clean` and `crashed` are the own blocks that others may have seen surely all there. */
export type Left = 'new' | 'clean' | 'crashed' | 'lost-power' | 'copied'

/**
 * A process that dies takes nothing along: what was written is with the system. A machine that dies does, and a copy of the folder may be
 * an old one: its end may be missing blocks that others have.
 */
export async function readMark(folder: string, boot: string): Promise<{ left: Left; current: number | null }> {
  const path = join(folder, markFile)
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { left: 'new', current: null }
    throw error
  }
  try {
    const mark: unknown = parse(await file.readFile('utf8'))
    if (!matches(MarkSchema, mark)) return { left: 'copied', current: null }
    const { current } = mark
    if (mark.file !== (await identityOf(file))) return { left: 'copied', current }
    if (!mark.open) return { left: 'clean', current }
    return { left: sameBoot(mark.boot, boot) ? 'crashed' : 'lost-power', current }
  } finally {
    await file.close()
  }
}

/** Durable when it resolves. */
export async function writeMark(folder: string, mark: Omit<Mark, 'v' | 'file'>): Promise<void> {
  const path = join(folder, markFile)
  const file = await open(`${path}.new`, 'w')
  try {
    await file.writeFile(JSON.stringify({ v: 1, ...mark, file: await identityOf(file) } satisfies Mark))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}

async function identityOf(file: Awaited<ReturnType<typeof open>>): Promise<string> {
  const { dev, ino } = await file.stat({ bigint: true })
  return `${dev}:${ino}`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** By its time where the system has no name for it; clocks are set now and then. */
const bootToleranceMs = 120_000

/** A name of this start of the machine. */
export async function bootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  } catch {
    return `at:${Math.round(Date.now() - uptime() * 1000)}`
  }
}

function sameBoot(a: string, b: string): boolean {
  if (a === b) return true
  const [first, second] = [a, b].map((each) => (each.startsWith('at:') ? Number(each.slice(3)) : Number.NaN))
  return Math.abs(first! - second!) <= bootToleranceMs
}
