import { SdkError } from '#model'
import type { FleetRecord, Intent, Word } from '#replication'

/**
 * Writes it as the word of the owner of the fleet if there is one, else as this node's own. Throws what `write` of the record throws; a
 * FORBIDDEN says that the owner may.
 */
export async function say(record: FleetRecord, intent: Intent, owner: Word | undefined): Promise<void> {
  if (!owner) return orOwner(() => record.write(intent))
  const { at, by, signature } = owner
  return record.write({ ...intent, at, signed: { by, signature } })
}

/** What this node may not, the owner may: a refusal says how. */
export async function orOwner<T>(job: () => T | Promise<T>): Promise<T> {
  try {
    return await job()
  } catch (error) {
    if (!(error instanceof SdkError) || error.code !== 'FORBIDDEN') throw error
    const message = `${error.message}; the owner may: give its key with --owner <file>`
    throw new SdkError('FORBIDDEN', message, { cause: error, ...(error.details ? { details: error.details } : {}) })
  }
}
