import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import { type Log, silentLog } from '#model'
import { openCores } from './cores.js'
import { Directory, keptFrom } from './directory.js'
import { feedsIn } from './feeds.js'
import { journalNumber, openMain, rawName, storeError, tierName, tiers, volumeOf } from './layout.js'
import type { FeedKeys } from './types.js'

/** What of a folder's feeds can be read, in blocks. */
export interface Survey {
  readonly read: number
  /** Damaged; or missing, where nothing may be missing. */
  readonly lost: number
}

export interface SurveyOptions {
  /** Nothing of the feed may be missing that its writer keeps; of the folder's other feeds some may always be with others. */
  readonly whole: boolean
  /** After each log. */
  readonly tell?: (progress: Survey) => void
  readonly log?: Log
  readonly signal?: AbortSignal
}

/** A log, and how many blocks of it a reader needs; null: what is here of it. */
type Needed = readonly [key: string, blocks: number | null]

/**
 * Reads every block of the feeds in a folder, one at a time, and compares it with the hash that its writer signed: whatever a reader of the
 * history could meet. Changes nothing. Throws what opening a store throws.
 */
export async function surveyFeeds(path: string, feed: FeedKeys, options: SurveyOptions): Promise<Survey> {
  const { tell = () => {}, log = silentLog, signal } = options
  const cores = await openCores(path, log)
  let [read, lost] = [0, 0]
  try {
    for (const main of await feedsIn(cores)) {
      const whole = options.whole && main === feed.main
      for (const [key, blocks] of await neededOf(cores, main, whole)) {
        signal?.throwIfAborted()
        const found = await readAll(cores, key, blocks)
        read += found.read
        lost += found.lost
        tell({ read, lost })
      }
    }
    return { read, lost }
  } catch (error) {
    throw storeError(error, 'the store cannot be read')
  } finally {
    await cores.close()
  }
}

async function neededOf(cores: Corestore, main: string, whole: boolean): Promise<Needed[]> {
  const directory = new Directory()
  const table = openMain(cores.get({ key: Buffer.from(main, 'hex') }))
  try {
    await directory.load(table, { wait: false })
  } catch {
    // Which block of the table it was is found with the table itself.
  } finally {
    await table.close()
  }
  const needed = whole ? leastOf(directory) : new Map<string, number>()
  const others = [...directory.logs].map(([name, { key }]): Needed => [key, needed.get(name) ?? null])
  return [[main, whole ? 1 : null], ...others]
}

/** How long each log is at least that a reader needs, and its writer has not cleared. */
function leastOf({ progress, logs, spans, days }: Directory): Map<string, number> {
  const least = new Map<string, number>()
  if (!progress) return least
  const need = (name: string, length: number) => least.set(name, Math.max(length, least.get(name) ?? 0))
  for (const name of logs.keys()) if (journalNumber(name) >= progress.cleared) need(name, 0)
  for (const { segment, table, raw = 0 } of spans) {
    const volume = volumeOf(segment)
    if (!days.has(volume) && volume >= keptFrom(progress, 'raw')) need(rawName(segment, table), raw)
  }
  for (const { volume, devices, hours } of days.values()) {
    for (const tier of tiers) {
      if (devices > 0 && volume >= keptFrom(progress, tier))
        need(tierName(tier, volume), tier === '1h' ? hours : devices + 1)
    }
  }
  return least
}

async function readAll(cores: Corestore, key: string, least: number | null): Promise<Survey> {
  const log = cores.get({ key: Buffer.from(key, 'hex') })
  try {
    await log.ready()
    const here = await heldOf(log)
    const sound = await log.core!.audit({ tree: false, bitfield: false, dryRun: true }).then(
      ({ blocks }) => Math.min(blocks, here),
      () => 0,
    )
    const absent = least === null ? 0 : Math.max(log.length, least) - here
    return { read: sound, lost: absent + here - sound }
  } catch {
    return { read: 0, lost: Math.max(1, least ?? 0) }
  } finally {
    await log.close().catch(() => undefined)
  }
}

/** How many blocks the log says to have. */
async function heldOf(log: Hypercore): Promise<number> {
  if (log.length === 0 || (await log.has(0, log.length))) return log.length
  let held = 0
  for (let index = 0; index < log.length; index++) if (await log.has(index)) held++
  return held
}
