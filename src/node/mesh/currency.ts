import { join } from 'node:path'
import { type Clock, Type } from '#model'
import { jsonFile } from '../json-file.js'

/** Kept so often at most: a restart may forget this much. */
const saveMs = 60_000

export interface Currency {
  /** When the copy of the record was last known to be current, ms; null: never. */
  at(): number | null
  /** It is current now: this node writes it, or is connected with one that does. */
  now(): Promise<void>
}

/** Remembers over restarts when the copy of the record was current: a node that was cut off longer than it may be must know. */
export async function openCurrency(folder: string, clock: Clock): Promise<Currency> {
  const file = jsonFile(join(folder, 'current.json'), Type.Object({ at: Type.Number() }))
  // A file that cannot be read says nothing of the record: as if it was never current.
  let at = (await file.load().catch(() => undefined))?.at ?? null
  let savedAt = Number.NEGATIVE_INFINITY
  return {
    // A clock that was set back makes nothing current for longer.
    at: () => (at === null ? null : Math.min(at, clock.now())),
    async now() {
      at = clock.now()
      if (clock.hr() - savedAt < saveMs) return
      savedAt = clock.hr()
      await file.save({ at })
    },
  }
}
