import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type Assertions } from 'brittle'
import { type Io, observe } from '#devices'
import { minerStatus } from '#model'
import { antminerStock } from '../../src/devices/miners/antminer.js'
import { warningErrors } from '../../src/devices/miners/antminer-errors.js'
import { FakeClock } from '../support/fake-clock.js'
import { AntminerDevice, asS19, capture } from './antminer-device.js'

type Stats = { INFO: Record<string, unknown>; STATS: Record<string, unknown>[] }
type Summary = { SUMMARY: { status: Record<string, unknown>[] }[] }

const see = async (io: Io) => (await observe(antminerStock, io)).telemetry

function statusOf(telemetry: Awaited<ReturnType<typeof see>>) {
  const { errors = [], asleep, ...metrics } = telemetry
  return minerStatus({ failures: 0, never: false, asleep, metrics, errors })
}

test('asleep: by its configuration, with empty sections', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const conf = (device.cgi.get_miner_conf as () => Record<string, unknown>)()
  conf['bitmain-work-mode'] = 1
  device.cgi.stats = { ...capture('s19_fleet/web_stats.json'), STATS: [] }
  device.cgi.summary = { STATUS: {}, INFO: {}, SUMMARY: [] }
  device.cgi.pools = { STATUS: {}, INFO: {}, POOLS: [] }
  const now = await see(device.io())
  t.is(now.asleep, true)
  t.is(statusOf(now), 'sleeping')
  t.is(now.tuning?.mode, 'sleep')
  t.is(now.hashrateThs, undefined)
  t.is(now.pools?.length, 3, 'the pools that are set')
  t.alike(now.errors, [], 'sleep is no failure')
})

test('asleep: by the mode in its stats, with zeros in them', async (t) => {
  const device = await new AntminerDevice().start(t)
  const stats = capture('s23_hyd/stats.cgi.json') as unknown as Stats
  Object.assign(stats.STATS[0]!, { 'miner-mode': '1', rate_5s: 0, watt: 0, chain: [] })
  device.cgi.stats = stats
  const now = await see(device.io())
  t.is(now.asleep, true)
  t.is(now.hashrateThs, 0, 'a measured 0')
  t.is(now.powerW, undefined, 'a power of 0 is "not available"')
  t.alike(now.errors, [])
})

test('asleep: empty sections where the configuration cannot be read', async (t) => {
  const device = await new AntminerDevice({ password: 'mine' }).start(t)
  device.rpc['stats new'] = { STATUS: {}, INFO: { type: 'Antminer S21' }, STATS: [] }
  t.is((await see(device.io())).asleep, true)
})

test('starting is not sleeping: empty sections, but the mode is normal', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  device.cgi.stats = { ...capture('s19_fleet/web_stats.json'), STATS: [] }
  const now = await see(device.io())
  t.is(now.asleep, false)
  t.absent(
    now.errors?.some(({ code }) => code === 'board-missing'),
    'no board is missed yet',
  )
})

test('an average that lingers is no hashing', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const stats = capture('s19_fleet/web_stats.json') as unknown as Stats
  stats.STATS[0]!.rate_5s = 0
  device.cgi.stats = stats
  const now = await see(device.io())
  t.is(now.hashrateThs, 0)
  t.is(statusOf(now), 'not-mining')
})

test('a lost board, a stopped fan, a hot board, a bad chip: each is named with what to do', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const stats = capture('s19_fleet/web_stats.json') as unknown as Stats
  const [section] = stats.STATS as { chain: Record<string, unknown>[]; fan: number[]; hwp_total: number; psu: object }[]
  section!.chain.splice(1, 1)
  section!.fan[2] = 0
  section!.chain[0]!.temp_pcb = [90, 96, 0, 80]
  section!.chain[0]!.asic = ` oooo xxxx ${'oooo '.repeat(20)}`
  section!.hwp_total = 0.06
  section!.psu = { index: 0, status: 'over temperature' }
  device.cgi.stats = stats
  const now = await see(device.io())
  const found = now.errors!.map(({ code, severity, index }) => `${code} ${severity} ${index ?? ''}`.trim())
  for (const line of [
    'board-missing high 1',
    'fan-stopped high 2',
    'board-hot critical 0',
    'hardware-errors high',
    'psu high',
    'chips-missing medium 0',
  ])
    t.ok(found.includes(line), `${line} in ${found}`)
  t.ok(now.errors!.every(({ message, action }) => message && action))
})

test('the alarms of the summary: its words, its weight', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const summary = capture('s19_fleet/web_summary.json') as unknown as Summary
  summary.SUMMARY[0]!.status = [
    { type: 'rate', status: 's', code: 0, msg: '' },
    { type: 'network', status: 'e', code: 5, msg: 'socket connect fail' },
    { type: 'fans', status: 'w', code: 0, msg: '' },
    { type: 'temp', status: 'e', code: 0, msg: 'over max temp' },
    { type: 'new', status: 'w', code: 1, msg: 'what' },
  ]
  device.cgi.summary = summary
  const errors = (await see(device.io())).errors!.filter(({ code }) => code !== 'pool-dead')
  t.alike(
    errors.map(({ code, severity, vendorCode }) => [code, severity, vendorCode]),
    [
      ['network', 'high', 'network 5'],
      ['fan', 'medium', 'fans'],
      ['temperature', 'critical', 'temp'],
      ['vendor-warning', 'medium', 'new 1'],
    ],
  )
  t.ok(errors[0]!.message.includes('socket connect fail'))
})

