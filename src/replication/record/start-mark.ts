import { join } from 'node:path'
import { matches, type Static, Type } from '#model'
import { whereIs } from '../feeds.js'
import { readOwn, writeOwn } from '../own-file.js'

/** Beside the logs; says how the copy was left, and that it is the one that was left so. */
export const markFile = 'record.json'

const MarkSchema = Type.Object({
  v: Type.Literal(1),
  /** Somebody had it open. */
  open: Type.Boolean(),
  /** Of the machine's start in which it was written. */
  boot: Type.String(),
  /** Where the folder lay: a copy lies elsewhere. */
  place: Type.String(),
  /** It was in doubt, and has not met a peer since. */
  doubt: Type.Optional(Type.Enum(['new', 'lost-power', 'copied'])),
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
  const file = await readOwn(join(folder, markFile))
  if (!file) return { left: 'new', current: null }
  const { value: mark, isOwn } = file
  if (!matches(MarkSchema, mark)) return { left: 'copied', current: null }
  const { current } = mark
  if (!isOwn || mark.place !== (await whereIs(folder))) return { left: 'copied', current }
  if (mark.doubt) return { left: mark.doubt, current }
  if (!mark.open) return { left: 'clean', current }
  return { left: mark.boot === boot ? 'crashed' : 'lost-power', current }
}

/** On the disk when it resolves, whatever happens to the machine: a mark that was lost with the blocks after it would not tell of them. */
export async function writeMark(folder: string, mark: Omit<Mark, 'v' | 'place'>): Promise<void> {
  await writeOwn(join(folder, markFile), { v: 1, ...mark, place: await whereIs(folder) } satisfies Mark)
}
