import { randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import { mainName } from './layout.js'
import { readOwn, writeOwn } from './own-file.js'

/** What the folder says of its feeds; each word of it replaces the one before. */
interface Word {
  /** Names, oldest first; the last one is written to. '' is that of a folder from before feeds had names. */
  readonly feeds: readonly string[]
  /** Where the folder lay: a copy lies elsewhere. */
  readonly place?: string
  /** Which start of the machine has it open. */
  readonly open?: string
  /** Keys of feeds that this folder did not write: those of a folder that was lost, as they were fetched back; newest first. */
  readonly lost?: readonly string[]
  /** What the first feed of this folder takes over from them. */
  readonly heritage?: readonly (readonly [string, unknown])[]
}

/** Corestore makes it with the folder and never again. */
const deviceFile = 'CORESTORE'
const wordsName = 'feeds'
/**
 * Beside the store: how many words were said in it. With fewer its end is missing, though it reads as if it were whole; and where the file
 * is another one than was written, all was put back from a backup, in its old place.
 */
const countFile = 'WORDS'
const keptWords = 16

/** The log of this name in one of the folder's feeds. A block of it that is not here is said and not waited for: who writes would wait for ever. */
export function logIn(cores: Corestore, feed: string, name: string): Hypercore {
  return cores.get({ name: feed === '' ? name : `${feed}/${name}`, wait: false })
}

/** This start of the machine; another one after every loss of power. */
export async function thisBoot(): Promise<string> {
  const id = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  return id.trim() || `unknown-${randomBytes(8).toString('hex')}`
}

/** Tells a folder from its copies, also from one that was put back in its place. */
export async function whereIs(path: string): Promise<string> {
  const { ino, birthtimeMs } = await stat(join(path, deviceFile))
  return `${ino}-${birthtimeMs}`
}

/**
 * Which feed of a folder is written to. What others have of a feed may be longer than what is here after a backup was restored or power
 * was lost: going on from the shorter end would close the log everywhere. Then, and in a new folder, a new feed begins, under a name that
 * never was: the old one stays to be read, and is fetched back from whoever has more of it.
 */
export class Feeds {
  readonly #cores: Corestore
  readonly #log: Hypercore
  #word: Word
  /** Why this opening has begun a new feed beside an older one, if so. */
  begun: string | undefined

  private constructor(cores: Corestore, log: Hypercore, word: Word) {
    this.#cores = cores
    this.#log = log
    this.#word = word
  }

  static async open(cores: Corestore, { boot, place }: { boot: string; place: string }): Promise<Feeds> {
    const log = cores.get({ name: wordsName })
    await log.ready()
    const known = await lastWord(log)
    const word = known ?? { feeds: (await isEmpty(cores, '')) ? [] : [''] }
    const said = await wordsSaid(cores)
    const moved = (word.place !== undefined && word.place !== place) || !said.here
    const torn = log.length < said.count
    const doubtful = moved || torn || (word.open !== undefined && word.open !== boot)
    const current = word.feeds.at(-1)
    const fresh = current === undefined || (doubtful && !(await isEmpty(cores, current)))
    const names = fresh ? [...word.feeds, randomBytes(8).toString('hex')] : word.feeds
    const feeds = new Feeds(cores, log, word)
    const { lost, heritage } = word
    const takesOver = current === undefined || (await isEmpty(cores, current))
    if (torn && current === undefined) feeds.begun = 'all that stood in the folder is gone'
    else if (fresh && current !== undefined)
      feeds.begun = moved
        ? 'the folder was restored or copied'
        : torn
          ? 'the end of the store is gone'
          : 'power was lost'
    await feeds.#say({
      feeds: names,
      place,
      open: boot,
      ...(lost ? { lost } : {}),
      ...(heritage && takesOver ? { heritage } : {}),
    })
    return feeds
  }

  get current(): string {
    return this.#word.feeds.at(-1)!
  }

  /** Newest first. */
  get earlier(): readonly string[] {
    return this.#word.feeds.slice(0, -1).reverse()
  }

  /** Feeds of a folder that was lost, newest first. */
  get lost(): readonly string[] {
    return this.#word.lost ?? []
  }

  get heritage(): readonly (readonly [string, unknown])[] {
    return this.#word.heritage ?? []
  }

  /** On the disk itself when it resolves: a loss of power must not take back that the folder is open, or what was written until it was closed. */
  async #say(word: Word): Promise<void> {
    await this.#log.append(Buffer.from(JSON.stringify(word)))
    await this.#cores.storage.db.flush()
    this.#word = word
    await writeOwn(join(this.#cores.storage.path, countFile), { said: this.#log.length })
    const old = this.#log.length - keptWords
    if (old > 0) await this.#log.clear(Math.max(0, old - keptWords), old)
  }

  /** Everything was written: the next one may go on from here. */
  async close(): Promise<void> {
    const { open: _, ...word } = this.#word
    try {
      await this.#say(word)
    } finally {
      await this.#log.close()
    }
  }
}

