import test from 'brittle'
import { followFeed, type RemoteReader, type Store } from '#replication'
import { connect, until } from './connection.js'
import { intervalMs, open, record, start, tidy } from './support.js'

const limits = { segmentMs: 1000, wholeRecordMs: 3000, foldSteps: 2, foldLeast: 1 }

async function ticks(store: Store, from: number, count: number): Promise<void> {
  for (let tick = from; tick < from + count; tick++) {
    const at = start + tick * 100
    const events = [{ at, type: 'status' as const, deviceId: 'a', message: `tick ${tick}` }]
    await store.append({ at, records: [record('a', at, { powerW: tick })], events })
  }
}

const span = { from: start, to: start + 60_000, step: 'raw' as const }

async function powers(reader: RemoteReader): Promise<(number | null)[]> {
  const { series } = await reader.history({ deviceId: 'a', metrics: ['powerW'], ...span })
  return series.powerW?.filter((value) => value !== null) ?? []
}

const upTo = (count: number) => Array.from({ length: count }, (_, tick) => tick)

test('of an earlier feed that ended nothing is read that came later, whoever brings it', async (t) => {
  const path = await t.tmp()
  const old = await open(t, await t.tmp(), limits)
  const fresh = await open(t, await t.tmp(), limits)
  const follow = async (feed: Store, earlier: Parameters<typeof followFeed>[0]['earlier'] = []) => {
    const options = { worker: 'wm', site: 'home', intervalMs, keep: 'all' as const }
    const reader = await followFeed({
      path,
      feed: feed.feed,
      earlier,
      ...options,
      limits: { blockMs: 300, retryMs: 20 },
    })
    t.teardown(() => reader.close())
    return reader
  }
  await ticks(old, 0, 25)
  const first = await follow(old)
  connect(old, first)
  await until('all of it is here', async () => (await powers(first)).length === 25 && first.lag().behind === 0)
  await first.close()

  const second = await follow(fresh, [{ ...old.feed, end: 'here' }])
  const end = second.ends().get(old.feed.main)
  t.ok(end && end.main > 1 && end.blocks > 0)
  await ticks(old, 25, 30)
  await tidy(old)
  connect(old, second)
  connect(fresh, second)
  await ticks(fresh, 60, 5)
  const both = [...upTo(25), ...upTo(65).slice(60)]
  await until('the new one is here', async () => (await powers(second)).includes(64))
  t.alike(await powers(second), both)
  t.is((await second.events({ limit: 1000 })).length, 30)
  await second.close()

  const third = await follow(fresh, [{ ...old.feed, end }])
  connect(old, third)
  connect(fresh, third)
  await ticks(fresh, 65, 1)
  await until('the new one is here', async () => (await powers(third)).includes(65))
  t.alike(await powers(third), [...both, 65], 'also after a restart')
  t.alike(third.ends().get(old.feed.main), end)
})
