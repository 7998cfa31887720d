import { mkdir } from 'node:fs/promises'
import Corestore from 'corestore'
import type { Log } from '#model'
import { storeError } from './layout.js'

/** Opens the Corestore of a folder, made if need be. Throws STORE_LOCKED or STORE_FAILED; nothing stays open then. */
export async function openCores(path: string, log: Log): Promise<Corestore> {
  try {
    await mkdir(path, { recursive: true })
  } catch (error) {
    throw storeError(error, 'the storage folder cannot be made')
  }
  try {
    return await ready(new Corestore(path))
  } catch (error) {
    if (!/moved unsafely/i.test(String(error))) throw storeError(error, 'the store cannot be opened')
  }
  log.warn({ path }, 'the storage folder was moved or copied; only one of the copies may go on')
  try {
    return await ready(new Corestore(path, { allowBackup: true }))
  } catch (error) {
    throw storeError(error, 'the store cannot be opened')
  }
}

async function ready(cores: Corestore): Promise<Corestore> {
  try {
    await cores.ready()
    return cores
  } catch (error) {
    await cores.close()
    throw error
  }
}
