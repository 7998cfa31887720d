import type { Key } from '#keys'
import type { Clock, Log } from '#model'
import { type Refused, RefusedSchema } from '#rpc'
import { openLines } from '../line-file.js'

export interface RefusedOptions {
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  /** Bytes of a file; for tests. */
  readonly maxBytes?: number
}

/** Who was turned away and why, kept on the disk: what was tried against this node is no secret of its memory. */
export interface RefusedBook {
  note(reason: string, key: Key): void
  /** How often since it was opened, by reason. */
  counts(): Record<string, number>
  list(query: { from?: number; to?: number; limit?: number }): Promise<Refused[]>
  close(): Promise<void>
}

/** Of one key and reason there is a line at once, and then one in so long: an attack must not fill the disk. */
const quietMs = 60_000
/** So many are told apart in that time; of more only the reason is kept. */
const maxKeys = 200

export async function openRefused(options: RefusedOptions): Promise<RefusedBook> {
  const { clock } = options
  const lines = await openLines({ ...options, name: 'refused', schema: RefusedSchema })
  const open = new Map<string, { reason: string; key: Key | null; more: number }>()
  const counts = new Map<string, number>()
  let stop = () => {}

  const write = (reason: string, key: Key | null, count: number) => void lines.append({ reason, key, count })
  const flush = () => {
    for (const { reason, key, more } of open.values()) if (more > 0) write(reason, key, more)
    open.clear()
  }
  return {
    note(reason, stranger) {
      counts.set(reason, (counts.get(reason) ?? 0) + 1)
      const key = open.size < maxKeys || open.has(`${reason} ${stranger}`) ? stranger : null
      const name = `${reason} ${key}`
      const known = open.get(name)
      if (known) {
        known.more++
        return
      }
      if (open.size === 0) stop = clock.after(quietMs, flush)
      open.set(name, { reason, key, more: 0 })
      write(reason, key, 1)
    },
    counts: () => Object.fromEntries(counts),
    list: (query) => lines.list(query),
    async close() {
      stop()
      flush()
      await lines.close()
    },
  }
}
