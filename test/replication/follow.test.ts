import test from 'brittle'
import {
  type FollowOptions,
  fleetView,
  followFeed,
  type Keep,
  type RemoteReader,
  type Store,
  type StoreLimits,
} from '#replication'
import { FakeClock } from '../support/fake-clock.js'
import { connect, until } from './connection.js'
import { intervalMs, open, record, start, tidy } from './support.js'

const limits: Partial<StoreLimits> = { segmentMs: 1000, wholeRecordMs: 3000, foldSteps: 2, foldLeast: 1 }

interface Closing {
  tmp(): Promise<string>
  teardown(close: () => unknown): void
}

async function follow(
  t: Closing,
  store: Pick<Store, 'feed'>,
  rest: Partial<FollowOptions> & { path?: string } = {},
): Promise<RemoteReader> {
  const reader = await followFeed({
    path: rest.path ?? (await t.tmp()),
    feed: store.feed,
    worker: 'wm',
    site: 'home',
    intervalMs,
    limits: { blockMs: 300, retryMs: 20 },
    ...rest,
  } as FollowOptions)
  t.teardown(() => reader.close())
  return reader
}

/** Two devices, a tick every 100 ms from tick `from` on. */
async function ticks(store: Store, from: number, count: number): Promise<void> {
  for (let tick = from; tick < from + count; tick++) {
    const at = start + tick * 100
    const records = ['a', 'b'].map((id) => record(id, at, { powerW: tick, hashrateThs: 200 + tick / 100 }))
    const events = [{ at, type: 'status' as const, deviceId: 'a', message: `tick ${tick}` }]
    await store.append({ at, records, events })
  }
}

const powers = async (reader: Pick<Store, 'history'>, id = 'a') => {
  const span = { from: start - 1, to: start + 10_000_000_000 }
  const { series, missing } = await reader.history({ deviceId: id, metrics: ['powerW'], ...span, step: 'raw' })
  return { known: (series.powerW ?? []).filter((value) => value !== null), missing }
}
const upTo = (count: number) => Array.from({ length: count }, (_, tick) => tick)
const reached = (reader: RemoteReader, tick: number) => () => reader.record('b')?.metrics.powerW === tick

test('a remote reader shows what the store shows: records, history, events, settings, removals', async (t) => {
  const store = await open(t, await t.tmp(), limits)
  await ticks(store, 0, 25)
  const reader = await follow(t, store)
  t.alike(reader.records(), [], 'nothing is here yet')
  t.is(reader.lag().ageMs, null)
  connect(store, reader)
  await until('the newest record is there', reached(reader, 24))
  t.alike(reader.record('a'), store.record('a'))
  t.alike((await powers(reader)).known, upTo(25))
  const heard: string[] = []
  reader.watch(({ records, removed, events }) =>
    heard.push(
      ...records.map(({ id }) => id),
      ...removed.map((id) => `-${id}`),
      ...events.map(({ message }) => message),
    ),
  )
  await ticks(store, 25, 30)
  await store.append({
    at: start + 5500,
    records: [],
    settings: [{ deviceId: 'a', at: start + 5500, settings: { mode: 'low' } }],
  })
  await tidy(store, 20)
  await until('it follows over many segments', reached(reader, 54))
  t.ok(heard.includes('tick 54'), 'events are heard')
  await store.deleteEntry('b', [{ at: start + 6000, type: 'inventory', deviceId: 'b', message: 'Removed.' }])
  await until('the removal arrives', () => heard.includes('-b') && heard.includes('Removed.'))
  t.is(reader.records().length, 1)
  for (const step of ['raw', '1m', '1h'] as const) {
    const query = { deviceId: 'b', metrics: ['powerW', 'hashrateThs'] as const, from: start, to: start + 60_000, step }
    t.alike(await reader.history(query), await store.history(query), `${step}, also of what was removed`)
  }
  t.alike(await reader.events({ limit: 1000 }), await store.events({ limit: 1000 }))
  t.alike(await reader.events({ deviceId: 'b' }), await store.events({ deviceId: 'b' }))
  t.alike(await reader.settings('a'), await store.settings('a'))
  t.is(reader.lag().at, start + 5500)
  await ticks(store, 60, 1)
  await until('it may be added again', () => reader.record('b') !== undefined)
})

test('without its peer a reader serves what it has; when the peer is back it goes on, after a restart of either', async (t) => {
  const path = await t.tmp()
  const own = await t.tmp()
  let store = await open(t, path, limits)
  await ticks(store, 0, 45)
  await tidy(store, 20)
  let reader = await follow(t, store, { path: own, keep: 'all' })
  const cut = connect(store, reader)
  await until(
    'all of it is here',
    async () => reached(reader, 44)() && (await powers(reader)).known.length === 45 && reader.lag().behind === 0,
  )
  await until('also the chunks', async () => (await reader.events({ limit: 1000 })).length === 45)
  await cut()
  await reader.close()
  reader = await follow(t, store, { path: own, keep: 'all' })
  t.is(reader.record('b')?.metrics.powerW, 44, 'after a restart, alone')
  t.is(reader.lag().connections, 0)
  const alone = await powers(reader)
  t.alike(alone.known, upTo(45))
  t.absent(alone.missing)
  t.is((await reader.events({ limit: 1000 })).length, 45)
  await store.close()
  store = await open(t, path, limits)
  await ticks(store, 45, 40)
  await tidy(store, 20)
  connect(store, reader)
  await until('it has caught up', reached(reader, 84))
  t.alike((await powers(reader)).known, upTo(85))
})

