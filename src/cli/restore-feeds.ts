import { rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errorInfo, SdkError, silentLog, systemClock } from '#model'
import { type KnownFeed, lockFolder, type RestoredFeed, restoreFeeds, type SiteConfig } from '#node'
import { holdsFeed, openStore, settledFeed } from '#replication'
import type { Call } from './command.js'
import { meshOf } from './mesh.js'
import { age } from './output.js'

export interface Restored extends Omit<RestoredFeed, 'folder'> {
  /** What was there, kept beside it; null: nothing was. */
  readonly damaged: string | null
}

interface Wish {
  /** Without them: every store that is gone or cannot be read. */
  readonly services: readonly string[]
  readonly patienceMs: number
}

/**
 * Puts the stores of this site that are lost or damaged back from the copies of other members, each in a feed that goes on from the old one.
 * What is damaged is kept beside it. Throws STORE_LOCKED while the site runs, and what `restoreFeeds` throws.
 */
export async function restoreFromPeers(config: SiteConfig, wish: Wish, { out, signal }: Call): Promise<Restored[]> {
  const { storage, mode, services } = config
  const processes = mode === 'microservices' ? services.map(({ name }) => name) : [null]
  const awake = setInterval(() => {}, 60_000)
  const unlocks: (() => Promise<void>)[] = []
  const restored: Restored[] = []
  try {
    unlocks.push(await lockFolder(storage))
    for (const only of processes) if (only !== null) unlocks.push(await lockFolder(join(storage, only)))
    const asked = new Set<string>()
    for (const only of processes) {
      const mesh = await meshOf({ ...config, only })
      if (!mesh) throw new SdkError('NOT_FOUND', `${storage} belongs to no fleet: nobody else has what was here`)
      let told = 0
      const found = await restoreFeeds({
        storage,
        mesh,
        patienceMs: wish.patienceMs,
        folderOf: async (service) => {
          asked.add(service.name)
          if (!(await isWanted(storage, service, wish))) return undefined
          const folder = `${folderOf(storage, service.name)}.restoring`
          // An earlier call ended between its last word and putting it in place.
          const settled = (await exists(folder)) ? await settledFeed(folder, service) : undefined
          if (!settled) return folder
          restored.push(await putInPlace(storage, { service: service.name, folder, ...settled }))
          return undefined
        },
        tell(service, { peers, here, coming }) {
          if (systemClock.hr() - told < tellMs) return
          told = systemClock.hr()
          out.note(`${service}: ${here} blocks are here, ${coming} are coming, from ${peers} peers`)
        },
        clock: systemClock,
        log: silentLog,
        signal,
      })
      for (const one of found) restored.push(await putInPlace(storage, one))
    }
    const unknown = wish.services.filter((name) => !asked.has(name))
    if (unknown.length > 0)
      throw new SdkError(
        'NOT_FOUND',
        `the fleet knows no feed of ${unknown.join(', ')}; it knows ${[...asked].join(', ') || 'none'} of this node`,
      )
    return restored
  } finally {
    for (const unlock of unlocks.reverse()) await unlock()
    clearInterval(awake)
  }
}

const tellMs = 5000
const folderOf = (storage: string, service: string) => join(storage, service, 'feed')

async function isWanted(storage: string, service: KnownFeed, { services }: Wish): Promise<boolean> {
  if (services.length > 0) return services.includes(service.name)
  return !(await isSound(folderOf(storage, service.name), service))
}

/** Whether there is a store that opens and has the feed that the fleet knows, and no frame of its newest history is damaged. */
async function isSound(path: string, { name: worker, site, intervalMs, main }: KnownFeed): Promise<boolean> {
  if (!(await exists(path))) return false
  try {
    if (!(await holdsFeed(path, { main }))) return false
    const store = await openStore({ path, worker, site, intervalMs })
    const { damagedBlocks = 0 } = store.stats()
    await store.close()
    return damagedBlocks === 0
  } catch (error) {
    if (errorInfo(error).code !== 'STORE_FAILED') throw error
    return false
  }
}

async function putInPlace(storage: string, { folder, ...facts }: RestoredFeed): Promise<Restored> {
  const path = folderOf(storage, facts.service)
  const damaged = (await exists(path)) ? `${path}.damaged-${systemClock.now()}` : null
  if (damaged !== null) await rename(path, damaged)
  await rename(folder, path)
  return { ...facts, damaged }
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

export function restoredText({ service, devices, entries, rebuilt, newestAt, damaged }: Restored): string {
  const inventory = rebuilt > 0 ? `${rebuilt} of the inventory made of the last records` : `${entries} of the inventory`
  const kept = damaged === null ? '' : `; what was there is kept in ${damaged}`
  return `${service}: ${devices} devices, ${inventory}, newest word ${newestAt === null ? 'not known' : `${age(newestAt)} ago`}${kept}`
}
