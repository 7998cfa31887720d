import test from 'brittle'
import { startFarm } from '#sim'
import { until } from '../../support/fake-clock.js'
import { entryOf, startWorker } from './bench.js'

const library = 'miner-antminer'
const live = ['mining', 'starting', 'tuning']

test('slow and silent devices hold up nobody, however few places there are', { timeout: 60_000 }, async (t) => {
  const farm = await startFarm({ miners: 6, mix: 'antminer', seed: 4 })
  t.teardown(() => farm.close())
  await farm.setFault(0, { kind: 'silent' })
  await farm.setFault(1, { kind: 'silent' })
  await farm.setFault(2, { kind: 'slow', ms: 700 })
  const devices = farm.devices.map(entryOf)
  const { store, worker } = await startWorker(t, { path: await t.tmp(), library, devices, concurrency: 2 })
  const ids = [...worker.handles.keys()]
  await until(
    () => ids.slice(3).every((id) => live.includes(store.record(id)?.status ?? '')),
    'the quick ones are read',
    20_000,
  )
  await until(() => live.includes(store.record(ids[2]!)?.status ?? ''), 'and the slow one too, in its time', 30_000)
  t.absent(live.includes(store.record(ids[0]!)?.status ?? 'offline'))
})

test('each firmware of a library is asked at its own port, also where the entry names one', {
  timeout: 60_000,
}, async (t) => {
  const farm = await startFarm({ miners: 6, mix: 'whatsminer', addresses: '127.31.3.1', seed: 4 })
  t.teardown(() => farm.close())
  const devices = farm.devices.map(({ host, port, username, password }) => ({ host, port, username, password }))
  const { store, worker } = await startWorker(t, { path: await t.tmp(), library: 'miner-whatsminer', devices })
  await until(
    () => [...worker.handles.keys()].every((id) => live.includes(store.record(id)?.status ?? '')),
    'all are read',
    30_000,
  )
  const families = new Set(store.records().map(({ firmware }) => firmware.family))
  t.is(families.size, 2, [...families].join())
  t.is(worker.counts.failures, 0)
})

test('hundreds of dead addresses are tried again and again without a place for each', {
  timeout: 60_000,
}, async (t) => {
  const { worker, call } = await startWorker(t, { path: await t.tmp(), library, intervalMs: 10_000, concurrency: 16 })
  const entries = Array.from({ length: 300 }, (_, index) => ({
    host: `127.32.${index >> 8}.${index & 255}`,
    port: 18_086,
  }))
  const { added } = await call.addDevices({ entries }, { timeoutMs: 50_000 })
  t.is(added.length, 300)
  await until(() => worker.poller.stats().polls! >= 600, 'each was tried twice', 30_000)
  t.is([...worker.handles.values()].filter(({ record }) => record.status === 'offline').length, 300)
  t.ok(worker.poller.stats().active! <= 16)
})
