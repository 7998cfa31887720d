import { rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errorInfo, SdkError, silentLog, systemClock } from '#model'
import { type KnownFeed, lockFolder, type RestoredFeed, restoreFeeds, type SiteConfig } from '#node'
import { holdsFeed, openStore, type Survey, settledFeed, surveyFeeds } from '#replication'
import type { Call } from './command.js'
import { meshOf } from './mesh.js'
import { age } from './output.js'

export interface Restored extends Omit<RestoredFeed, 'folder'> {
  /** What was there, kept beside it; null: nothing was. */
  readonly damaged: string | null
}

/** A store that lacks blocks, and stays as it is: what peers have of it lacks as many. */
export interface Kept {
  readonly service: string
  /** Blocks. */
  readonly lost: number
  readonly lostOfPeers: number
}

interface Wish {
  /** Without them: every store that is gone or cannot be read. */
  readonly services: readonly string[]
  readonly patienceMs: number
}

/**
 * Puts the stores of this site that are lost or damaged back from the copies of other members, each in a feed that goes on from the old one.
 * What is damaged is kept beside it. A store of which only some blocks are damaged gives way to no copy that lacks as much. Throws STORE_LOCKED while the site runs, and what `restoreFeeds` throws.
 */
export async function restoreFromPeers(
  config: SiteConfig,
  wish: Wish,
  { out, signal }: Call,
): Promise<{ restored: Restored[]; kept: Kept[] }> {
  const { storage, mode, services } = config
  const processes = mode === 'microservices' ? services.map(({ name }) => name) : [null]
  const awake = setInterval(() => {}, 60_000)
  const unlocks: (() => Promise<void>)[] = []
  const restored: Restored[] = []
  const kept: Kept[] = []
  /** What of a store that opens cannot be read, by service. */
  const lost = new Map<string, number>()
  let told = 0
  const now = (text: string) => {
    if (systemClock.hr() - told < tellMs) return
    told = systemClock.hr()
    out.note(text)
  }
  const place = async (one: RestoredFeed, { main }: KnownFeed) => {
    const before = lost.get(one.service)
    const came = before && (await surveyFeeds(one.folder, { main }, { whole: true, signal }))
    if (!came || came.lost < before) return void restored.push(await putInPlace(storage, one))
    await rm(one.folder, { recursive: true })
    kept.push({ service: one.service, lost: before, lostOfPeers: came.lost })
  }
  try {
    unlocks.push(await lockFolder(storage))
    for (const only of processes) if (only !== null) unlocks.push(await lockFolder(join(storage, only)))
    const asked = new Set<string>()
    for (const only of processes) {
      const mesh = await meshOf({ ...config, only })
      if (!mesh) throw new SdkError('NOT_FOUND', `${storage} belongs to no fleet: nobody else has what was here`)
      const known = new Map<string, KnownFeed>()
      const found = await restoreFeeds({
        storage,
        mesh,
        patienceMs: wish.patienceMs,
        folderOf: async (service) => {
          asked.add(service.name)
          known.set(service.name, service)
          const look = {
            signal,
            tell: ({ read }: Survey) => now(`${service.name}: ${read} blocks of its store are read`),
          }
          if (!(await isWanted(storage, service, wish, lost, look))) return undefined
          const folder = `${folderOf(storage, service.name)}.restoring`
          // An earlier call ended between its last word and putting it in place.
          const settled = (await exists(folder)) ? await settledFeed(folder, service) : undefined
          if (!settled) return folder
          await place({ service: service.name, folder, ...settled }, service)
          return undefined
        },
        tell(service, { peers, here, coming }) {
          now(`${service}: ${here} blocks are here, ${coming} are coming, from ${peers} peers`)
        },
        clock: systemClock,
        log: silentLog,
        signal,
      })
      for (const one of found) await place(one, known.get(one.service)!)
    }
    const unknown = wish.services.filter((name) => !asked.has(name))
    if (unknown.length > 0)
      throw new SdkError(
        'NOT_FOUND',
        `the fleet knows no feed of ${unknown.join(', ')}; it knows ${[...asked].join(', ') || 'none'} of this node`,
      )
    return { restored, kept }
  } finally {
    for (const unlock of unlocks.reverse()) await unlock()
    clearInterval(awake)
  }
}

const tellMs = 5000
const folderOf = (storage: string, service: string) => join(storage, service, 'feed')

interface Look {
  readonly signal: AbortSignal
  readonly tell: (survey: Survey) => void
}

async function isWanted(
  storage: string,
  service: KnownFeed,
  { services }: Wish,
  lost: Map<string, number>,
  look: Look,
): Promise<boolean> {
  const { name } = service
  if (services.length > 0) return services.includes(name)
  const bad = await damageOf(folderOf(storage, name), service, look)
  if (typeof bad === 'number') lost.set(name, bad)
  return bad !== 0
}

/**
 * How many blocks of the store's history cannot be read; `all`: there is no store that opens and has the feed that the fleet knows, or a frame
 * of its newest history is damaged. That costs no more than a start; only then all of the store is read.
 */
async function damageOf(
  path: string,
  { name: worker, site, intervalMs, main }: KnownFeed,
  look: Look,
): Promise<number | 'all'> {
  if (!(await exists(path))) return 'all'
  try {
    if (!(await holdsFeed(path, { main }))) return 'all'
    const store = await openStore({ path, worker, site, intervalMs })
    const { damagedBlocks = 0 } = store.stats()
    await store.close()
    if (damagedBlocks > 0) return 'all'
    // A feed that the folder has left behind may miss what only others have; the start fetches that by itself.
    return (await surveyFeeds(path, { main }, { whole: store.feed.main === main, ...look })).lost
  } catch (error) {
    if (errorInfo(error).code !== 'STORE_FAILED') throw error
    return 'all'
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

export function keptText({ service, lost, lostOfPeers }: Kept): string {
  return `${service}: ${lost} blocks of its store are lost, and ${lostOfPeers} of what peers have: it stays as it is. Ask again when others are connected, or take what they have: --service ${service}`
}
