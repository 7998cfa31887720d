import type { Duplex } from 'node:stream'
import { covers, type Held, type Key } from '#keys'
import type { Clock, Log } from '#model'
import {
  type EarlierFeed,
  followFeed,
  type Keep,
  openCores,
  type Reader,
  type RemoteReader,
  type Store,
} from '#replication'
import { type KnownFeed, type KnownFeeds, openKnownFeeds } from './known-feeds.js'
import type { KnownService } from './remote.js'
import type { Standing } from './standing.js'

/** A feed of this node, which others may be given. */
export function isOwnFeed(reader: Reader): reader is Store {
  return typeof (reader as Partial<Store>).replicate === 'function' && (reader as Partial<Store>).feed !== undefined
}

export interface FeedsOptions {
  /** Where the copies are kept; `<folder>.json` says of which feeds. */
  readonly folder: string
  readonly own: Key
  readonly keep: Keep
  readonly standing: Standing
  /** What this node itself may; what it may not read it does not follow. */
  held(): Held
  services(): readonly KnownService[]
  ownReaders(): readonly Reader[]
  /** Asks for a connection with the node, and lets go of it. */
  want(node: Key): void
  unwant(node: Key): void
  /** Called when a copy was opened or closed. */
  readonly changed: () => void
  readonly clock: Clock
  readonly log: Log
}

export interface Feeds {
  readonly readers: readonly RemoteReader[]
  /** The copy of the service's feed; undefined: it is not followed, or is another member's. */
  readerOf(service: KnownService): RemoteReader | undefined
  /** A connection with a peer: the feeds that both may have go over it. */
  connected(peer: Key, stream: Duplex): void
  /** Services, shares or rights have changed. Never rejects; calls that come meanwhile are one. */
  update(): Promise<void>
  close(): Promise<void>
}

interface Followed {
  readonly node: Key
  readonly reader: RemoteReader
  /** The feeds before it that it was opened with. */
  readonly earlier: readonly Earlier[]
}

interface Wanted {
  readonly service: KnownService
  readonly earlier: readonly Earlier[]
}

type Earlier = EarlierFeed & Omit<KnownFeed, 'end'>

/** Of a worker that does not say how often it polls. */
const defaultIntervalMs = 10_000

/** There are many feeds and few sites. */
function bySite(ask: (site: string) => boolean): (site: string) => boolean {
  const known = new Map<string, boolean>()
  return (site) => {
    const answer = known.get(site) ?? ask(site)
    known.set(site, answer)
    return answer
  }
}

const endless = ({ end: _, ...feed }: KnownFeed): Earlier => feed

function isAsFollowed({ node, earlier }: Followed, wanted: Wanted | undefined): boolean {
  return wanted?.service.member === node && textOf(wanted.earlier) === textOf(earlier)
}

/** Where one ends is settled once. */
const textOf = (feeds: readonly Earlier[]) => JSON.stringify(feeds.map(({ main, end }) => [main, end !== undefined]))

/** The feeds of other nodes that this one keeps a copy of, and which feeds go over which connection. */
export function openFeeds(options: FeedsOptions): Feeds {
  const { folder, own, keep, standing, clock, log } = options
  /** Opened for the first of them: most nodes follow nobody, and an open store costs files and memory. */
  let opened: ReturnType<typeof openCores> | undefined
  let known: KnownFeeds | undefined
  const followed = new Map<string, Followed>()
  const peers = new Map<Duplex, Key>()
  let readers: readonly RemoteReader[] = []
  let closed = false

  const mayFollow = ({ member, site = '', feed }: KnownService) => {
    if (!feed || member === own) return false
    const { scope, sites } = options.held()
    return covers(scope, 'read') && (!sites || sites.includes(site))
  }

  /** Both ends decide for themselves; a feed goes over the connection if its owner is there, or somebody who may read it. */
  const attachAll = (peer: Key, stream: Duplex) => {
    const mayRead = bySite((site) => standing.mayRead(peer, site))
    for (const reader of options.ownReaders()) if (isOwnFeed(reader) && mayRead(reader.site)) reader.replicate(stream)
    for (const { node, reader } of followed.values()) if (node === peer || mayRead(reader.site)) reader.attach(stream)
  }

  /** What is to be followed, by main log, and what of each worker comes before it. What was read of a revoked member stays, and nothing new is taken. */
  const wantedNow = async () => {
    const services = options.services().filter(mayFollow)
    const wanted = new Map<Key, Wanted>()
    if (services.length === 0) return wanted
    known ??= await openKnownFeeds(`${folder}.json`, log)
    const present = new Set(services.map(({ feed }) => feed))
    for (const service of [...services].sort((a, b) => a.at - b.at)) {
      const earlier = known
        .note(service)
        .filter(({ main }) => !present.has(main))
        .map((feed) => (standing.admits(feed.member) === 'revoked' ? { end: 'here' as const, ...feed } : endless(feed)))
      wanted.set(service.feed!, { service, earlier })
    }
    return wanted
  }

  const follow = async (main: Key, { service, earlier }: Wanted) => {
    const { member, name, site = '', intervalMs = defaultIntervalMs } = service
    opened ??= openCores(folder, log)
    const cores = await opened.catch((error: unknown) => {
      opened = undefined
      throw error
    })
    const feed = { main }
    const reader = await followFeed({ cores, feed, earlier, worker: name, site, intervalMs, keep, clock, log })
    followed.set(main, { node: member, reader, earlier })
    const ends = reader.ends()
    for (const each of earlier) if (each.end === 'here') known?.end(each, ends.get(each.main))
    options.want(member)
  }

  const reconcile = async () => {
    const wanted = await wantedNow()
    let moved = false
    const left = new Set<Key>()
    for (const [main, one] of followed) {
      if (isAsFollowed(one, wanted.get(main))) continue
      followed.delete(main)
      left.add(one.node)
      moved = true
      await one.reader.close()
    }
    for (const [main, each] of wanted) {
      if (followed.has(main) || closed) continue
      try {
        await follow(main, each)
        moved = true
      } catch (error) {
        log.error({ err: error, worker: each.service.name }, 'a feed cannot be followed')
      }
    }
    for (const { node } of followed.values()) left.delete(node)
    for (const node of left) options.unwant(node)
    readers = [...followed.values()].map(({ reader }) => reader)
    for (const [stream, peer] of peers) attachAll(peer, stream)
    if (moved) options.changed()
  }

  let running: Promise<void> | undefined
  let again = false
  const update = (): Promise<void> => {
    if (running) {
      again = true
      return running
    }
    const run = async () => {
      do {
        again = false
        await reconcile().catch((error: unknown) =>
          log.error({ err: error }, 'the feeds could not be brought up to now'),
        )
      } while (again && !closed)
      running = undefined
    }
    running = run()
    return running
  }

  return {
    get readers() {
      return readers
    },
    readerOf({ member, feed = '' }) {
      const one = followed.get(feed)
      return one?.node === member ? one.reader : undefined
    },
    connected(peer, stream) {
      peers.set(stream, peer)
      stream.once('close', () => peers.delete(stream))
      attachAll(peer, stream)
    },
    update,
    async close() {
      closed = true
      await running
      for (const { reader } of followed.values()) await reader.close()
      await (await opened)?.close()
    },
  }
}
