import test from 'brittle'
import { miners } from '#devices'
import { startFarm } from '#sim'
import { scanOnce } from '../../../src/workers/scan/scan.js'

const webPort = 18_081
const ports = { http: webPort }

test('every simulated miner of a range is found and told by evidence, and nothing else', async (t) => {
  const farm = await startFarm({ miners: 12, addresses: '127.21.0.1', webPort, seed: 5 })
  t.teardown(() => farm.close())
  let told = 0
  const scan = await scanOnce(miners, { ranges: ['127.21.0.0/27'], ports }, { progress: () => told++ })
  t.is(scan.state, 'complete')
  t.is(scan.addresses, 32)
  t.is(scan.tried, 32)
  t.alike(
    scan.found.map(({ host, library }) => [host, library]),
    farm.devices.map(({ host, library }) => [host, library]),
    'in order of address',
  )
  for (const [index, found] of scan.found.entries()) {
    const real = farm.devices[index]!
    t.ok(found.model && real.model.startsWith(found.model.slice(0, 3)), `${found.model} is ${real.model}`)
    t.ok(found.confidence > 0.5)
    t.is(found.knownAs, null)
  }
  t.ok(told >= 1)
})

test('a dead, a silent and a babbling host disturb nobody; what answers nonsense is shown as not recognised', async (t) => {
  const farm = await startFarm({ miners: 6, mix: 'antminer', addresses: '127.21.1.1', webPort, seed: 5 })
  t.teardown(() => farm.close())
  await farm.setFault(0, { kind: 'dead' })
  await farm.setFault(1, { kind: 'garbage' })
  const scan = await scanOnce(miners, { ranges: ['127.21.1.1-6'], ports, libraries: ['miner-antminer'] })
  t.is(scan.state, 'complete')
  t.alike(
    scan.found.map(({ host, library }) => [host, library]),
    [['127.21.1.2', null], ...farm.devices.slice(2).map(({ host }) => [host, 'miner-antminer'])],
  )
  t.ok(scan.found[0]!.seen.length > 0, 'with what was seen')
})

test('a silent /24 is done at once, and a scan can be cancelled', async (t) => {
  const began = performance.now()
  const scan = await scanOnce(miners, { ranges: ['127.21.2.0/24'], ports })
  t.is(scan.state, 'complete')
  t.is(scan.tried, 256)
  t.alike(scan.found, [])
  t.comment(`${Math.round(performance.now() - began)} ms`)
  const cancelling = new AbortController()
  const long = scanOnce(miners, { ranges: ['127.22.0.0/16'], ports }, { signal: cancelling.signal })
  setImmediate(() => cancelling.abort())
  const cut = await long
  t.is(cut.state, 'cancelled')
  t.ok(cut.tried < cut.addresses)
})

test('wrong libraries and ranges are refused before anything is tried', async (t) => {
  await t.exception(scanOnce(miners, { ranges: ['127.0.0.1'], libraries: ['miner-antmine'] }), { code: 'BAD_REQUEST' })
  await t.exception(scanOnce(miners, { ranges: ['nowhere'] }), { code: 'BAD_REQUEST' })
})
