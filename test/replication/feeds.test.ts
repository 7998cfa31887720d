import { execFile } from 'node:child_process'
import { cp, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'brittle'
import { followFeed, type Reader, type RemoteReader, type Store } from '#replication'
import { connect, until } from './connection.js'
import { intervalMs, open, record, start, tidy } from './support.js'

const limits = { segmentMs: 1000, wholeRecordMs: 3000, foldSteps: 2, foldLeast: 1 }
const seed = new Uint8Array(32).fill(7)

/** A tick every 100 ms, each with an event. */
async function ticks(store: Store, from: number, count: number): Promise<void> {
  for (let tick = from; tick < from + count; tick++) {
    const at = start + tick * 100
    const events = [{ at, type: 'status' as const, deviceId: 'a', message: `tick ${tick}` }]
    await store.append({ at, records: [record('a', at, { powerW: tick })], events })
  }
  await tidy(store, 20)
}

async function powers(reader: Reader): Promise<(number | null)[]> {
  const span = { from: start, to: start + 3_600_000 }
  const { series, missing } = await reader.history({ deviceId: 'a', metrics: ['powerW'], ...span, step: 'raw' })
  if (missing) return [Number.NaN]
  return (series.powerW ?? []).filter((value) => value !== null)
}

const upTo = (count: number) => Array.from({ length: count }, (_, tick) => tick)

async function follow(t: { teardown(f: () => unknown): void }, path: string, store: Store, earlier: Store[] = []) {
  const reader = await followFeed({
    path,
    feed: store.feed,
    earlier: earlier.map(({ feed }) => feed),
    worker: 'wm',
    site: 'home',
    intervalMs,
    keep: 'all',
    limits: { blockMs: 300, retryMs: 20 },
  })
  t.teardown(() => reader.close())
  return reader
}

const allThere = (reader: RemoteReader, count: number) => async () =>
  (await powers(reader)).length === count &&
  (await reader.events({ limit: 1000 })).length === count &&
  reader.lag().behind === 0

test('a worker restored from an old copy goes on in a new feed; nothing of either is lost', async (t) => {
  const [path, copy, own] = [await t.tmp(), `${await t.tmp()}/copy`, await t.tmp()]
  const before = await open(t, path, limits)
  await before.putEntry('a', { host: '10.0.0.1' })
  await before.putDocument('job', { state: 'done' })
  await ticks(before, 0, 25)
  await before.close()
  await cp(path, copy, { recursive: true })
  const lost = await open(t, path, limits)
  t.alike(lost.feed, before.feed, 'the folder that did not move goes on')
  await ticks(lost, 25, 30)
  let reader = await follow(t, own, lost)
  connect(lost, reader)
  await until('the reader has all of it', allThere(reader, 55))
  await reader.close()
  await lost.close()

  const restored = await open(t, copy, limits)
  t.unlike(restored.feed, before.feed)
  t.is(restored.record('a')?.metrics.powerW, 24, 'the last record of the copy stays to be seen')
  t.alike(restored.entries().get('a'), { host: '10.0.0.1' })
  t.alike(await restored.getDocument('job'), { state: 'done' })
  t.alike(await powers(restored), upTo(25))
  await ticks(restored, 60, 10)
  reader = await follow(t, own, restored)
  const expected = [...upTo(55), ...upTo(70).slice(60)]
  connect(restored, reader)
  await until('the reader finds the old feed through the new one', allThere(reader, 65))
  t.alike(await powers(reader), expected)
  t.is(reader.record('a')?.metrics.powerW, 69)
  await until('the worker has its own history back from the reader', async () => (await powers(restored)).length === 65)
  t.alike(await powers(restored), expected)
  await restored.close()
  const again = await open(t, copy, limits)
  t.alike(again.feed, restored.feed, 'and stays with its new feed')
  t.alike(await powers(again), expected)
})

test('a folder that a backup was put back into, in its old place, goes on in a new feed', async (t) => {
  const [path, backup, own] = [await t.tmp(), `${await t.tmp()}/backup`, await t.tmp()]
  const before = await open(t, path, limits)
  await ticks(before, 0, 25)
  await before.close()
  await cp(path, backup, { recursive: true, preserveTimestamps: true })
  const lost = await open(t, path, limits)
  await ticks(lost, 25, 30)
  let reader = await follow(t, own, lost)
  connect(lost, reader)
  await until('the reader has all of it', allThere(reader, 55))
  await reader.close()
  await lost.close()

  await putBack(backup, path)
  const restored = await open(t, path, limits)
  t.unlike(restored.feed, before.feed, 'others have more of the old one')
  await ticks(restored, 60, 10)
  reader = await follow(t, own, restored)
  connect(restored, reader)
  await until('the reader finds both', allThere(reader, 65))
  t.alike(await powers(reader), [...upTo(55), ...upTo(70).slice(60)])
})

/** As backup tools do: what is the same is left alone, what is not is replaced, what was not there is removed. */
async function putBack(from: string, to: string): Promise<void> {
  const names = async (folder: string) => new Set(await readdir(folder, { recursive: true }))
  const [wanted, there] = [await names(from), await names(to)]
  for (const name of there) if (!wanted.has(name)) await rm(join(to, name), { recursive: true, force: true })
  for (const name of wanted) {
    const [source, target] = [join(from, name), join(to, name)]
    if ((await stat(source)).isDirectory()) continue
    const same = await readFile(target).then(
      async (bytes) => bytes.equals(await readFile(source)),
      () => false,
    )
    if (same) continue
    await cp(source, `${target}.temporary`, { preserveTimestamps: true })
    await rename(`${target}.temporary`, target)
  }
}

test('after a loss of power a new feed begins, after a kill it does not', { timeout: 120_000 }, async (t) => {
  const path = await t.tmp()
  const life = (boot: string) =>
    new Promise<string>((resolve, reject) => {
      const script = `import('#replication').then(async ({ openStore }) => {
        const store = await openStore({ path: ${JSON.stringify(path)}, worker: 'wm', site: 'home', intervalMs: 1, boot: '${boot}' })
        await store.putDocument('life', ${Date.now()})
        process.stdout.write(store.feed.main, () => process.kill(process.pid, 'SIGKILL'))
      })`
      const args = ['--conditions=source', '--import', 'tsx', '--input-type=module', '-e', script]
      execFile(process.execPath, args, (_, stdout) => (stdout ? resolve(stdout) : reject(new Error('it said nothing'))))
    })
  const first = await life('one')
  t.is(await life('one'), first, 'the machine ran on: nothing that was written is lost')
  const second = await life('two')
  t.not(second, first)
  const store = await open(t, path, limits, { boot: 'two' })
  t.is(store.feed.main, second)
  await ticks(store, 0, 5)
  await store.close()
  const later = await open(t, path, limits, { boot: 'three' })
  t.is(later.feed.main, second, 'it was closed before the machine was')
  t.alike(await powers(later), upTo(5))
})

test('a worker whose disk was lost returns with a new feed; its old history stays readable', async (t) => {
  const [path, own] = [await t.tmp(), await t.tmp()]
  const old = await open(t, path, limits, { primaryKey: seed })
  await ticks(old, 0, 25)
  let reader = await follow(t, own, old)
  connect(old, reader)
  await until('the reader has all of it', allThere(reader, 25))
  await reader.close()
  await old.close()

  const fresh = await open(t, await t.tmp(), limits, { primaryKey: seed })
  t.unlike(fresh.feed, old.feed, 'the same seed, and still no log of before is written to')
  reader = await follow(t, own, fresh, [old])
  t.is(reader.record('a')?.metrics.powerW, 24, 'until the new feed speaks, the last word of the old one is shown')
  connect(fresh, reader)
  await ticks(fresh, 30, 10)
  await until('both', allThere(reader, 35))
  t.alike(await powers(reader), [...upTo(25), ...upTo(40).slice(30)])
  const hour = await reader.history({ deviceId: 'a', metrics: ['powerW'], from: start, to: start + 1, step: '1h' })
  const mean = (sum: number[]) => sum.reduce((total, each) => total + each, 0) / sum.length
  t.is(hour.series.powerW?.[0], mean([...upTo(25), ...upTo(40).slice(30)]), 'roll-ups are of both')
})

test('workers of one node share no log', async (t) => {
  const one = await open(t, await t.tmp(), limits, { primaryKey: seed, worker: 'one' })
  const two = await open(t, await t.tmp(), limits, { primaryKey: seed, worker: 'two' })
  t.unlike(one.feed, two.feed)
})
