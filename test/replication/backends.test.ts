import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import test from 'brittle'
import type { Event } from '#model'
import {
  type HistoryQuery,
  type LocalStore,
  type OpenStore,
  openStore,
  type Step,
  type StoreLimits,
  stepMs,
} from '#replication'
import { openFileStore } from '../../examples/file-store.js'
import { difference, intervalMs, Naive, record, start, tidy } from './support.js'

const event = (at: number, deviceId: string | undefined, message: string): Event =>
  deviceId === undefined ? { at, type: 'service', message } : { at, type: 'status', deviceId, message }

/** What every storage backend promises: the built-in one, and that of the example. */
const backends: readonly { name: string; open: OpenStore; from: string }[] = [
  { name: 'feed', open: openStore, from: '#replication' },
  { name: 'plain file', open: openFileStore, from: resolve('examples/file-store.ts') },
]

for (const { name, open, from } of backends) {
  const opened = async (
    t: { teardown(close: () => unknown): void },
    path: string,
    limits: Partial<StoreLimits> = {},
  ): Promise<LocalStore> => {
    const store = await open({ path, worker: 'wm', site: 'home', intervalMs, limits })
    t.teardown(() => store.close())
    return store
  }

  test(`${name}: after a restart the last record of every device is there: numbers, times, status, parts`, async (t) => {
    const path = await t.tmp()
    const store = await opened(t, path)
    const board = { slot: 0, status: 'ok' as const, hashrateThs: 70 }
    await store.append({
      at: start,
      records: [record('a', start, { hashrateThs: 200, powerW: 5000 }, { boards: [board] }), record('b', null)],
    })
    await store.append({
      at: start + 10,
      records: [record('a', start + 10, { hashrateThs: 0 }, { boards: [board], latencyMs: 7 })],
    })
    const offline = record(
      'a',
      start + 10,
      { hashrateThs: 0 },
      { boards: [board], status: 'offline', askedAt: start + 20, latencyMs: 3000 },
    )
    await store.append({ at: start + 20, records: [offline] })
    await store.append({ at: start + 30, records: [{ ...offline, askedAt: start + 30 }] })
    await store.close()

    const again = await opened(t, path)
    t.alike(again.record('a'), { ...offline, askedAt: start + 30 })
    t.alike(again.record('b'), record('b', null), 'a device that was never read stays so')
    t.is(again.records().length, 2)
    t.absent(again.record('c'))
    const { at, series } = await again.history({
      deviceId: 'a',
      metrics: ['hashrateThs', 'powerW'],
      from: start,
      to: start + 60,
      step: 'raw',
    })
    t.alike(
      { at, series },
      { at: [start, start + 10], series: { hashrateThs: [200, 0], powerW: [5000, null] } },
      'being asked in vain is no sample',
    )
  })

  test(`${name}: inventory and documents are there after a restart`, async (t) => {
    const path = await t.tmp()
    const store = await opened(t, path)
    await store.putEntry('a', { host: '10.0.0.1', name: 'One' }, [event(start, 'a', 'Added.')])
    await store.putEntry('b', { host: '10.0.0.2' })
    await store.putDocument('jobs/1', { state: 'running' })
    await store.putDocument('jobs/2', { state: 'done' })
    await store.putDocument('other', [1])
    await store.append({ at: start, records: [record('a', start), record('b', start, { powerW: 5 })] })
    await store.deleteEntry('b', [event(start + 1, 'b', 'Removed.')])
    await store.close()

    const again = await opened(t, path)
    t.alike([...again.entries()], [['a', { host: '10.0.0.1', name: 'One' }]])
    t.alike(
      again.records().map(({ id }) => id),
      ['a'],
      'a device that was removed does not come back',
    )
    t.is(
      (await again.history({ deviceId: 'b', metrics: ['powerW'], from: start, to: start, step: 'raw' })).at.length,
      1,
      'its history stays',
    )
    t.alike(await again.getDocument('jobs/1'), { state: 'running' })
    t.is(await again.getDocument('jobs/3'), undefined)
    t.alike(
      (await again.listDocuments('jobs/', { reverse: true })).map(({ name }) => name),
      ['jobs/2', 'jobs/1'],
    )
    t.alike(
      (await again.listDocuments('jobs/', { limit: 1 })).map(({ value }) => value),
      [{ state: 'running' }],
    )
    await again.putDocument('jobs/1', undefined)
    t.is(await again.getDocument('jobs/1'), undefined, 'undefined deletes')
    t.alike(
      (await again.events({ deviceId: 'b' })).map(({ message }) => message),
      ['Removed.'],
    )
    await again.append({ at: start + 2, records: [record('b', start + 2)] })
    await again.close()
    const third = await opened(t, path)
    t.is(third.records().length, 2, 'and may be added again')
  })

  test(`${name}: events and settings are found newest first, each once, before, while and after they leave the journal`, async (t) => {
    const path = await t.tmp()
    const limits = { segmentMs: 1000, foldLeast: 1, foldSteps: 3 }
    const store = await opened(t, path, limits)
    const check = async (asked: typeof store, count: number) => {
      const all = await asked.events({ limit: 1000 })
      t.alike(
        all.map(({ message }) => message),
        Array.from({ length: count }, (_, index) => `event ${count - 1 - index}`),
      )
    }
    for (let tick = 0; tick < 12; tick++) {
      const at = start + tick * 250
      const events = [
        event(at, tick % 2 ? 'a' : 'b', `event ${tick * 2}`),
        event(at, undefined, `event ${tick * 2 + 1}`),
      ]
      await store.append({ at, records: [], events, settings: [{ deviceId: 'a', at, settings: { tick } }] })
      await check(store, tick * 2 + 2)
    }
    for (let round = 0; round < 20; round++) {
      await tidy(store, 1)
      await check(store, 24)
    }
    await store.close()
    const again = await opened(t, path, limits)
    await check(again, 24)
    t.alike(
      (await again.events({ deviceId: 'a' })).map(({ message }) => message),
      [22, 18, 14, 10, 6, 2].map((n) => `event ${n}`),
    )
    t.alike(
      (await again.events({ from: start + 500, to: start + 750 })).map(({ message }) => message),
      ['event 7', 'event 6', 'event 5', 'event 4'],
    )
    t.is((await again.events({ limit: 3 })).length, 3)
    t.alike(await again.settings('a', 2), [
      { at: start + 2750, settings: { tick: 11 } },
      { at: start + 2500, settings: { tick: 10 } },
    ])
    t.alike(await again.settings('nobody'), [])
  })

  test(`${name}: listeners hear what was stored; one that throws disturbs nobody`, async (t) => {
    const store = await opened(t, await t.tmp())
    const heard: string[] = []
    store.watch(() => {
      throw new Error('mine alone')
    })
    const stop = store.watch(({ records, removed, events }) =>
      heard.push(`${records.length} ${removed} ${events.length}`),
    )
    await store.append({ at: start, records: [record('a', start)], events: [event(start, 'a', 'Added.')] })
    await store.deleteEntry('a')
    stop()
    await store.append({ at: start, records: [record('a', start + 1)] })
    t.alike(heard, ['1  1', '0 a 0'])
  })

  test(`${name}: a tick that could not be stored changes nothing and may be tried again`, async (t) => {
    const path = await t.tmp()
    const store = await opened(t, path)
    const tick = { at: start, records: [record('a', start, { powerW: 1 })], events: [event(start, 'a', 'Added.')] }
    const endless: Record<string, unknown> = {}
    endless.self = endless
    await t.exception(
      store.append({ ...tick, settings: [{ deviceId: 'a', at: start, settings: endless }] }),
      /not stored/,
    )
    t.absent(store.record('a'))
    await store.append(tick)
    await store.close()
    const again = await opened(t, path)
    t.is(again.record('a')?.metrics.powerW, 1)
    t.is((await again.events({})).length, 1)
    const { at } = await again.history({ deviceId: 'a', metrics: [], from: start, to: start, step: 'raw' })
    t.alike(at, [start])
  })

  test(`${name}: two in one folder: the second is refused with STORE_LOCKED and the first goes on`, async (t) => {
    const path = await t.tmp()
    const store = await opened(t, path)
    await code(t, opened(t, path), 'STORE_LOCKED', 'in the same process')
    const script = `import(${JSON.stringify(from)}).then((all) => all.${open.name}({ path: ${JSON.stringify(path)}, worker: 'wm', site: 'home', intervalMs: 1 })).then(() => console.log('opened'), (error) => console.log(error.code))`
    t.is((await output(['--input-type=module', '-e', script])).trim(), 'STORE_LOCKED', 'in another process')
    await store.append({ at: start, records: [record('a', start)] })
    await store.close()
    const again = await opened(t, path)
    t.is(again.records().length, 1)
  })

  test(`${name}: a folder that cannot be, and a store that is closed, are STORE_FAILED`, async (t) => {
    await code(t, opened(t, '/dev/null/store'), 'STORE_FAILED')
    const store = await opened(t, await t.tmp())
    await store.close()
    await store.close()
    await code(t, store.append({ at: start, records: [] }), 'STORE_FAILED')
    await code(t, store.events({}), 'STORE_FAILED')
  })

  test(`${name}: history is what was appended, raw and at every step; a gap is null; a query that is none is refused`, async (t) => {
    const path = await t.tmp()
    const naive = new Naive()
    let store = await opened(t, path, { segmentMs: 900_000, wholeRecordMs: 300_000, foldSteps: 2, foldLeast: 1 })
    for (let index = 0; index < 300; index++) {
      // Now and then a silence, and a clock that was set back.
      const at = start + index * 10_000 + (index > 100 ? 600_000 : 0) - (index > 200 ? 300_005 : 0)
      const numbers = index % 7 ? { powerW: 3000 + index, acceptedShares: index } : { hashrateThs: index / 8 }
      const records =
        index % 3 ? [record('a', at, numbers)] : [record('a', at, numbers), record('b', at, { powerW: 0 })]
      await store.append({ at, records })
      for (const one of records) naive.add(one)
      if (index !== 150) continue
      await store.close()
      store = await opened(t, path, { segmentMs: 900_000, wholeRecordMs: 300_000, foldSteps: 2, foldLeast: 1 })
    }
    const span = { from: start + 100_000, to: start + 3_400_000 }
    for (const deviceId of ['a', 'b', 'nobody']) {
      for (const step of ['raw', ...Object.keys(stepMs)] as Step[]) {
        const query: HistoryQuery = { deviceId, metrics: ['powerW', 'acceptedShares', 'hashrateThs'], ...span, step }
        const expected = step === 'raw' ? naive.raw(query) : naive.steps({ ...query, step })
        t.is(difference(await store.history(query), expected), undefined, `${deviceId} ${step}`)
      }
    }
    const query: HistoryQuery = { deviceId: 'a', metrics: ['powerW'], ...span, step: 'raw' }
    await code(t, store.history({ ...query, from: span.to, to: span.from }), 'BAD_REQUEST')
    await code(t, store.history({ ...query, metrics: ['colour' as 'powerW'] }), 'BAD_REQUEST')
    await code(t, store.history({ ...query, maxPoints: 10 }), 'TOO_LARGE')
    await code(t, store.history({ ...query, step: '1m', maxPoints: 10 }), 'TOO_LARGE')
  })
}

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

function output(args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk
    })
    child.on('error', reject)
    child.on('close', () => resolve(text))
  })
}
