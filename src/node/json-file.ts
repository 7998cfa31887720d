import { readFile } from 'node:fs/promises'
import { writeSecretFile } from '#keys'
import { check, SdkError, type Static, type TSchema } from '#model'

/** A small document in a file of its own that only the owner may read. */
export interface JsonFile<T> {
  /** The document, or undefined if there is none yet. Throws STORE_FAILED if it is there but cannot be understood. */
  load(): Promise<T | undefined>
  /** Durable when it resolves; a cut leaves the old one whole. Saves follow one another. */
  save(value: T): Promise<void>
}

export function jsonFile<S extends TSchema>(path: string, schema: S): JsonFile<Static<S>> {
  let last: Promise<void> = Promise.resolve()
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
      const saved = last.then(() => writeSecretFile(path, text))
      last = saved.catch(() => {})
      return saved.catch((cause) => {
        throw new SdkError('STORE_FAILED', `${path} cannot be written`, { cause })
      })
    },
  }
}
