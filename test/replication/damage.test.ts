import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'brittle'
import { type Log, silentLog } from '#model'
import { followFeed, openStore, type Reader, type Store } from '#replication'
import { openCores } from '../../src/replication/cores.js'
import { keys, openMain } from '../../src/replication/layout.js'
import { meddle } from '../support/logs.js'
import { connect, until } from './connection.js'
import { record, start, tidy } from './support.js'

const limits = { segmentMs: 1000, wholeRecordMs: 3000, foldSteps: 2, foldLeast: 1 }
const options = { worker: 'wm', site: 'home', intervalMs: 10_000, limits, boot: 'one' }
const ticks = 40
const span = { from: start, to: start + 3_600_000 }

/** Two lives, so that what was written lies in tables as well as in the log of the newest. */
async function filled(path: string): Promise<string> {
  let feed = ''
  for (const from of [0, ticks / 2]) {
    const store = await openStore({ path, ...options })
    await store.putEntry('a', { host: '10.0.0.1' })
    for (let tick = from; tick < from + ticks / 2; tick++) {
      const at = start + tick * 100
      await store.append({ at, records: [record('a', at, { powerW: tick })] })
    }
    await tidy(store, 10)
    feed = store.feed.main
    await store.close()
  }
  return feed
}

const harm: Record<string, (file: string, bytes: Buffer) => void> = {
  'cut off': (file, bytes) => truncateSync(file, Math.floor(bytes.length * 0.6)),
  empty: (file) => truncateSync(file, 0),
  overwritten: (file, bytes) => writeFileSync(file, bytes.fill(0xa5, Math.floor(bytes.length / 3))),
  'changed in one byte': (file, bytes) => {
    const middle = Math.floor(bytes.length / 2)
    bytes[middle] = bytes[middle]! ^ 0x10
    writeFileSync(file, bytes)
  },
}

