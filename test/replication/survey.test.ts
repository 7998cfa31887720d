import { cpSync } from 'node:fs'
import { join } from 'node:path'
import test from 'brittle'
import type Hypercore from 'hypercore'
import { silentLog } from '#model'
import { openStore, type Store, surveyFeeds } from '#replication'
import { openCores } from '../../src/replication/cores.js'
import { journalNumber, keys, mainName, openMain, under } from '../../src/replication/layout.js'
import { flip, meddle } from '../support/logs.js'
import { record, start, tidy } from './support.js'

const limits = { segmentMs: 300, wholeRecordMs: 3000, foldSteps: 2, foldLeast: 1, mergeLeast: 1 }
const options = { worker: 'wm', site: 'home', intervalMs: 10_000, limits, boot: 'one' }

/** A day that is put together, chunks of segments that are in none yet, and frames in the journal. */
async function filled(store: Store): Promise<void> {
  await store.putEntry('a', { host: '10.0.0.1' })
  let tick = 0
  for (; (store.stats().foldedSegments ?? 0) < 30; tick++) {
    const at = start + tick * 100
    await store.append({ at, records: ['a', 'b'].map((id) => record(id, at, { powerW: tick })) })
    await tidy(store, 2)
  }
}

test('damage in any log that a reader of the history may need is seen: frames, chunks, days of every tier, hours, the inventory', async (t) => {
  const path = join(await t.tmp(), 'feed')
  const store = await openStore({ path, ...options })
  await filled(store)
  t.is(store.stats().mergedVolumes, 1)
  await store.close()
  const names: string[] = []
  const cores = await openCores(path, silentLog)
  const main = openMain(cores.get({ key: Buffer.from(store.feed.main, 'hex') }))
  for await (const { key } of main.createReadStream(under(keys.logs))) names.push(key.slice(keys.logs.length))
  await main.close()
  await cores.close()
  const journal = `journal-${Math.max(...names.map(journalNumber))}`

  const said: number[] = []
  const tell = ({ read }: { read: number }) => said.push(read)
  const sound = await surveyFeeds(path, store.feed, { whole: true, tell })
  t.is(sound.lost, 0)
  t.ok(sound.read > 100 && said.at(-1) === sound.read && said.length > 5, 'how far it is is told')
  for (const name of [mainName, journal, 'raw-1', 'day-raw-0', 'day-1m-0', 'day-5m-0', 'hours-0']) {
    for (const [how, harm] of [
      ['a byte is another', flip],
      ['a block is gone', (log: Hypercore) => log.clear(1, 2)],
    ] as const) {
      const copy = join(await t.tmp(), 'feed')
      cpSync(path, copy, { recursive: true })
      await meddle(copy, store.feed.main, name, harm)
      const { lost } = await surveyFeeds(copy, store.feed, { whole: true })
      t.ok(lost > 0, `${name}: ${how}`)
    }
  }
  const copy = join(await t.tmp(), 'feed')
  cpSync(path, copy, { recursive: true })
  await meddle(copy, store.feed.main, 'raw-1', (log) => log.clear(0, log.length))
  t.is((await surveyFeeds(copy, store.feed, { whole: false })).lost, 0, 'of a feed of before, some may be with others')
  await meddle(copy, store.feed.main, 'day-raw-0', flip)
  t.is((await surveyFeeds(copy, store.feed, { whole: false })).lost, 1, 'but what is here must be sound')
})

test('what the writer has let go of by its own rules is no loss', async (t) => {
  const path = join(await t.tmp(), 'feed')
  const aDay = 24 * limits.segmentMs
  const keep = { raw: { ageMs: aDay }, '1m': { ageMs: aDay } }
  const store = await openStore({ path, ...options, keep })
  for (let tick = 0; (store.stats().droppedVolumes ?? 0) < 2; tick++) {
    const at = start + tick * 100
    await store.append({ at, records: [record('a', at, { powerW: tick })] })
    await tidy(store, 2)
  }
  await store.close()
  t.is((await surveyFeeds(path, store.feed, { whole: true })).lost, 0)
})
