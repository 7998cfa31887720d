import { createHmac } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import Corestore from 'corestore'
import Hypercore from 'hypercore'
import Rache from 'rache'
import type { Log } from '#model'
import { storeError } from './layout.js'

/** The primary key of one worker's logs, of those of its node: workers of one node never share a log. */
export function primaryKeyOf(primaryKey: Uint8Array, site: string, worker: string): Uint8Array {
  return createHmac('sha256', primaryKey)
    .update(JSON.stringify(['feed', site, worker]))
    .digest()
}

/**
 * Opens the Corestore of a folder, made if need be. The keys of all logs in a new folder come from `primaryKey`, or from a random one; a
 * folder that has another keeps its own. Throws STORE_LOCKED or STORE_FAILED; nothing stays open then.
 */
export async function openCores(path: string, log: Log, primaryKey?: Uint8Array): Promise<Corestore> {
  try {
    await mkdir(path, { recursive: true })
  } catch (error) {
    throw storeError(error, 'the storage folder cannot be made')
  }
  // With `active: false` a connection carries only the logs that are attached to it.
  let options: NonNullable<ConstructorParameters<typeof Corestore>[1]> = {
    active: false,
    globalCache: new Rache({ maxSize: cachedBlocks }),
    ...(primaryKey && { primaryKey: Buffer.from(primaryKey), unsafe: true }),
  }
  for (let attempt = 0; ; attempt++) {
    try {
      const { allowBackup = false } = options
      return await ready(new Cores(Hypercore.defaultStorage(path, { allowBackup, writeBufferSize }), options))
    } catch (error) {
      const known = attempt < 2 && cures.find(({ error: sign }) => sign.test(String(error)))
      if (!known) throw storeError(error, 'the store cannot be opened')
      log.warn({ path }, known.says)
      options = { ...options, ...known.options }
    }
  }
}

/**
 * A store that does not keep its folder locked when it cannot be closed well, as on a full disk: it has to be opened again by the same process.
 * Closes by hand what the pinned version leaves open then; a test with a full disk holds it.
 */
class Cores extends Corestore {
  override async close(): Promise<void> {
    try {
      await super.close()
    } catch (error) {
      const { db, rocks, deviceFile } = this.storage
      for (const part of [db, rocks, deviceFile]) await part?.close().catch(() => undefined)
      throw error
    }
  }
}

/** Blocks of trees kept in memory for all tables of a store, unpacked: some kB each. By itself it would be 65,536, more than the whole process should take. */
const cachedBlocks = 2048
/** What was written last is kept in memory, twice as much at times, until it is sorted into files. By itself it would be 64 MB. */
const writeBufferSize = 16 * 1024 * 1024

const cures = [
  {
    error: /moved unsafely/i,
    says: 'the storage folder was moved or copied; only one of the copies may go on',
    options: { allowBackup: true },
  },
  {
    error: /another corestore is stored here/i,
    says: 'the storage folder has keys of its own and keeps them',
    options: { primaryKey: undefined, unsafe: undefined },
  },
]

async function ready(cores: Corestore): Promise<Corestore> {
  try {
    await cores.ready()
    return cores
  } catch (error) {
    await cores.close()
    throw error
  }
}