/** How many, and whether they were said here. */
async function wordsSaid(cores: Corestore): Promise<{ count: number; here: boolean }> {
  const file = await readOwn(join(cores.storage.path, countFile))
  const { value } = file ?? {}
  // Earlier versions wrote the number alone.
  const said = typeof value === 'number' ? value : (value as { said?: unknown } | undefined)?.said
  return { count: typeof said === 'number' ? said : 0, here: file?.isOwn ?? true }
}

/** Keys of the feeds that a folder holds, which was opened as a store before; it is not changed. */
export async function feedsIn(cores: Corestore): Promise<string[]> {
  const log = cores.get({ name: wordsName })
  await log.ready()
  const { feeds = [], lost = [] } = (await lastWord(log)) ?? {}
  await log.close()
  return [...(await Promise.all(feeds.map((name) => mainKeyOf(cores, name)))), ...lost]
}

/** The key by which others find a feed of the folder. */
export async function mainKeyOf(cores: Corestore, feed: string): Promise<string> {
  const main = logIn(cores, feed, mainName)
  await main.ready()
  const key = Buffer.from(main.key).toString('hex')
  await main.close()
  return key
}

/** Whether a store was ever opened in the folder, or made ready to be. */
export async function isBegun(cores: Corestore): Promise<boolean> {
  const log = cores.get({ name: wordsName })
  await log.ready()
  const begun = log.length > 0
  await log.close()
  return begun
}

/** Makes a folder ready for a store that goes on from feeds that another folder wrote, newest first, in a feed of its own. */
export async function goOnFrom(
  cores: Corestore,
  {
    place,
    lost,
    heritage,
  }: { place: string; lost: readonly string[]; heritage: readonly (readonly [string, unknown])[] },
): Promise<void> {
  const log = cores.get({ name: wordsName })
  await log.ready()
  const word: Word = { feeds: [], place, lost, heritage }
  await log.append(Buffer.from(JSON.stringify(word)))
  await log.close()
}

/** What a folder that no store was opened in yet goes on from; undefined without it. */
export async function begunFrom(cores: Corestore): Promise<Pick<Required<Word>, 'lost' | 'heritage'> | undefined> {
  const log = cores.get({ name: wordsName })
  await log.ready()
  const word = await lastWord(log)
  await log.close()
  return word?.feeds.length === 0 ? { lost: word.lost ?? [], heritage: word.heritage ?? [] } : undefined
}

async function lastWord(log: Hypercore): Promise<Word | undefined> {
  if (log.length === 0) return undefined
  const bytes = await log.get(log.length - 1, { wait: false })
  return bytes === null ? undefined : (JSON.parse(Buffer.from(bytes).toString()) as Word)
}

async function isEmpty(cores: Corestore, feed: string): Promise<boolean> {
  const main = logIn(cores, feed, mainName)
  await main.ready()
  const empty = main.length === 0
  await main.close()
  return empty
}
