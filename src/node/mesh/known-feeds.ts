import { type Log, type Static, Type } from '#model'
import { jsonFile } from '../json-file.js'
import type { KnownService } from './remote.js'

const key = Type.String({ pattern: '^[0-9a-f]{64}$' })
const count = Type.Integer({ minimum: 0 })
const KnownFeedSchema = Type.Object({
  main: key,
  site: Type.String(),
  worker: Type.String(),
  member: key,
  /** How far it was here when its member was revoked. */
  end: Type.Optional(Type.Object({ main: count, journal: Type.Integer({ minimum: -1 }), blocks: count })),
})
export type KnownFeed = Static<typeof KnownFeedSchema>

/** Of one worker, its present one among them: as many as a reader follows. */
const maxOfWorker = 16

/**
 * Which feeds this node has copies of, each worker's in the order in which they came. The record names only the present one: whose folder
 * was lost returns with a new feed, and nobody else could say which came before.
 */
export interface KnownFeeds {
  /** Keeps in mind that a copy of the service's feed is here; answers those of the same site and name that came before it, newest first. */
  note(service: KnownService): readonly KnownFeed[]
  /** Nothing counts of the feed beyond this. */
  end(feed: Pick<KnownFeed, 'main' | 'site' | 'worker'>, end: KnownFeed['end']): void
}

/** Never rejects: without the file, only what came before the present feeds is not known. */
export async function openKnownFeeds(path: string, log: Log): Promise<KnownFeeds> {
  const file = jsonFile(path, Type.Array(KnownFeedSchema))
  const feeds = new Map<string, readonly KnownFeed[]>()
  const put = (of: string, known: readonly KnownFeed[]) => {
    feeds.set(of, known)
    file
      .save([...feeds.values()].flat())
      .catch((error: unknown) => log.error({ err: error, path }, 'which feeds are followed could not be written down'))
  }
  const stored = await file.load().catch((error: unknown) => {
    log.error({ err: error, path }, 'which feeds were followed before is not known any more')
    return undefined
  })
  for (const each of stored ?? []) feeds.set(workerOf(each), [...(feeds.get(workerOf(each)) ?? []), each])

  return {
    note({ member, name: worker, site = '', feed: main = '' }) {
      const of = workerOf({ site, worker })
      const known = feeds.get(of) ?? []
      const at = known.findIndex((each) => each.main === main)
      if (at < 0) put(of, [...known, { main, site, worker, member }].slice(-maxOfWorker))
      return (at < 0 ? known : known.slice(0, at)).toReversed()
    },
    end(feed, end) {
      const of = workerOf(feed)
      if (end)
        put(
          of,
          (feeds.get(of) ?? []).map((each) => (each.main === feed.main ? { ...each, end } : each)),
        )
    },
  }
}

const workerOf = ({ site, worker }: Pick<KnownFeed, 'site' | 'worker'>) => `${site}/${worker}`
