import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import type { Clock, Log } from '#model'
import { type Feeds, logIn, mainKeyOf } from './feeds.js'
import { defaultFollowLimits, maxEarlier } from './follow.js'
import { keys, mainName, openMain, under } from './layout.js'
import { Replica } from './replica.js'
import { type Retention, type Stored, together } from './retention.js'

/**
 * The feeds that a folder had to leave behind, newest first: read as anybody else's, so that what is missing comes back from others. Of
 * them is kept what the store would keep of its own; `own` is what stands in that.
 */
export async function openEarlier(
  cores: Corestore,
  feeds: Feeds,
  { retention, own, ...parts }: { worker: string; clock: Clock; log: Log; retention: Retention; own: () => Stored },
): Promise<Replica[]> {
  const replicas: Replica[] = []
  const named = await Promise.all(feeds.earlier.map((name) => mainKeyOf(cores, name)))
  for (const main of [...named, ...feeds.lost].slice(0, maxEarlier)) {
    const newer = [...replicas]
    const replica = new Replica({
      ...parts,
      cores,
      feed: { main },
      keep: 'all',
      limits: defaultFollowLimits,
      changed: () => undefined,
      retained: (directory) =>
        retention.inEarlier(directory, [own(), ...newer.map(({ stored }) => stored)].reduce(together)),
    })
    replicas.push(replica)
    await replica.open()
  }
  return replicas
}

/** What a new feed takes over from the one before it: the inventory and the documents, as they are here. */
export async function inherited(cores: Corestore, feeds: Feeds): Promise<[string, unknown][]> {
  const [before] = feeds.earlier
  if (before === undefined) return feeds.heritage.map(([key, value]) => [key, value])
  return heritageOf(logIn(cores, before, mainName))
}

/** The inventory and the documents of a feed. Throws if not all of them are here. Closes the log. */
export async function heritageOf(log: Hypercore): Promise<[string, unknown][]> {
  const main = openMain(log)
  const found: [string, unknown][] = []
  try {
    for (const prefix of [keys.entries, keys.document('')]) {
      for await (const { key, value } of main.createReadStream(under(prefix), { wait: false })) found.push([key, value])
    }
  } finally {
    await main.close()
  }
  return found
}
