import { cp } from 'node:fs/promises'
import test, { type Assertions } from 'brittle'
import { silentLog } from '#model'
import type { Store } from '#replication'
import { openCores } from '../../src/replication/cores.js'
import { bytesOnDisk } from '../../src/replication/disk.js'
import { keys, openMain } from '../../src/replication/layout.js'
import { open, record, start, tidy } from './support.js'

const limits = { segmentMs: 1000, wholeRecordMs: 2000, foldSteps: 1, foldLeast: 50, mergeLeast: 50 }
/** A volume is 24 segments: so many ticks of 100 ms. */
const inVolume = 24 * 10
const mega = 1024 ** 2
const minute = 60_000

/** Numbers that nothing can be saved of. */
function noise(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 1000
  }
}

const event = (at: number) => ({ at, type: 'status' as const, deviceId: 'd0', message: 'Now mining.' })

async function volumes(store: Store, from: number, count: number, devices = 12): Promise<void> {
  const next = noise(from + 1)
  for (let tick = from * inVolume; tick < (from + count) * inVolume; tick++) {
    const at = start + tick * 100
    const records = Array.from({ length: devices }, (_, device) =>
      record(`d${device}`, at, { hashrateThs: next(), powerW: next(), chipTempMaxC: next(), hashrateAvgThs: next() }),
    )
    await store.append({ at, records, events: tick % 100 === 0 ? [event(at)] : [] })
    if (tick % 10 === 0) await tidy(store, 2)
  }
  await tidy(store, 6)
}

const known = async (store: Store, step: 'raw' | '1m' | '5m') => {
  const query = { deviceId: 'd1', metrics: ['powerW'] as const, from: start, to: start + 10_000_000, step }
  return (await store.history(query)).series.powerW!.filter((value) => value !== null).length
}

test('what is beyond its size goes, a day at once, and the disk has its room back', { timeout: 120_000 }, async (t) => {
  const path = await t.tmp()
  let store = await open(t, path, limits)
  await volumes(store, 0, 4, 60)
  t.is(store.stats().mergedVolumes, 3)
  const { rawDayBytes: before = 0 } = store.stats()
  await store.close()
  const large = await bytesOnDisk(path)
  const least = { bytes: 1 }
  store = await open(t, path, limits, { keep: { raw: least, '1m': least, '5m': least } })
  await volumes(store, 4, 1, 1)
  const { rawDayBytes: after = 0, droppedVolumes } = store.stats()
  t.is(droppedVolumes, 9, 'three days of three tiers')
  await store.close()
  const small = await bytesOnDisk(path)
  t.comment(`${before} bytes of raw days, later ${after}; ${large} bytes on the disk, later ${small}`)
  t.ok(large - small > (before - after) / 2, 'most of what was dropped is free again')
  store = await open(t, path, limits)
  t.ok((await known(store, 'raw')) < 2 * inVolume)
  const hours = await store.history({ deviceId: 'd1', metrics: ['powerW'], from: start, to: start + 1, step: '1h' })
  t.ok(hours.series.powerW?.[0], 'its hours stay')
})

/** A store with so many days on a disk that is `full` or not, by a clock that the test moves on. */
async function onDisk(t: Assertions, days: number) {
  const disk = { full: false, eaten: 0, hr: 0 }
  const clock = { now: () => start, hr: () => disk.hr, after: () => () => {} }
  const ours = ({ rawDayBytes = 0, minuteBytes = 0, fiveMinuteBytes = 0 }) =>
    rawDayBytes + minuteBytes + fiveMinuteBytes
  const free = () => (disk.full ? 10 * mega - ours(store.stats()) - disk.eaten : 900 * mega)
  const room = async () => ({ free: free(), total: 1000 * mega })
  const store: Store = await open(t, await t.tmp(), limits, { room, clock })
  await volumes(store, 0, days + 0.5, 2)
  const pass = async (ms: number) => {
    disk.hr += ms
    await tidy(store, 3)
    return store.stats().droppedVolumes
  }
  /** Whatever is given back, somebody else takes. */
  const eat = () => {
    disk.eaten = -ours(store.stats())
  }
  return { disk, store, pass, eat }
}

