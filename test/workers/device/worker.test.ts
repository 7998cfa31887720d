import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'brittle'
import { startFarm } from '#sim'
import { until } from '../../support/fake-clock.js'
import { entryOf, startWorker } from './bench.js'

const library = 'miner-antminer'
const live = ['mining', 'starting', 'tuning']

test('devices are recognised, read and stored; what breaks disturbs nobody and comes back', {
  timeout: 60_000,
}, async (t) => {
  const farm = await startFarm({ miners: 8, mix: 'antminer', seed: 3 })
  t.teardown(() => farm.close())
  const { store, worker } = await startWorker(t, { path: await t.tmp(), library, devices: farm.devices.map(entryOf) })
  const ids = [...worker.handles.keys()]
  const status = (index: number) => store.record(ids[index]!)?.status
  await until(() => ids.every((id) => live.includes(store.record(id)?.status ?? '')), 'all are mining')
  const first = store.record(ids[0]!)!
  t.ok(first.metrics.hashrateThs! > 0)
  t.is(first.worker, 'w')
  t.is(first.simulated, true)
  t.ok(first.model)
  t.ok(first.capabilities.includes('reboot'))
  t.is(first.latencyMs! >= 0, true)

  await farm.setFault(0, { kind: 'dead' })
  await farm.setFault(1, { kind: 'garbage' })
  await farm.setFault(2, { kind: 'half', ending: 'close' })
  await until(() => status(0) === 'offline', 'the dead one is offline')
  await until(() => !live.includes(status(1)!), 'the babbling one is not live')
  const dead = store.record(ids[0]!)!
  t.ok(dead.metrics.hashrateThs! > 0, 'its values stay')
  t.ok(Date.now() - dead.at! > 100, 'with their age')
  t.ok(dead.statusReason)
  const before = store.record(ids[5]!)!.at!
  await until(() => store.record(ids[5]!)!.at! > before + 400, 'the others go on')

  await farm.clearFault(0)
  await farm.clearFault(1)
  await until(() => live.includes(status(0)!) && live.includes(status(1)!), 'both are back', 20_000)
  const events = await store.events({ deviceId: ids[0]! })
  t.ok(events.some(({ type, data }) => type === 'status' && data?.to === 'offline'))
  t.ok(events.some(({ type, data }) => type === 'status' && data?.from === 'offline'))
})

test('inventory, states and accounts are there after a restart; nothing secret is in the feed', {
  timeout: 60_000,
}, async (t) => {
  const farm = await startFarm({ miners: 3, mix: 'antminer', seed: 4 })
  t.teardown(() => farm.close())
  const path = await t.tmp()
  const [a, b, c] = farm.devices.map(entryOf)
  const one = await startWorker(t, { path, library, devices: [a!] })
  const added = await one.call.addDevices({ entries: [{ ...b!, name: 'Bee', tags: ['x'] }, b!, a!] })
  t.is(added.added.length, 1)
  t.is(added.existing.length, 2)
  const id = added.added[0]!
  await until(() => live.includes(one.store.record(id)?.status ?? ''), 'the added one is read')
  t.is(one.store.record(id)?.name, 'Bee')
  t.alike(Object.keys(one.store.entries().get(id)!).includes('password'), false)
  t.absent(JSON.stringify([...one.store.entries(), ...one.store.records()]).includes('password'))
  await one.close()

  await farm.setFault(1, { kind: 'dead' })
  const two = await startWorker(t, { path, library, devices: [a!] })
  t.is(two.worker.handles.size, 2)
  t.is(two.worker.handles.get(id)?.record.model, one.store.record(id)?.model, 'the last state is known at once')
  t.is(two.worker.secrets.get(id)?.password, b!.password)
  await until(() => two.store.record(id)?.status === 'offline', 'and then what is true now')
  await two.call.removeDevice({ id })
  t.absent(two.store.record(id))
  await t.exception(two.call.device({ id }), { code: 'NOT_FOUND' })
  await two.close()

  const three = await startWorker(t, { path, library, devices: [c!] })
  t.is(three.worker.handles.size, 1, 'what vanished from the configuration is removed, what was removed stays so')
  t.absent((await readFile(join(path, 'vault.json'), 'utf8')).includes(id), 'its account is gone with it')
})

