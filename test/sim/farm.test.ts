import { setImmediate as turn } from 'node:timers/promises'
import test from 'brittle'
import fc from 'fast-check'
import { addressesFrom, forkSimulation, parseMix, plainDevice, runSimulation, startFarm } from '#sim'
import { until } from '../support/fake-clock.js'
import { ask, say } from './talk.js'

const openServers = () => process.getActiveResourcesInfo().filter((name) => /TCP/.test(name)).length

test('a thousand miners start in one process, answer, cost nothing while idle, and close without a rest', async (t) => {
  const before = openServers()
  const memory = process.memoryUsage().rss
  const started = performance.now()
  const farm = await startFarm({ miners: 1000 })
  const seconds = (performance.now() - started) / 1000
  t.ok(seconds < 15, `started in ${seconds.toFixed(1)} s`)
  t.is(farm.devices.length, 1000)
  t.ok(process.memoryUsage().rss - memory < 200e6)
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  t.ok(timers < 5, 'no timer a miner')
  const answers = await Promise.all(
    farm.devices
      .filter((_, index) => index % 20 === 0)
      .map(({ ports }) => say(ports!.rpc!, '{"cmd":"summary","command":"summary"}')),
  )
  t.ok(answers.every(({ ending, text }) => ending === 'end' && text.length > 400))
  await farm.close()
  for (let spin = 0; spin < 5; spin++) await turn()
  t.ok(openServers() <= before)
  t.is((await say(farm.devices[0]!.port, '')).ending, 'refused')
})

test('the same seed gives the same miners, another seed others', async (t) => {
  const names = async (seed: number) => {
    const farm = await startFarm({ miners: 6, seed })
    await farm.close()
    return farm.devices.map(({ machine, model }) => `${model} ${machine.mac} ${machine.serial}`)
  }
  const first = await names(1)
  t.alike(await names(1), first)
  t.unlike(await names(2), first)
  t.is(new Set(first).size, 6)
})

test('each device says how it is reached, and what can travel is a plain value', async (t) => {
  const farm = await startFarm({ miners: 4, mix: 'whatsminer:0.5,antminer:0.5' })
  t.teardown(() => farm.close())
  t.alike(
    farm.devices.map(({ library }) => library),
    ['miner-whatsminer', 'miner-antminer', 'miner-whatsminer', 'miner-antminer'],
  )
  for (const device of farm.devices) {
    const plain = plainDevice(device)
    t.alike(JSON.parse(JSON.stringify(plain)), plain)
    t.ok(plain.simulated && plain.username && plain.password)
    t.is(plain.port, plain.ports![plain.library === 'miner-antminer' ? 'http' : 'rpc'])
  }
})

test('a mix is met by shares or by models; a wrong one is refused with the names that there are', async (t) => {
  const farm = await startFarm({ miners: 12, mix: { 'S21 Pro+': 3, m56s: 1 } })
  await farm.close()
  t.alike([...new Set(farm.devices.map(({ model }) => model))].sort(), ['M56S', 'S21 Pro+'])
  t.is(farm.devices.filter(({ model }) => model === 'M56S').length, 3)
  t.alike(parseMix('whatsminer:0.6, antminer:0.4'), { whatsminer: 0.6, antminer: 0.4 })
  for (const bad of ['', 'toaster:1', 'whatsminer:x', 'whatsminer:-1', 'whatsminer:0'])
    await t.exception(() => parseMix(bad), { code: 'BAD_REQUEST' })
})

test('options that cannot be met are refused before anything is opened', async (t) => {
  for (const options of [
    { miners: 0 },
    { miners: 1.5 },
    { miners: 1e6 },
    { miners: 1, speed: 0 },
    { miners: 1, faults: 2 },
  ])
    await t.exception(startFarm(options), { code: 'BAD_REQUEST' })
  await t.exception(startFarm({ miners: 300, addresses: '127.1.0.0/24' }), { code: 'BAD_REQUEST' })
})

test('addresses follow each other; a network leaves out its first and last', async (t) => {
  t.alike(addressesFrom('127.1.0.254', 3), ['127.1.0.254', '127.1.0.255', '127.1.1.0'])
  t.alike(addressesFrom('127.1.0.77/22', 2), ['127.1.0.1', '127.1.0.2'])
  t.is(addressesFrom('127.1.0.0/22', 1022).at(-1), '127.1.3.254')
  for (const bad of ['', '127.1', '300.1.1.1', '127.1.0.0/33', '::1', '127.1.0.0/22x'])
    await t.exception(() => addressesFrom(bad, 1), { code: 'BAD_REQUEST' })
  const property = fc.property(fc.ipV4(), fc.integer({ min: 1, max: 50 }), (base, count) => {
    try {
      return new Set(addressesFrom(base, count)).size === count
    } catch {
      return base.startsWith('255.255.255.')
    }
  })
  fc.assert(property)
})

if (process.platform === 'linux') {
  test('with an address of its own each miner has the standard ports; what is taken is said', async (t) => {
    const farm = await startFarm({ miners: 4, addresses: '127.44.0.0/24', webPort: 8480 })
    t.teardown(() => farm.close())
    t.alike(
      farm.devices.map(({ host }) => host),
      ['127.44.0.1', '127.44.0.2', '127.44.0.3', '127.44.0.4'],
    )
    const [whatsminer, antminer] = farm.devices
    t.alike([whatsminer!.port, whatsminer!.ports], [4028, undefined])
    t.alike(antminer!.ports, { http: 8480, rpc: 4028 })
    const { text } = await say(4028, '{"cmd":"get_version"}', { host: '127.44.0.1' })
    t.is(JSON.parse(text.replace(/\0$/, '')).Code, 131)
    await t.exception(startFarm({ miners: 2, addresses: '127.44.0.3', webPort: 8480 }), { code: 'PORT_IN_USE' })
  })
}

test('an address that this machine does not have is said clearly', async (t) => {
  await t.exception(
    startFarm({ miners: 1, addresses: '192.0.2.77', mix: { M50S: 1 } }),
    /192\.0\.2\.77:4028.*no such address/,
  )
})

test('a simulation runs until it is told to end, and lists what it runs', async (t) => {
  const end = new AbortController()
  const lines: string[] = []
  const running = runSimulation({ miners: 3, mix: 'antminer', signal: end.signal }, (line) => lines.push(line))
  await until(() => lines.length > 3, 'the list')
  t.ok(lines[0]!.startsWith('3 simulated devices are running'))
  const port = Number(/rpc (\d+)/.exec(lines[1]!)![1])
  t.ok((await ask(port, { command: 'version' })).VERSION)
  end.abort()
  await running
  t.is((await say(port, '{}')).ending, 'refused')
  await t.exception(
    runSimulation({ miners: Number.NaN }, () => {}),
    { code: 'BAD_REQUEST' },
  )
})

test('in a process of its own it tells its devices, takes faults, and ends with its parent', async (t) => {
  const farm = await forkSimulation({ miners: 2, mix: 'M50S:1', seed: 3 })
  t.teardown(() => farm.close())
  t.is(farm.devices.length, 2)
  const port = farm.devices[1]!.port
  t.is((await ask(port, { cmd: 'get_version' })).Code, 131)
  farm.setFault(1, { kind: 'dead' })
  await until(async () => (await say(port, '{"cmd":"status"}')).ending === 'refused', 'the fault')
  farm.clearFault(1)
  await until(async () => (await say(port, '{"cmd":"status"}')).ending === 'end', 'the healing')
  await farm.close()
  t.is((await say(port, '{}')).ending, 'refused')
  await t.exception(forkSimulation({ miners: -1 }), /between 1 and 20000/)
})
