import test from 'brittle'
import { openVault } from '#keys'
import type { Receipt } from '#model'
import { startFarm } from '#sim'
import { until } from '../../support/fake-clock.js'
import { entryOf, startWorker, vaultSeed } from './bench.js'

const library = 'miner-antminer'

test('a command is read back, becomes an event, and the same request is carried out once', {
  timeout: 60_000,
}, async (t) => {
  const farm = await startFarm({ miners: 1, mix: 'antminer', seed: 4 })
  t.teardown(() => farm.close())
  const path = await t.tmp()
  const one = await startWorker(t, { path, library, devices: farm.devices.map(entryOf) })
  const [id] = [...one.worker.handles.keys()] as [string]
  await until(() => one.store.record(id)?.status === 'mining', 'it mines')
  const order = { id, command: 'setLed', params: { on: true }, requestId: 'r1' } as const
  const [first, second] = await Promise.all([one.call.command(order), one.call.command(order)])
  t.is(first.state, 'confirmed')
  t.alike(second, first)
  t.alike(await one.call.command(order), first)
  await until(() => one.store.record(id)?.led === 'blink' || one.store.record(id)?.led === 'on', 'the record shows it')
  await t.exception(one.call.command({ ...order, command: 'reboot', params: {} }), { code: 'CONFLICT' })
  const events = async () => (await one.store.events({ deviceId: id })).filter(({ type }) => type === 'command')
  await until(async () => (await events()).length > 0, 'the event is stored')
  t.is((await events()).length, 1)
  t.alike((await events())[0]?.data?.by, 'tester')
  await one.close()
  const two = await startWorker(t, { path, library, devices: farm.devices.map(entryOf) })
  t.alike(await two.call.command(order), first, 'also after a restart')
})

test('what the device cannot do or what is no valid input is refused before anything is sent; a dry run sends nothing', {
  timeout: 60_000,
}, async (t) => {
  const farm = await startFarm({ miners: 1, mix: 'antminer', seed: 4 })
  t.teardown(() => farm.close())
  const { call, worker, store } = await startWorker(t, {
    path: await t.tmp(),
    library,
    devices: farm.devices.map(entryOf),
  })
  const [id] = [...worker.handles.keys()] as [string]
  await t.exception(call.command({ id, command: 'setTuningSpeed', params: { speed: 3 }, requestId: 'a' }), {
    code: 'DEVICE_UNSUPPORTED',
  })
  await t.exception(call.command({ id, command: 'setLed', params: { on: 'yes' }, requestId: 'b' }), {
    code: 'BAD_REQUEST',
  })
  await t.exception(
    call.command({ id, command: 'setLed', params: { on: 'yes' }, requestId: 'b' }),
    { code: 'BAD_REQUEST' },
    'the same answer again',
  )
  const dry = await call.command({ id, command: 'setLed', params: { on: true }, requestId: 'c', dryRun: true })
  t.is(dry.state, 'accepted')
  await call.poll({ id })
  await until(() => store.record(id)?.at, 'stored')
  t.not(store.record(id)?.led, 'blink')
})

test('a reboot is seen as one, not as an outage, and ends', { timeout: 60_000 }, async (t) => {
  const farm = await startFarm({ miners: 1, mix: 'antminer', seed: 4, speed: 20 })
  t.teardown(() => farm.close())
  const { call, worker, store } = await startWorker(t, {
    path: await t.tmp(),
    library,
    devices: farm.devices.map(entryOf),
  })
  const [id] = [...worker.handles.keys()] as [string]
  await until(() => store.record(id)?.status === 'mining', 'it mines')
  const seen = new Set<string>()
  const stop = store.watch(({ records }) => {
    for (const record of records) seen.add(record.status)
  })
  const receipt: Receipt = await call.command(
    { id, command: 'reboot', params: {}, requestId: 'r' },
    { timeoutMs: 50_000 },
  )
  t.ok(['confirmed', 'accepted'].includes(receipt.state))
  await until(() => ['mining', 'starting', 'tuning'].includes(store.record(id)?.status ?? ''), 'it is back', 30_000)
  stop()
  t.ok(seen.has('rebooting'), [...seen].join())
  t.absent(seen.has('offline'))
})

test('a new password is used from then on, and kept', { timeout: 60_000 }, async (t) => {
  const farm = await startFarm({ miners: 1, mix: 'antminer', seed: 4 })
  t.teardown(() => farm.close())
  const path = await t.tmp()
  const { call, worker, store } = await startWorker(t, { path, library, devices: farm.devices.map(entryOf) })
  const [id] = [...worker.handles.keys()] as [string]
  await until(() => store.record(id)?.status === 'mining', 'it mines')
  await call.command({ id, command: 'setPassword', params: { password: 'n3w-pass' }, requestId: 'r' })
  t.is(worker.secrets.get(id)?.password, 'n3w-pass')
  t.alike(JSON.parse((await openVault(path, vaultSeed)).get(id)!).password, 'n3w-pass')
  const { at } = store.record(id)!
  await until(() => store.record(id)!.at! > at!, 'it is still read')
  const events = await store.events({ deviceId: id })
  t.absent(JSON.stringify(events).includes('n3w-pass'), 'and stands nowhere in the feed')
})