test('devices are changed while running; an address belongs to one', { timeout: 60_000 }, async (t) => {
  const farm = await startFarm({ miners: 2, mix: 'antminer', addresses: '127.31.0.1', webPort: 18_083, seed: 4 })
  t.teardown(() => farm.close())
  const [a, b] = farm.devices.map(entryOf)
  const { call, store, worker } = await startWorker(t, { path: await t.tmp(), library, devices: [a!, b!] })
  const [id, other] = [...worker.handles.keys()]
  const named = await call.updateDevice({
    id: id!,
    patch: { name: 'One', tags: ['t'], location: { rack: 1, slot: 2 } },
  })
  t.alike([named.name, named.tags, named.location], ['One', ['t'], { rack: 1, slot: 2 }])
  await until(() => store.record(id!)?.name === 'One', 'it is stored')
  t.is((await call.updateDevice({ id: id!, patch: { name: null } })).name, null)
  await t.exception(call.updateDevice({ id: id!, patch: { host: b!.host } }), { code: 'CONFLICT' })
  await t.exception(call.addDevices({ entries: [{ host: 'h', password: { env: 'HOME' } }] }), { code: 'BAD_REQUEST' })
  await t.exception(call.updateDevice({ id: 'nobody', patch: { name: 'x' } }), { code: 'NOT_FOUND' })
  t.is((await call.describe({})).devices, 2)
  t.is((await call.poll({ id: other! })).id, other)
  const raw = await call.raw({ id: id! })
  t.ok(Object.keys(raw.replies).length > 1)
})

test('a known device met at a new address keeps its id and its history', { timeout: 60_000 }, async (t) => {
  const farm = await startFarm({ miners: 2, mix: 'antminer', addresses: '127.31.1.1', webPort: 18_084, seed: 4 })
  const [a, b] = farm.devices.map(entryOf)
  const path = await t.tmp()
  const { call, store, worker } = await startWorker(t, { path, library, devices: [a!, b!] })
  const [id, other] = [...worker.handles.keys()]
  await until(() => store.record(id!)?.mac && store.record(other!)?.mac, 'both were read')
  const mac = store.record(id!)!.mac
  await farm.close()
  // The same hardware, elsewhere.
  const moved = await startFarm({ miners: 2, mix: 'antminer', addresses: '127.31.2.1', webPort: 18_084, seed: 4 })
  t.teardown(() => moved.close())
  const { added } = await call.addDevices({ entries: [{ ...entryOf(moved.devices[0]!), tags: ['new'] }] })
  if (moved.devices[0]!.machine === undefined || added.length !== 1) t.fail()
  await until(() => store.record(id!)?.address.startsWith('127.31.2.1'), 'it moved', 20_000)
  await until(() => live.includes(store.record(id!)?.status ?? ''), 'and is read there', 20_000)
  t.is(store.record(id!)?.mac, mac)
  t.absent(store.entries().has(added[0]!), 'the entry that found it is gone')
  t.is(worker.handles.size, 2)
  t.ok(
    (await store.events({ deviceId: id! })).some(({ type, data }) => type === 'inventory' && data?.change === 'moved'),
  )
})

test('a device that is none of the type is recognised, said to be refused, and not read', {
  timeout: 60_000,
}, async (t) => {
  const farm = await startFarm({ miners: 1, mix: 'antminer', seed: 4 })
  t.teardown(() => farm.close())
  const { store, worker } = await startWorker(t, {
    path: await t.tmp(),
    library,
    deviceType: 'S9',
    devices: farm.devices.map(entryOf),
  })
  const [id] = [...worker.handles.keys()]
  await until(() => store.record(id!)?.missing.metrics, 'it was refused')
  t.is(store.record(id!)?.missing.metrics?.code, 'DEVICE_NOT_ACCEPTED')
  t.is(store.record(id!)?.status, 'unknown')
  t.alike(store.record(id!)?.metrics, {})
})

test('devices that change addresses among themselves keep their ids, and a removed one gets its id back', {
  timeout: 60_000,
}, async (t) => {
  const farm = await startFarm({ miners: 2, mix: 'antminer', addresses: '127.31.5.1', webPort: 18_087, seed: 4 })
  const path = await t.tmp()
  const { call, store, worker } = await startWorker(t, { path, library, devices: farm.devices.map(entryOf) })
  const [a, b] = [...worker.handles.keys()] as [string, string]
  const address = (id: string) => store.record(id)?.address.split(':')[0]
  const isLive = (id: string) => live.includes(store.record(id)?.status ?? '')
  await until(() => isLive(a) && isLive(b), 'both were read')
  const macs = [store.record(a)?.mac, store.record(b)?.mac]
  await farm.close()
  // One address on: what was at .1 is at .2 now, what was at .2 is at .3.
  const shifted = await startFarm({ miners: 2, mix: 'antminer', addresses: '127.31.5.2', webPort: 18_087, seed: 4 })
  t.teardown(() => shifted.close())
  await until(() => address(a) === '127.31.5.2' && isLive(a), 'the first is found at the second address', 20_000)
  await call.addDevices({ entries: [entryOf(shifted.devices[1]!)] })
  await until(() => address(b) === '127.31.5.3' && isLive(b), 'the second at the new one', 20_000)
  t.alike([store.record(a)?.mac, store.record(b)?.mac], macs)
  t.alike([...store.entries().keys()].sort(), [a, b].sort())

  await call.removeDevice({ id: b })
  t.absent(store.record(b))
  await call.addDevices({ entries: [{ ...entryOf(shifted.devices[1]!), name: 'again' }] })
  await until(() => store.record(b)?.name === 'again' && isLive(b), 'it is itself again', 20_000)
  t.is(worker.handles.size, 2)
})
