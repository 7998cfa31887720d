import { open, readFile, rename } from 'node:fs/promises'
import { check, SdkError, type Static, type TSchema } from '#model'

/** A small document in a file of its own that only the owner may read. */
export interface JsonFile<T> {
  /** The document, or undefined if there is none yet. Throws STORE_FAILED if it is there but cannot be understood. */
  load(): Promise<T | undefined>
  /** Durable when it resolves: written beside and renamed, so that a cut leaves the old one. Saves follow one another. */
  save(value: T): Promise<void>
}

export function jsonFile<S extends TSchema>(path: string, schema: S): JsonFile<Static<S>> {
  let last: Promise<void> = Promise.resolve()
  const write = async (text: string) => {
    const beside = `${path}.new`
    const file = await open(beside, 'w', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, path)
  }
  return {
    async load() {
      let text: string
      try {
        text = await readFile(path, 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw new SdkError('STORE_FAILED', `${path} cannot be read`, { cause: error })
      }
      try {
        return check(schema, JSON.parse(text), path)
      } catch (cause) {
        throw new SdkError('STORE_FAILED', `${path} is damaged; restore it from a backup, or remove it`, { cause })
      }
    },
    save(value) {
      const text = JSON.stringify(value)
      const saved = last.then(() => write(text))
      last = saved.catch(() => {})
      return saved.catch((cause) => {
        throw new SdkError('STORE_FAILED', `${path} cannot be written`, { cause })
      })
    },
  }
}
