import test from 'brittle'
import type { Store } from '#replication'
import { bytesOnDisk } from '../../src/replication/disk.js'
import { open, record, start, tidy } from './support.js'

const limits = { segmentMs: 1000, wholeRecordMs: 2000, foldSteps: 1, foldLeast: 50, mergeLeast: 50 }
/** A volume is 24 segments: so many ticks of 100 ms. */
const inVolume = 24 * 10
const mega = 1024 ** 2

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

test('a disk that is nearly full is said loudly; raw history gives way, roll-ups later, events never', {
  timeout: 60_000,
}, async (t) => {
  const path = await t.tmp()
  let free = 900 * mega
  let hr = 0
  const clock = { now: () => start, hr: () => (hr += 60_000), after: () => () => {} }
  const room = async () => ({ free, total: 1000 * mega })
  const store = await open(t, path, limits, { room, clock })
  await store.putEntry('d0', { host: '10.0.0.1' })
  await volumes(store, 0, 3, 3)
  t.is(store.stats().droppedVolumes, 0)
  t.is(store.trouble, null)
  free = 10 * mega
  await tidy(store, 12)
  t.ok(store.trouble?.includes('nearly full (10 MiB left)'))
  const newest = await known(store, 'raw')
  t.ok(newest >= inVolume && newest < 2 * inVolume + 20, 'the newest day stays')
  const [said] = await store.events({ limit: 1, from: start, to: start })
  t.ok(said?.message.includes('nearly full'))
  t.is(await known(store, '5m'), 1)
  t.is((await store.events({ deviceId: 'd0', limit: 1000 })).length, Math.ceil((3 * inVolume) / 100))
  t.is(store.entries().size, 1)
  free = 900 * mega
  await tidy(store, 2)
  t.is(store.trouble, null)
  t.ok((await store.events({ limit: 1, from: start, to: start }))[0]?.message.includes('room on the disk again'))
})