test('a disk that is nearly full is said loudly; raw history gives way, roll-ups slowly when there is no other, events never', {
  timeout: 60_000,
}, async (t) => {
  const { disk, store, pass } = await onDisk(t, 3)
  await store.putEntry('d0', { host: '10.0.0.1' })
  t.is(await pass(minute), 0)
  t.is(store.trouble, null)
  disk.full = true
  t.is(await pass(minute), 1)
  t.ok(store.trouble?.includes('nearly full'))
  t.is(await pass(1000), 1, 'not the next one before it is seen whether that was enough')
  t.is(await pass(minute), 2)
  for (let round = 0; round < 20; round++) t.is(await pass(minute), 2, 'no roll-up within the hour')
  const newest = await known(store, 'raw')
  t.ok(newest >= inVolume && newest < 2 * inVolume + 20, 'the newest day stays')
  t.is(await pass(60 * minute), 3, 'then one')
  t.is(await pass(minute), 3)
  t.is(await pass(60 * minute), 4)
  const [said] = await store.events({ limit: 1, from: start, to: start })
  t.ok(said?.message.includes('nearly full'))
  t.is(await known(store, '5m'), 1)
  t.is((await store.events({ deviceId: 'd0', limit: 1000 })).length, Math.ceil((3.5 * inVolume) / 100))
  t.is(store.entries().size, 1)
  disk.full = false
  await pass(minute)
  t.is(store.trouble, null)
  t.ok((await store.events({ limit: 1, from: start, to: start }))[0]?.message.includes('room on the disk again'))
})

test('a disk that somebody else fills does not cost the history: where dropping does not help, it is said, and tried again later', {
  timeout: 60_000,
}, async (t) => {
  const { disk, store, pass, eat } = await onDisk(t, 4)
  disk.full = true
  eat()
  t.is(await pass(minute), 1)
  eat()
  t.is(await pass(minute), 1)
  t.ok(store.trouble?.includes('does not help'), store.trouble ?? '')
  for (let round = 0; round < 4; round++) t.is(await pass(minute), 1)
  t.is(await pass(minute), 2, 'after five minutes one more')
  eat()
  await pass(minute)
  for (let round = 0; round < 9; round++) t.is(await pass(minute), 2)
  t.is(await pass(minute), 3, 'then after ten')
  t.is(await pass(minute), 3)
  t.absent(store.trouble?.includes('does not help'), 'it has helped now')
  disk.full = false
  await pass(minute)
  t.is(store.trouble, null)
})

/** How many blocks of some logs of a feed are in a folder. */
async function blocksIn(path: string, feed: string, names: readonly string[]): Promise<number[]> {
  const cores = await openCores(path, silentLog)
  const main = openMain(cores.get({ key: Buffer.from(feed, 'hex') }))
  const found: number[] = []
  for (const name of names) {
    const { key } = (await main.get(keys.log(name)))!.value as { key: string }
    const log = cores.get({ key: Buffer.from(key, 'hex') })
    await log.ready()
    found.push(log.contiguousLength)
    await log.close()
  }
  await main.close()
  await cores.close()
  return found
}

test('of a feed that was left behind no more is kept than of the one that goes on; what was never put together stays', {
  timeout: 120_000,
}, async (t) => {
  const [path, copy] = [await t.tmp(), `${await t.tmp()}/copy`]
  const before = await open(t, path, limits)
  await volumes(before, 0, 3.5, 2)
  t.is(before.stats().mergedVolumes, 3)
  await before.close()
  await cp(path, copy, { recursive: true })
  const aDay = 24 * limits.segmentMs
  const keep = { raw: { ageMs: 2 * aDay }, '1m': { ageMs: 3 * aDay } }
  let store = await open(t, copy, limits, { keep })
  t.unlike(store.feed, before.feed)
  await tidy(store, 6)
  const rawOf = async (volume: number, step: 'raw' | '5m' = 'raw') => {
    const from = start + volume * inVolume * 100
    const to = from + inVolume * 100 - 1
    const { series, missing } = await store.history({ deviceId: 'd1', metrics: ['powerW'], from, to, step })
    t.absent(missing, 'nothing is said to be missing that was let go')
    return series.powerW!.filter((value) => value !== null).length
  }
  t.is(await rawOf(0), 0, 'the oldest day is too old already')
  t.is(await rawOf(1), inVolume)
  await volumes(store, 3.5, 2.5, 2)
  const check = async () => {
    t.alike([await rawOf(0), await rawOf(1), await rawOf(2)], [0, 0, 0])
    t.is(await rawOf(3), inVolume, 'the end, which is in no day, and what goes on')
    t.ok(await rawOf(0, '5m'), 'roll-ups stay longer')
  }
  await check()
  await store.close()
  const names = ['day-raw-0', 'day-raw-1', 'day-raw-2', 'day-1m-0', 'day-5m-0']
  const blocks = await blocksIn(copy, before.feed.main, names)
  t.alike(blocks.slice(0, 4), [0, 0, 0, 0], 'they are gone from the disk')
  t.is(blocks[4], 3)
  store = await open(t, copy, limits, { keep })
  await check()
})
