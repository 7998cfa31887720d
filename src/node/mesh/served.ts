import type { Key } from '#keys'
import { type Log, Type } from '#model'
import { jsonFile } from '../json-file.js'

const FileSchema = Type.Array(Type.String({ pattern: '^[0-9a-f]{64}$' }))

/** Who has had the record from here. */
export interface Served {
  has(key: Key): boolean
  add(key: Key): void
  /** Resolves when what was added is on the disk, or cannot be put there. */
  close(): Promise<void>
}

/** Kept in a file, for a node that starts anew is met by all of them at once. Without the file everybody counts as new. */
export async function openServed(path: string, log: Log): Promise<Served> {
  const file = jsonFile(path, FileSchema)
  const stored = await file.load().catch((error: unknown) => {
    log.warn({ err: error, path }, 'who has had the record from here is not known any more')
    return undefined
  })
  const keys = new Set(stored)
  let saving: Promise<void> | undefined
  /** One at a time, each with all that came until then. */
  const save = async (): Promise<void> => {
    const { size } = keys
    await file.save([...keys])
    if (keys.size > size) await save()
  }
  return {
    has: (key) => keys.has(key),
    add(key) {
      if (keys.has(key)) return
      keys.add(key)
      saving ??= save()
        .catch((error: unknown) => log.warn({ err: error, path }, 'who has had the record could not be written down'))
        .finally(() => {
          saving = undefined
        })
    },
    close: async () => saving,
  }
}