/** What can be read, or why nothing can. */
async function readable(store: Store): Promise<{ wrong: string[]; read: number } | string> {
  try {
    const query = { deviceId: 'a', metrics: ['powerW'] as const, ...span, step: 'raw' as const }
    const { at, series } = await store.history(query)
    const known = at.flatMap((time, index) => {
      const value = series.powerW?.[index]
      return value == null ? [] : [[(time - start) / 100, value] as const]
    })
    return { wrong: known.filter(([tick, value]) => tick !== value).map(String), read: known.length }
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

for (const files of [/\.log$/, /\.sst$/, /^MANIFEST/, /^CURRENT/, /^CORESTORE/]) {
  test(`files ${files.source} torn or corrupt: said, or read as far as it goes, and never a wrong value`, {
    timeout: 120_000,
  }, async (t) => {
    for (const [how, damage] of Object.entries(harm)) {
      const path = await t.tmp()
      const feed = await filled(path)
      const found = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
        files.test(name.split('/').at(-1)!),
      )
      if (found.length === 0) t.fail(`no such file, there are ${readdirSync(path, { recursive: true }).join(', ')}`)
      for (const name of found) damage(join(path, name), readFileSync(join(path, name)))
      const open = () => openStore({ path, ...options }).catch((error: { code?: string; message: string }) => error)
      const opened = await open()
      if (opened instanceof Error) {
        t.is((opened as { code?: string }).code, 'STORE_FAILED', `${how}: ${opened.message}`)
        const again = await open()
        t.ok(again instanceof Error, `${how}: nothing stays locked, it is said again`)
        continue
      }
      const store = opened as Store
      const result = await readable(store)
      if (typeof result === 'string') t.is(result, 'STORE_FAILED', `${how}: it opens, and says what it cannot read`)
      else t.alike(result.wrong, [], `${how}: ${result.read} of ${ticks} are read, all right`)
      // Others may have what is missing here: going on in its place would close the feed everywhere.
      const whole = typeof result !== 'string' && result.read === ticks
      t.is(store.feed.main === feed, whole, `${how}: it goes on in ${whole ? 'its' : 'a new'} feed`)
      const next = start + ticks * 100
      const stored = await store.append({ at: next, records: [record('a', next, { powerW: ticks })] }).then(
        () => 'stored',
        (error: { code?: string }) => error.code,
      )
      t.ok(['stored', 'STORE_FAILED'].includes(String(stored)), `${how}: what comes next is ${stored}`)
      await store.close().catch(() => undefined)
    }
  })
}

const short = { ...limits, segmentMs: 300, mergeLeast: 1 }

/** A log that keeps what is complained of. */
function listening(complaints: string[]): Log {
  return { ...silentLog, error: (_: object, message: string) => complaints.push(message) } as Log
}

/** Appends ticks of devices from the last one on until so many more segments are packed; answers the next tick. */
async function segments(store: Store, count: number, from: number, devices = ['a']): Promise<number> {
  const folded = () => store.stats().foldedSegments ?? 0
  const until = folded() + count
  let tick = from
  for (; folded() < until; tick++) {
    const at = start + tick * 100
    await store.append({ at, records: devices.map((id) => record(id, at, { powerW: tick })) })
    await tidy(store, 2)
  }
  return tick
}

/** Blocks of the table of the first day are gone. */
const loseChunks = (path: string, feed: string, from = 3, to = 6) =>
  meddle(path, feed, 'raw-0', (log) => log.clear(from, to))

/** Which ticks of a device cannot be read, and what is said of that. */
async function gone(store: Reader, deviceId: string, ticks: number) {
  const { series, missing } = await store.history({ deviceId, metrics: ['powerW'], ...span, step: 'raw' })
  const there = new Set(series.powerW)
  return { lost: Array.from({ length: ticks }, (_, tick) => tick).filter((tick) => !there.has(tick)), missing }
}

test('a day of which blocks are gone is put together from the rest: what is lost is said, and old history still gives way', async (t) => {
  const path = await t.tmp()
  const complaints: string[] = []
  const log = listening(complaints)
  const before = await openStore({ path, ...options, limits: { ...short, mergeLeast: 0 }, log })
  const devices = ['a', 'b']
  const tick = await segments(before, 24, 0, devices)
  t.absent(before.stats().mergedVolumes)
  await before.close()
  // After two devices and three groups: a and b of the second segment.
  await loseChunks(path, before.feed.main, 7, 8)
  const aDay = 24 * short.segmentMs
  const keep = { raw: { ageMs: aDay }, '1m': { ageMs: aDay } }
  const store = await openStore({ path, ...options, limits: short, log, keep })
  t.teardown(() => store.close())
  const later = await segments(store, 6, tick, devices)
  t.is(complaints.filter((each) => each.includes('tried again')).length, 3, 'tried three times as it is')
  t.ok(complaints.at(-1)?.includes('the rest is lost'))
  t.alike([store.stats().mergedVolumes, store.stats().salvagedVolumes, store.stats().damagedBlocks], [1, 1, 1])
  t.alike((await gone(store, 'a', later)).lost, [])
  const { lost, missing } = await gone(store, 'b', later)
  t.alike(lost, [3, 4, 5], 'all but the segment whose block is gone')
  t.ok(missing?.length, 'that something is gone is said')
  t.ok((await store.crowds?.({ by: 'all', metrics: ['powerW'], ...span }))?.missing.length, 'also of groups')
  await segments(store, 50, later, devices)
  t.ok((store.stats().droppedVolumes ?? 0) >= 2, 'raw samples and minutes go when their time comes')
  t.alike(complaints.slice(4), [], 'and nothing more is wrong')
})

test('a day of which nothing can be put together is tried once a day, and is dropped when its time comes', async (t) => {
  const path = await t.tmp()
  const complaints: string[] = []
  const log = listening(complaints)
  const before = await openStore({ path, ...options, limits: short, log })
  const tick = await segments(before, 24, 0)
  t.is(before.stats().mergedVolumes, 1)
  await before.close()
  const cores = await openCores(path, silentLog)
  const main = openMain(cores.get({ key: Buffer.from(before.feed.main, 'hex') }))
  const batch = main.batch()
  await batch.del(keys.day(0))
  await batch.flush()
  await main.close()
  await cores.close()
  await meddle(path, before.feed.main, 'day-raw-0', (day) => day.clear(0, 1))

  const keep = { raw: { ageMs: 2 * 24 * short.segmentMs }, '1m': { ageMs: 2 * 24 * short.segmentMs } }
  const store = await openStore({ path, ...options, limits: short, log, keep })
  t.teardown(() => store.close())
  const later = await segments(store, 30, tick)
  t.is(store.stats().mergedVolumes, 1, 'the other day is put together')
  t.absent(store.stats().droppedVolumes)
  await segments(store, 50, later)
  t.ok((store.stats().droppedVolumes ?? 0) >= 2)
  t.ok(complaints.some((each) => each.includes('is dropped')))
})

test('a table of which blocks are gone holds up nobody: history goes on in another, and only what is gone is lost', async (t) => {
  const path = await t.tmp()
  const complaints: string[] = []
  const devices = ['a', 'b', 'c']
  const before = await openStore({ path, ...options, limits: short })
  const tick = await segments(before, 12, 0, devices)
  await before.close()
  // After three devices and three groups: b of the second segment.
  await loseChunks(path, before.feed.main, 8, 9)
  let store = await openStore({ path, ...options, limits: short, log: listening(complaints) })
  const later = await segments(store, 8, tick, devices)
  t.is(complaints.filter((each) => each.includes('tried again')).length, 3, 'tried three times')
  t.ok(complaints.some((each) => each.includes('goes on in another')))
  t.is(store.stats().abandonedTables, 1)
  t.ok((store.stats().segments ?? 9) <= 3, 'no more waits to be packed than ever')
  const check = async (ticks: number, what: string, expected: (lost: number[]) => boolean) => {
    t.alike((await gone(store, 'a', ticks)).lost, [], what)
    const { lost, missing } = await gone(store, 'b', ticks)
    t.ok(expected(lost), `${what}: ${lost} of b`)
    t.ok(missing?.length, `${what}: that it is gone is said`)
    t.alike((await gone(store, 'c', ticks)).lost, [], what)
  }
  const old = (lost: number[]) => lost.every((each) => each < later - 6)
  await check(later, 'in two tables', old)
  await store.close()
  store = await openStore({ path, ...options, limits: short, log: listening(complaints) })
  t.teardown(() => store.close())
  await check(later, 'after a restart', old)
  const reader = await followFeed({ path: await t.tmp(), feed: store.feed, ...options, limits: {} })
  t.teardown(() => reader.close())
  connect(store, reader)
  await until('all of it is there elsewhere', async () => (await gone(reader, 'c', later)).lost.length === 0)
  const end = await segments(store, 12, later, devices)
  t.alike([store.stats().mergedVolumes, store.stats().salvagedVolumes], [1, 1])
  await check(end, 'in a day, only what stood in the block', (lost) => lost.join() === '3,4,5')
})
