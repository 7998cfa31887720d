import test from 'brittle'
import { type Scan, scanner } from '#rpc'
import { startFarm } from '#sim'
import { until } from '../../support/fake-clock.js'
import { entryOf } from '../device/bench.js'
import { startSite } from '../site.js'

const webPort = 18_085
const ports = { http: webPort }

test('what is found goes to the worker that accepts it; what is known is said; what nobody takes is refused', {
  timeout: 90_000,
}, async (t) => {
  const farm = await startFarm({ miners: 6, addresses: '127.41.0.1', webPort, seed: 9 })
  t.teardown(() => farm.close())
  const antminers = farm.devices.filter(({ library }) => library === 'miner-antminer')
  const { node, fleet } = await startSite(t, await t.tmp(), {
    am: { lib: 'miner-antminer', intervalMs: 300, devices: [entryOf(antminers[0]!)] },
  })
  await until(() => fleet.match({ status: ['mining'] }).length === 1, 'the known one is read')
  const desk = node.connect(scanner)
  const { id } = await desk.start({ ranges: ['127.41.0.0/28'], ports })
  let scan: Scan = await desk.get({ id })
  await until(
    async () => {
      scan = await desk.get({ id })
      return scan.state !== 'running'
    },
    'the scan ends',
    30_000,
  )
  t.is(scan.state, 'complete')
  t.is(scan.found.length, 6)
  t.alike(
    scan.found.filter(({ knownAs }) => knownAs).map(({ host }) => host),
    [antminers[0]!.host],
  )
  t.alike(scan.adopted, [])

  const after = await desk.adopt({ id })
  t.is(after.adopted.length, antminers.length - 1)
  t.is(after.refused.length, 6 - antminers.length)
  t.ok(after.refused.every(({ reason }) => reason.includes('miner-whatsminer')))
  await until(
    () => fleet.match({ status: ['mining'] }).length === antminers.length,
    'the adopted ones are read',
    20_000,
  )
  t.is((await desk.adopt({ id, hosts: ['127.41.0.14'] })).refused.at(-1)?.host, '127.41.0.14')
  t.is((await desk.list({})).length, 1)
})

test('scans are bounded, cancelled and refused with reasons', { timeout: 60_000 }, async (t) => {
  const { node } = await startSite(t, await t.tmp(), {})
  const desk = node.connect(scanner)
  await t.exception(desk.start({ ranges: ['10.0.0.0/8'] }), { code: 'TOO_LARGE' })
  await t.exception(desk.get({ id: 'none' }), { code: 'NOT_FOUND' })
  const wide = { ranges: ['127.50.0.0/16'], ports }
  const [one, two] = [await desk.start(wide), await desk.start(wide)]
  await t.exception(desk.start(wide), { code: 'RATE_LIMITED' })
  await t.exception(desk.adopt({ id: one.id }), { code: 'CONFLICT' })
  await desk.cancel({ id: one.id })
  await desk.cancel({ id: two.id })
  await until(async () => (await desk.list({})).every(({ state }) => state === 'cancelled'), 'both are cancelled')
})
