import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'brittle'
import { followFeed, type Store } from '#replication'
import { connect, until } from './connection.js'
import { intervalMs, open, record, start, tidy } from './support.js'

const limits = { segmentMs: 1000, wholeRecordMs: 3000, foldSteps: 2, foldLeast: 1 }
const at = (second: number) => start + second * 1000
const ids = (reader: { records(): readonly { id: string }[] }) =>
  reader
    .records()
    .map(({ id }) => id)
    .sort()
const entry = { host: '10.0.0.1' }

/** A folder with devices a and b that was put back from a backup: its store goes on in a new feed. */
async function restored(t: Parameters<typeof open>[0] & { tmp(): Promise<string> }): Promise<string> {
  const [path, copy] = [await t.tmp(), join(await t.tmp(), 'copy')]
  const first = await open(t, path, limits)
  for (const id of ['a', 'b']) await first.putEntry(id, entry)
  await first.append({ at: at(0), records: [record('a', at(0)), record('b', at(0))] })
  await first.close()
  await cp(path, copy, { recursive: true })
  return copy
}

test('a device that was removed after its store began a new feed stays removed, restart after restart', async (t) => {
  const path = await restored(t)
  const second = await open(t, path, limits)
  t.alike(ids(second), ['a', 'b'], 'until they are asked again')
  await second.deleteEntry('b')
  t.alike(ids(second), ['a'])
  await second.close()
  const third = await open(t, path, limits)
  t.alike([...third.entries().keys()], ['a'])
  t.alike(ids(third), ['a'])
  for (let second = 1; second < 20; second++) await third.append({ at: at(second), records: [record('a', at(second))] })
  await tidy(third, 20)
  await third.close()
  t.alike(ids(await open(t, path, limits)), ['a'], 'also when the new feed has forgotten the removal')
})

test('who follows the feed hears of it, and does not see the device again', async (t) => {
  const path = await t.tmp()
  const follow = async (store: Store) => {
    const options = { path, feed: store.feed, worker: 'wm', site: 'home', intervalMs, keep: 'all' as const }
    const reader = await followFeed({ ...options, limits: { blockMs: 300, retryMs: 20 } })
    t.teardown(() => reader.close())
    return reader
  }
  const store = await open(t, await restored(t), limits)
  let reader = await follow(store)
  const removed: string[] = []
  reader.watch((change) => removed.push(...change.removed))
  connect(store, reader)
  await until('the old feed speaks', () => ids(reader).length === 2)
  await store.deleteEntry('b')
  await until('it is removed', () => removed.includes('b'))
  t.alike(ids(reader), ['a'])
  t.is(reader.record('b'), undefined)

  for (let second = 1; second < 20; second++) await store.append({ at: at(second), records: [record('a', at(second))] })
  await store.deleteEntry('a')
  await until('all are removed', () => ids(reader).length === 0)
  for (let second = 20; second < 40; second++)
    await store.append({ at: at(second), records: [], events: [{ at: at(second), type: 'service', message: 'on' }] })
  await tidy(store, 200)
  await until('all of it is here', () => reader.lag().behind === 0)
  t.alike(ids(reader), [])
  await reader.close()
  reader = await follow(store)
  t.alike(ids(reader), [], 'nor after a restart: the old feed speaks for nobody any more')
})
