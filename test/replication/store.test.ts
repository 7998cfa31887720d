import test from 'brittle'
import Corestore from 'corestore'
import { Feeds, logIn, thisBoot, whereIs } from '../../src/replication/feeds.js'
import { keys, openMain, putAll } from '../../src/replication/layout.js'
import { openTable } from '../../src/replication/volumes.js'
import { open, record, start, tidy } from './support.js'

test('the state survives chunking: old segments go only when every device is written anew', async (t) => {
  const path = await t.tmp()
  const limits = { segmentMs: 1000, wholeRecordMs: 5000 }
  const store = await open(t, path, limits)
  await store.append({ at: start, records: [record('quiet', start, { powerW: 1 })] })
  for (let tick = 1; tick <= 30; tick++) {
    const at = start + tick * 500
    await store.append({ at, records: [record('busy', at, { powerW: tick })] })
  }
  t.ok((store.stats().foldedSegments ?? 0) > 5)
  await store.close()
  const again = await open(t, path, limits)
  t.is(again.record('busy')?.metrics.powerW, 30)
  t.is(again.record('quiet')?.metrics.powerW, 1)
  const quiet = await again.history({
    deviceId: 'quiet',
    metrics: ['powerW'],
    from: start - 1,
    to: start + 60_000,
    step: 'raw',
  })
  t.alike(quiet.at, [start], 'writing a record anew is no sample')
})

test('a folder of a newer version is refused with STORE_NEWER and left as it is', async (t) => {
  const path = await t.tmp()
  await (await open(t, path)).close()
  const cores = new Corestore(path)
  const feeds = await Feeds.open(cores, { boot: await thisBoot(), place: await whereIs(path) })
  const main = openMain(logIn(cores, feeds.current, 'main'))
  await main.ready()
  const known = (await main.get(keys.state))?.value as object
  const batch = main.batch()
  await batch.put(keys.state, { ...known, format: 99 })
  await batch.flush()
  await main.close()
  await cores.close()
  await code(t, open(t, path), 'STORE_NEWER')
  await code(t, open(t, path), 'STORE_NEWER', 'and may be tried again: nothing stayed locked')
})

test('a damaged frame is left out and said, everything else is read', async (t) => {
  const path = await t.tmp()
  const store = await open(t, path)
  await store.append({ at: start, records: [record('a', start, { powerW: 1 })] })
  await store.close()
  const cores = new Corestore(path)
  const feeds = await Feeds.open(cores, { boot: await thisBoot(), place: await whereIs(path) })
  const journal = logIn(cores, feeds.current, 'journal-0')
  await journal.ready()
  await journal.append(new Uint8Array([1, 1, 7, 7, 7]))
  await cores.close()
  const again = await open(t, path)
  t.is(again.stats().damagedBlocks, 1)
  await again.append({ at: start + 10, records: [record('a', start + 10, { powerW: 2 })] })
  await again.close()
  const third = await open(t, path)
  const { series } = await third.history({
    deviceId: 'a',
    metrics: ['powerW'],
    from: start,
    to: start + 99,
    step: 'raw',
  })
  t.alike(series.powerW, [1, 2])
})

test('a damaged chunk is a gap that is said, before and after the day is put together; the rest is read', async (t) => {
  const path = await t.tmp()
  const limits = { segmentMs: 1000, foldSteps: 1, foldLeast: 10, mergeLeast: 10 }
  let store = await open(t, path, limits)
  const ticks = async (from: number, to: number) => {
    for (let tick = from; tick < to; tick++) {
      const at = start + tick * 500
      await store.append({ at, records: [record('a', at, { powerW: tick }), record('b', at, { powerW: tick })] })
      await tidy(store, 2)
    }
  }
  const asked = { metrics: ['powerW'] as const, from: start, to: start + 60_000, step: 'raw' as const }
  await ticks(0, 40)
  await store.close()
  const cores = new Corestore(path)
  const feeds = await Feeds.open(cores, { boot: await thisBoot(), place: await whereIs(path) })
  const raw = openTable(logIn(cores, feeds.current, 'raw-0'))
  await putAll(raw, [[keys.chunk('a', 3), Uint8Array.of(3, 255, 255, 1)]])
  await raw.close()
  await feeds.close()
  await cores.close()
  const gap = { from: start + 3000, to: start + 3500, worker: 'wm', site: 'home', reason: 'damaged' }
  const check = async (count: number, missing: unknown) => {
    const one = await store.history({ deviceId: 'a', ...asked })
    t.is(one.at.length, count - 2)
    t.alike(one.missing, missing)
    t.is((await store.history({ deviceId: 'b', ...asked })).at.length, count)
  }
  store = await open(t, path, limits)
  await check(40, [gap])
  await ticks(40, 60)
  t.is(store.stats().mergedVolumes, 1)
  t.is(store.stats().damagedBlocks, 1)
  await check(60, undefined)
})

test('a folder that was copied opens again', async (t) => {
  const { cp } = await import('node:fs/promises')
  const path = await t.tmp()
  const copy = `${await t.tmp()}/copy`
  const store = await open(t, path)
  await store.putEntry('a', { host: '10.0.0.1' })
  await store.append({ at: start, records: [record('a', start)] })
  await store.close()
  await cp(path, copy, { recursive: true })
  t.is((await open(t, copy)).records().length, 1)
})

async function code(
  t: { is(actual: unknown, expected: unknown, message?: string): void },
  call: Promise<unknown>,
  expected: string,
  message?: string,
) {
  const error = await call.then(
    () => 'no error',
    (thrown: { code?: string }) => thrown.code,
  )
  t.is(error, expected, message)
}
