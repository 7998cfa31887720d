import test from 'brittle'
import { miners } from '#devices'
import { matches } from '#model'
import { createNode } from '#node'
import { deviceWorker as contract } from '#rpc'
import { DeviceWorkerConfigSchema, libraries, workerServices } from '#workers'
import { until } from '../support/fake-clock.js'

test('the services of the room are the worker, the scanner, the commander and the aggregator', (t) => {
  t.alike(
    workerServices(miners).map(({ kind }) => kind),
    ['device-worker', 'scanner', 'commander', 'aggregator'],
  )
})

test('a library tells its firmwares, models and commands', (t) => {
  const all = libraries(miners)
  t.alike(all.map(({ library }) => library).sort(), [...new Set(miners.map(({ library }) => library))].sort())
  for (const { kind, make, families, models, commands } of all) {
    t.is(kind, 'miner')
    t.ok(make)
    t.ok(families.length > 0 && models.length > 0 && commands.includes('reboot'))
  }
})

test('a wrong library is refused with the nearest right one, and its neighbours do not notice', async (t) => {
  const awake = setInterval(() => {}, 1000)
  const [worker] = workerServices(miners)
  const node = await createNode({
    site: 'home',
    storage: await t.tmp(),
    services: [
      { name: 'wrong', service: worker!, config: { lib: 'miner-watsminer' } },
      { name: 'right', service: worker!, config: { lib: 'miner-whatsminer' } },
    ],
  })
  t.teardown(async () => {
    await node.close()
    clearInterval(awake)
  })
  await node.ready()
  const health = (name: string) => node.services().find((service) => service.name === name)
  await until(() => health('right')?.ready, 'the right one runs')
  await until(() => health('wrong')?.lastError, 'the wrong one says why')
  t.ok(health('wrong')?.lastError?.includes('did you mean miner-whatsminer'))
})

test('a library says how often its devices are asked, and the setting of the operator wins', async (t) => {
  const [worker] = workerServices(miners)
  const services = [
    { name: 'avalon', service: worker!, config: { lib: 'miner-avalon' } },
    { name: 'whatsminer', service: worker!, config: { lib: 'miner-whatsminer' } },
    { name: 'often', service: worker!, config: { lib: 'miner-avalon', intervalMs: 2000 } },
  ]
  const node = await createNode({ site: 'home', storage: await t.tmp(), services })
  t.teardown(() => node.close())
  await node.ready()
  const asked = await Promise.all(
    services.map(async ({ name }) => (await node.connect(contract, { service: name }).describe({})).intervalMs),
  )
  t.alike(asked, [30_000, 10_000, 2000])
})

test('the settings of a worker are checked', (t) => {
  t.ok(matches(DeviceWorkerConfigSchema, { lib: 'miner-whatsminer', deviceType: 'M56S' }))
  t.ok(
    matches(DeviceWorkerConfigSchema, {
      lib: 'x',
      devices: [{ host: '10.0.0.1', password: { env: 'P' } }],
      intervalMs: 5000,
      concurrency: 1,
    }),
  )
  for (const wrong of [
    {},
    { lib: '' },
    { lib: 'x', intervalMs: 0 },
    { lib: 'x', concurrency: 0 },
    { lib: 'x', device: [] },
    { lib: 'x', devices: [{}] },
  ]) {
    t.absent(matches(DeviceWorkerConfigSchema, wrong), JSON.stringify(wrong))
  }
})