test('what nobody has is a gap that is said, and waits for nobody', async (t) => {
  const store = await open(t, await t.tmp(), limits)
  await ticks(store, 0, 60)
  await tidy(store, 40)
  const reader = await follow(t, store)
  const cut = connect(store, reader)
  await until('the newest record is there', reached(reader, 59))
  await cut()
  const began = performance.now()
  const { known, missing } = await powers(reader)
  t.ok(performance.now() - began < 250, 'at once, when nobody is connected')
  t.ok(known.length > 0 && known.length < 60, 'the latest samples are here')
  t.is(missing?.[0]?.from, start)
  t.alike([missing?.[0]?.worker, missing?.[0]?.site, missing?.[0]?.reason], ['wm', 'home', 'absent'])
  t.ok((missing?.[0]?.to ?? 0) < start + 5900)
  const events = await reader.events({ limit: 1000 })
  t.is(events.at(-1)?.data?.missing, true, 'the list of events says where it ends')
  t.ok(events.length < 60)
})

for (const keep of ['live', '7d', 'all'] as Keep[]) {
  test(`what the worker drops: a reader that keeps ${keep}`, { timeout: 120_000 }, async (t) => {
    const day = 86_400_000
    const store = await open(
      t,
      await t.tmp(),
      { ...limits, segmentMs: 3_600_000 },
      { keep: { raw: { ageMs: 2 * day } } },
    )
    const clock = new FakeClock(start)
    const reader = await follow(t, store, { keep, clock })
    connect(store, reader)
    const hours = 24 * (keep === '7d' ? 9 : 5)
    for (let hour = 0; hour < hours; hour++) {
      const at = start + hour * 3_600_000
      await store.append({ at, records: [record('a', at, { powerW: hour }), record('b', at, { powerW: hour })] })
      await tidy(store, 6)
      await clock.advance(3_600_000)
      await until('it follows', reached(reader, hour))
      if (keep !== 'live') await until('and has the rest', () => reader.lag().behind === 0)
    }
    t.ok((store.stats().droppedVolumes ?? 0) > 1)
    const own = (await powers(store)).known
    await until('raw history', async () => {
      const { known, missing } = await powers(reader)
      return !missing && known.length === (keep === 'all' ? hours : own.length)
    })
    t.ok(own.length > 24 && own.length < 24 * 5, 'the worker has dropped the rest')
    const query = {
      deviceId: 'a',
      metrics: ['powerW'] as const,
      from: start,
      to: start + hours * 3_600_000,
      step: '1d' as const,
    }
    t.alike(await reader.history(query), await store.history(query), 'roll-ups are there for all of it')
  })
}

test('records of a worker that cannot be reached grow old: shown, with their age, in no total', async (t) => {
  const clock = new FakeClock(start)
  const store = await open(t, await t.tmp(), limits, { clock })
  await store.append({
    at: start,
    records: [record('a', start, { hashrateThs: 100 }), record('b', start, { hashrateThs: 100 })],
  })
  const reader = await follow(t, store, { clock })
  const cut = connect(store, reader)
  await until('the records are there', () => reader.records().length === 2)
  const view = fleetView({ readers: () => [reader] }, { clock })
  t.is(view.totals().hashrateThs, 200)
  await cut()
  await clock.advance(intervalMs * 3)
  t.is(view.totals().hashrateThs, null)
  t.is(view.device('a')?.status, 'stale')
  t.is(view.device('a')?.metrics.hashrateThs, 100)
  t.is(reader.lag().ageMs, intervalMs * 3)
  view.close()
})

for (const kind of ['local', 'remote'] as const) {
  test(`a fleet over two ${kind} readers: totals, pages, history, events, removals`, { timeout: 60_000 }, async (t) => {
    const clock = new FakeClock(start + 1000)
    const stores = await Promise.all(
      ['one', 'two'].map(async (worker) => open(t, await t.tmp(), limits, { worker, site: worker })),
    )
    const readers = await Promise.all(
      stores.map(async (store) => {
        if (kind === 'local') return store
        const reader = await follow(t, store, { worker: store.worker, site: store.site, clock })
        connect(store, reader)
        return reader
      }),
    )
    const view = fleetView({ readers: () => readers }, { clock })
    t.teardown(() => view.close())
    for (const [index, store] of stores.entries()) {
      const { worker, site } = store
      for (const tick of upTo(20)) {
        const at = start + tick * 100
        const records = ['a', 'b'].map((id) =>
          record(`${site}-${id}`, at, { hashrateThs: 100 + index, powerW: tick }, { site, worker }),
        )
        const events = [
          { at: at + index, type: 'status' as const, deviceId: `${site}-a`, message: `${worker} ${tick}` },
        ]
        await store.append({ at, records, events })
      }
    }
    await until(
      'all of it is shown',
      () => view.match({}).length === 4 && view.match({}).every(({ metrics }) => metrics.powerW === 19),
    )
    t.is(view.totals().hashrateThs, 402)
    t.alike(
      view.groups('site').map(({ key, totals }) => [key, totals.hashrateThs]),
      [
        ['one', 200],
        ['two', 202],
      ],
    )
    t.alike(
      view.devices({ sort: '-hashrateThs', limit: 3 }).data.map(({ id }) => id),
      ['two-a', 'two-b', 'one-a'],
    )
    const { series } = await view.history({
      deviceId: 'two-b',
      metrics: ['powerW'],
      from: start,
      to: start + 5000,
      step: 'raw',
    })
    t.alike(series.powerW, upTo(20))
    t.alike(
      (await view.events({ limit: 3 })).map(({ message }) => message),
      ['two 19', 'one 19', 'two 18'],
    )
    await stores[0]!.deleteEntry('one-a')
    await until('it is gone', () => view.device('one-a') === undefined)
    t.is(view.totals().devices, 3)
    await clock.advance(intervalMs * 4)
    t.is(view.totals().hashrateThs, null, 'nobody was asked for a while')
  })
}
