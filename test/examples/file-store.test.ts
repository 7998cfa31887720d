import test from 'brittle'
import { createNode, devices, deviceWorker, type Placement, workerServices } from 'miningsdk'
import { silentLog } from '#model'
import { startFarm } from '#sim'
import { openFileStore } from '../../examples/file-store.js'
import { until } from '../support/fake-clock.js'

test('a worker keeps its history in a backend of somebody else, through a restart, without a change in the core', {
  timeout: 60_000,
}, async (t) => {
  const farm = await startFarm({ miners: 1, mix: { M56S: 1 }, seed: 9 })
  t.teardown(() => farm.close())
  const [device] = farm.devices.map(({ library: _library, model: _model, machine: _machine, ...entry }) => entry)
  const service = workerServices(devices, openFileStore).find(({ kind }) => kind === 'device-worker')!
  const config = { lib: 'miner-whatsminer', intervalMs: 1000, devices: [device] }
  const placements: Placement[] = [{ name: 'wm', service, config }]
  const storage = await t.tmp()
  const run = async () => {
    const node = await createNode({ site: 'home', storage, services: placements, log: silentLog })
    t.teardown(() => node.close())
    await node.ready()
    return node
  }
  const first = await run()
  const read = () => first.directory.readers()[0]?.records()[0]
  await until(() => read()?.status === 'mining', 'it is read', 30_000)
  const { id } = read()!
  t.is((await first.connect(deviceWorker).describe({})).devices, 1)
  const samples = async (node: typeof first) => {
    const [reader] = node.directory.readers()
    const query = { deviceId: id, metrics: ['hashrateThs'] as const, from: 0, to: Date.now(), step: 'raw' as const }
    return (await reader!.history(query)).at
  }
  await until(async () => (await samples(first)).length >= 2, 'it is read again', 30_000)
  await first.close()
  const second = await run()
  t.ok((await samples(second)).length >= 2)
  await second.close()
})