test('a pool that rejects and pools that are dead', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const pools = (device.cgi.pools as () => { POOLS: Record<string, unknown>[] })()
  Object.assign(pools.POOLS[0]!, { rejected: 120 })
  device.cgi.pools = pools
  t.is((await see(device.io())).errors!.find(({ code }) => code === 'pool-rejects')?.severity, 'high')
  Object.assign(pools.POOLS[0]!, { status: 'Dead', rejected: 0 })
  t.ok(
    (await see(device.io())).errors!.some(({ code, severity }) => code === 'all-pools-dead' && severity === 'critical'),
  )
})

test('every warning code of the engineering port has words and something to do', (t) => {
  for (const code of [
    'R:1',
    'N:1',
    'V:1',
    'V:2',
    'J0:8',
    'P:1',
    'P:2',
    'J1:4',
    'J7:4',
    'J0:6',
    'J2:2',
    'M:1',
    'L1:1',
    'L3:2',
    'L255:2',
  ]) {
    const [error] = warningErrors(code)
    t.ok(error && error.code !== 'vendor-warning' && error.action, `${code}: ${error?.message}`)
    t.is(error!.vendorCode, code)
    t.absent(error!.message.includes('#'))
  }
  t.is(warningErrors('X:9')[0]?.code, 'vendor-warning')
  t.alike(warningErrors(undefined), [])
})

/** The engineering port of a newer model. */
async function engineering(t: Assertions, answers: Record<string, string>) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url!)
    response.end(answers[request.url!] ?? 'error 6060 cmd')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return { port: (server.address() as AddressInfo).port, asked }
}

test('power and warnings of the engineering port', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const { port } = await engineering(t, { '/miner_power': 'miner power:3412', '/warning': '{"error_message":"J1:4"}' })
  const now = await see(device.io({ ports: { ...device.ports, engineering: port } }))
  t.is(now.powerW, 3412)
  t.is(now.efficiencyJTh, 38.59)
  t.ok(now.errors!.some(({ code, vendorCode }) => code === 'board-eeprom' && vendorCode === 'J1:4'))
})

test('an engineering port that knows nothing, or is closed, makes nothing missing and costs no more', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const { port, asked } = await engineering(t, { '/warning': '{"error_message":"None"}' })
  const clock = new FakeClock()
  const io = device.io({ ports: { ...device.ports, engineering: port }, clock })
  const first = await observe(antminerStock, io)
  t.alike(first.missing, {})
  t.is(first.telemetry.powerW, undefined)
  t.alike(asked, ['/miner_power', '/warning'])
  await clock.advance(40_000)
  await observe(antminerStock, io, { previous: first.replies })
  t.is(asked.length, 2)

  const closed = device.io({ clock })
  const seen = await observe(antminerStock, closed)
  t.alike(seen.missing, {})
  closed.memory.forEach((value, key) => {
    if (key.includes('engineering')) t.ok((value as number) > clock.now())
  })
})

test('when the web comes back, what only the RPC said is not kept', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const summary = device.cgi.summary
  device.cgi.summary = '<html>busy</html>'
  device.rpc.summary = capture('s19pro_v2020/summary.json')
  const good = device.cgi.stats
  device.cgi.stats = '<html>busy</html>'
  device.rpc.stats = capture('s19pro_v2020/stats.json')
  const io = device.io()
  const first = await observe(antminerStock, io)
  t.is(first.telemetry.model, 'S19 Pro')
  t.is(first.telemetry.hashrateThs, 110.56689)
  t.is(first.telemetry.poolRejectPct, 0)
  device.cgi.stats = good
  device.cgi.summary = summary
  const { telemetry: now } = await observe(antminerStock, io, { previous: first.replies, fresh: true })
  t.is(now.poolRejectPct, undefined)
  t.is(now.model, 'S19')
  t.is(now.hashrateThs, 88.422)
  t.is(now.boardTempMaxC, 49)
})

test('a web interface too slow for all its pages: what it said in time counts', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  device.cgi.get_miner_conf = () => new Promise(() => {})
  const { telemetry: now, missing } = await observe(antminerStock, device.io(), { timeoutMs: 2000 })
  t.is(now.hashrateThs, 88.422)
  t.is(now.pools?.length, 3)
  t.is(missing.hostname?.code, 'DEVICE_TIMEOUT')
})

test('who it is stays known when its page fails once; a device that is gone is gone all the same', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const io = device.io()
  const { replies: previous } = await observe(antminerStock, io)
  device.cgi.get_system_info = '<html>busy</html>'
  const { telemetry, replies } = await observe(antminerStock, io, { previous, fresh: true })
  t.is(telemetry.mac, '02:B3:B9:8C:1E:C8')
  await device.stop()
  try {
    await observe(antminerStock, io, { previous: replies, fresh: true })
    t.fail('nobody is there')
  } catch (error) {
    t.is((error as { code: string }).code, 'DEVICE_UNREACHABLE')
  }
})
