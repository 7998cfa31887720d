import type { Duplex } from 'node:stream'
import Hypercore from 'hypercore'

interface Offering {
  replicate(stream: Duplex): void
}
interface Following {
  attach(stream: Duplex): void
}

/** Connects one who has a feed with one who follows it; answers how to cut the connection. */
export function connect(from: Offering | Following, to: Following): () => Promise<void> {
  const ends = [Hypercore.createProtocolStream(true), Hypercore.createProtocolStream(false)] as const
  for (const end of ends) end.on('error', () => undefined)
  ends[0].pipe(ends[1]).pipe(ends[0])
  if ('replicate' in from) from.replicate(ends[0])
  else from.attach(ends[0])
  to.attach(ends[1])
  return async () => {
    const closed = ends.map((end) => new Promise((resolve) => end.once('close', resolve)))
    for (const end of ends) end.destroy()
    await Promise.all(closed)
  }
}

/** Resolves when it is so; rejects with what it was about after half a minute. */
export async function until(what: string, so: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000
  while (!(await so())) {
    if (performance.now() > end) throw new Error(`it did not come to this: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
