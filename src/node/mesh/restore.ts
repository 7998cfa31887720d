import { join } from 'node:path'
import b4a from 'b4a'
import { type Key, keyOf, makeSecretFolder, openIdentity } from '#keys'
import { type Clock, type Log, SdkError, sleep, within } from '#model'
import { type FleetRecord, type Refetch, type Refetched, type Refetching, refetchFeed } from '#replication'
import { openNetwork } from '../network/index.js'
import { keyPairOf, loadGrant, loadMembership, mainProcess } from './membership.js'
import type { MeshOptions } from './options.js'
import { openRecordOf } from './record.js'
import { createStanding, rollOf } from './standing.js'

/** A feed of this node, as the record names it. */
export interface KnownFeed {
  readonly name: string
  readonly site: string
  readonly intervalMs: number
  readonly main: Key
}

export interface RestorePlan {
  readonly storage: string
  readonly mesh: Pick<MeshOptions, 'process' | 'bootstrap' | 'site' | 'host' | 'port'>
  /** Into which folder the feed of a service of this node is fetched; undefined: it is not wanted. */
  folderOf(service: KnownFeed): Promise<string | undefined>
  /** Without anything new for so long it is given up, ms. */
  readonly patienceMs: number
  readonly tell: (service: string, progress: Refetching) => void
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

export type RestoredFeed = Refetched & { readonly service: string; readonly folder: string }

const defaultIntervalMs = 10_000
const lookMs = 100
const trustMs = 7 * 86_400_000
const mostCalled = 256

/**
 * Fetches feeds of this node, as the fleet's record names them, back from members that hold copies. The caller holds the folder, and no
 * service runs. Throws NOT_FOUND for a folder without a fleet, UNAVAILABLE if nobody who has the record or a feed can be reached.
 */
export async function restoreFeeds(plan: RestorePlan): Promise<RestoredFeed[]> {
  const { storage, mesh, clock, log, signal } = plan
  const [membership, grant] = await Promise.all([loadMembership(storage), loadGrant(storage, mesh.process)])
  if (!membership || !grant)
    throw new SdkError('NOT_FOUND', `${storage} belongs to no fleet: nobody else has what was here`)
  const identity = await openIdentity(storage)
  const keyPair = keyPairOf(identity, mesh.process)
  const own = keyOf(keyPair)
  if (mesh.process !== mainProcess) await makeSecretFolder(join(storage, mesh.process))
  const record = await openRecordOf(storage, mesh.process, {
    key: membership.record,
    encryptionKey: b4a.from(membership.encryptionKey, 'hex'),
    identity,
    keyPair,
    clock,
    log,
  })
  const fetches = new Map<Refetch, string>()
  const closing: (() => Promise<unknown> | unknown)[] = [() => record.close()]
  try {
    const standing = createStanding({
      roll: rollOf(record),
      membership,
      clock,
      maxAgeMs: trustMs,
    })
    const network = await openNetwork({
      keyPair,
      bootstrap: mesh.bootstrap ?? membership.bootstrap,
      host: mesh.host,
      port: mesh.port,
      site: mesh.site ? { bootstrap: mesh.site } : undefined,
      folder: storage,
      admits: standing.admits,
      announce: false,
      relay: { through: () => record.services().flatMap((service) => service.relay ?? []) },
      clock,
      log,
      signal,
    })
    closing.unshift(() => network.close())
    const streams = new Map<Parameters<Refetch['attach']>[0], string>()
    const attach = (fetching: Refetch, site: string) => {
      for (const [stream, peer] of streams) if (standing.mayRead(peer, site)) fetching.attach(stream)
    }
    closing.unshift(
      network.onPeer((peer, stream) => {
        record.replicate(stream)
        streams.set(stream, peer)
        stream.once('close', () => streams.delete(stream))
        for (const [fetching, site] of fetches) attach(fetching, site)
        return undefined
      }),
    )
    // By their keys: whoever keeps the record, and then everybody who may hold a copy.
    const meet = () => {
      const members = record.members().filter(({ revoked, grant }) => !revoked && grant.role !== 'worker')
      const known = record.fleet ? members.map(({ key }) => key) : membership.hosts
      for (const key of known.slice(0, mostCalled)) if (key !== own) network.joinPeer(key)
    }
    closing.unshift(record.watch(meet))
    meet()
    await recordOf(record, plan)

    const restored: RestoredFeed[] = []
    for (const { name, site = '', feed, member, intervalMs = defaultIntervalMs } of record.services()) {
      if (member !== own || feed === undefined) continue
      const folder = await plan.folderOf({ name, site, intervalMs, main: feed })
      if (folder === undefined) continue
      const fetching = await refetchFeed({
        path: folder,
        feed: { main: feed },
        worker: name,
        site,
        intervalMs,
        clock,
        log,
      })
      fetches.set(fetching, site)
      attach(fetching, site)
      try {
        restored.push({ service: name, folder, ...(await finished(fetching, name, plan)) })
      } finally {
        fetches.delete(fetching)
        await fetching.close()
      }
    }
    return restored
  } finally {
    for (const close of closing) await close()
  }
}

/** Waits for the record to say anything. */
async function recordOf(record: FleetRecord, { patienceMs, clock, signal }: RestorePlan): Promise<void> {
  const limits = { what: 'reading the record of the fleet', ms: patienceMs, signals: [signal], clock }
  await within(limits, async (stop) => {
    while (record.fleet === undefined || record.currentAt === null) await sleep(clock, lookMs, stop())
  }).catch((error: unknown) => {
    if (!(error instanceof SdkError) || error.code !== 'TIMEOUT') throw error
    throw new SdkError('UNAVAILABLE', 'nobody who keeps the record of the fleet can be reached', { cause: error })
  })
}

/** Gives up when nothing new has come for so long. */
async function finished(fetching: Refetch, service: string, plan: RestorePlan): Promise<Refetched> {
  const { patienceMs, clock, signal, tell } = plan
  const stalled = new AbortController()
  let here = -1
  let since = clock.hr()
  return fetching.finish(AbortSignal.any([signal, stalled.signal]), (progress) => {
    if (progress.here !== here) since = clock.hr()
    here = progress.here
    tell(service, progress)
    if (clock.hr() - since < patienceMs) return
    const message = `nobody who has ${here > 0 ? 'more of ' : ''}the feed of ${service} can be reached`
    stalled.abort(new SdkError('UNAVAILABLE', `${message}; what came is kept, and it goes on from there next time`))
  })
}
