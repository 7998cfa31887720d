import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type Assertions } from 'brittle'
import { followFeed, type Keep, type Reader, refetchFeed, type Store } from '#replication'
import { connect, until } from './connection.js'
import { intervalMs, open, record, start, tidy } from './support.js'

const limits = { segmentMs: 1000, wholeRecordMs: 3000, foldSteps: 2, foldLeast: 1 }
const upTo = (count: number) => Array.from({ length: count }, (_, tick) => tick)

/** A tick every 100 ms, each with an event. */
async function ticks(store: Store, from: number, count: number): Promise<void> {
  for (let tick = from; tick < from + count; tick++) {
    const at = start + tick * 100
    const events = [{ at, type: 'status' as const, deviceId: 'a', message: `tick ${tick}` }]
    await store.append({ at, records: [record('a', at, { powerW: tick }, { name: 'first', tags: ['x'] })], events })
  }
  await tidy(store, 20)
}

async function powers(reader: Pick<Reader, 'history'>) {
  const span = { from: start, to: start + 3_600_000 }
  const { series, missing } = await reader.history({ deviceId: 'a', metrics: ['powerW'], ...span, step: 'raw' })
  return { known: (series.powerW ?? []).filter((value) => value !== null), missing }
}

async function replica(t: Assertions, store: Store, keep: Keep, path?: string) {
  const reader = await followFeed({
    path: path ?? (await t.tmp()),
    feed: store.feed,
    worker: 'wm',
    site: 'home',
    intervalMs,
    keep,
    limits: { blockMs: 300, retryMs: 20 },
  })
  t.teardown(() => reader.close())
  return reader
}

/** The program's own timers keep no process alive. */
function awake(t: Assertions): void {
  const interval = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(interval))
}

test('a store that was lost is fetched back from a peer and goes on in a new feed: history, events, inventory, documents', async (t) => {
  awake(t)
  const folder = join(await t.tmp(), 'feed')
  const lost = await open(t, folder, limits)
  await lost.putEntry('a', { host: '10.0.0.1', username: 'admin' })
  await lost.putDocument('job', { state: 'done' })
  await ticks(lost, 0, 45)
  const kept = await t.tmp()
  let peer = await replica(t, lost, 'all', kept)
  const cut = connect(lost, peer)
  await until('the peer has all of it', async () => {
    const { known, missing } = await powers(peer)
    return (
      known.length === 45 && !missing && peer.lag().behind === 0 && (await peer.events({ limit: 100 })).length === 45
    )
  })
  await cut()
  await lost.close()
  await rm(folder, { recursive: true })

  const fetching = await refetchFeed({
    path: folder,
    feed: lost.feed,
    worker: 'wm',
    site: 'home',
    intervalMs,
    quietMs: 300,
  })
  const told: number[] = []
  const stop = new AbortController()
  const finished = fetching.finish(stop.signal, ({ here }) => told.push(here))
  const disconnect = connect(peer, fetching)
  t.alike(await finished, { devices: 1, entries: 1, rebuilt: 0, newestAt: start + 4400 })
  t.ok(told.at(-1)! > told[0]!)
  await disconnect()
  await fetching.close()

  const store = await open(t, folder, limits)
  t.unlike(store.feed, lost.feed, 'the lost feed is not written to')
  t.is(store.record('a')?.metrics.powerW, 44, 'the last record stays to be seen')
  t.alike(store.entries().get('a'), { host: '10.0.0.1', username: 'admin' })
  t.alike(await store.getDocument('job'), { state: 'done' })
  t.alike(await powers(store), { known: upTo(45), missing: undefined })
  t.is((await store.events({ limit: 100 })).length, 45)
  await ticks(store, 45, 10)
  await store.deleteEntry('a')
  await store.close()
  const again = await open(t, folder, limits)
  t.alike(again.feed, store.feed)
  t.absent(again.entries().has('a'), 'what was taken over once is not taken over again')
  t.alike((await powers(again)).known, upTo(55))

  await peer.close()
  peer = await replica(t, again, 'all', kept)
  connect(again, peer)
  await until('others find the lost feed through the new one', async () => (await powers(peer)).known.length === 55)
  await t.exception(
    refetchFeed({
      path: join(await t.tmp(), '..', 'gone', '\0'),
      feed: lost.feed,
      worker: 'wm',
      site: 'home',
      intervalMs,
    }),
    { code: 'STORE_FAILED' },
  )
  await again.close()
  await t.exception(refetchFeed({ path: folder, feed: lost.feed, worker: 'wm', site: 'home', intervalMs }), {
    code: 'CONFLICT',
  })
})

test('from a peer that keeps the newest alone comes what it has, and an inventory made of the last records', async (t) => {
  awake(t)
  const lost = await open(t, await t.tmp(), limits)
  await lost.putEntry('a', { host: '10.0.0.1', username: 'admin' })
  await ticks(lost, 0, 45)
  const peer = await replica(t, lost, 'live')
  const cut = connect(lost, peer)
  await until('it has the newest', () => peer.record('a')?.metrics.powerW === 44)
  await cut()
  await lost.close()

  const folder = await t.tmp()
  const fetching = await refetchFeed({
    path: folder,
    feed: lost.feed,
    worker: 'wm',
    site: 'home',
    intervalMs,
    quietMs: 300,
  })
  const finished = fetching.finish(new AbortController().signal)
  connect(peer, fetching)
  const { rebuilt, entries } = await finished
  t.alike([entries, rebuilt], [0, 1])
  await fetching.close()
  const store = await open(t, folder, limits)
  t.alike(store.entries().get('a'), {
    id: 'a',
    host: '10.0.0.1',
    port: 4028,
    name: 'first',
    tags: ['x'],
    simulated: true,
  })
  t.is(store.record('a')?.metrics.powerW, 44)
  const { known, missing } = await powers(store)
  t.is(known.at(-1), 44)
  t.ok(known.length < 45 && missing, 'what nobody has is a gap that is said')
})

test('with nobody it waits, and is given up by its caller', async (t) => {
  awake(t)
  const lost = await open(t, await t.tmp(), limits)
  const fetching = await refetchFeed({
    path: await t.tmp(),
    feed: lost.feed,
    worker: 'wm',
    site: 'home',
    intervalMs,
    quietMs: 10,
  })
  t.teardown(() => fetching.close())
  await t.exception(fetching.finish(AbortSignal.timeout(600)), /timeout/i)
})
