import test, { type Assertions } from 'brittle'
import { observe } from '#devices'
import { antminerStock } from '../../src/devices/miners/antminer.js'
import { AntminerDevice, asS19, capture } from './antminer-device.js'

/** What the source of a capture says of it; each says some of it. */
interface Expected {
  model: string
  hashrate_ths: number
  hashrate_avg_ths: number
  expected_hashrate_ths: number
  nominal_hashrate_ths: number
  uptime_s: number
  fan_rpm: number[]
  fans_rpm: number[]
  chips_board0: number
  hashboards_count: number
  fans_count: number
  power_w: number
  efficiency_jth: number
  ambient_c: number
  inlet_c: number
  outlet_c: number
  boards: number
  chips_per_board: number
  freq_mhz: number
}

function expectedOf(name: string): Expected {
  return capture(`${name}/expected.json`) as unknown as Expected
}

/** What a record may hold: no NaN, no infinity, and nothing that only a failure makes. */
function isClean(t: Assertions, value: unknown, path = '') {
  if (typeof value === 'number') t.ok(Number.isFinite(value), `${path} is a number`)
  else if (value && typeof value === 'object')
    for (const [key, inner] of Object.entries(value)) isClean(t, inner, `${path}.${key}`)
}

test('an S19 is read over the web: all that it tells, one connection', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const expected = expectedOf('s19_fleet')
  const { telemetry: now, missing, model, replies } = await observe(antminerStock, device.io())
  t.is(now.model, 'S19')
  t.is(now.hashrateThs, expected.hashrate_ths)
  t.is(now.hashrateAvgThs, expected.hashrate_avg_ths)
  t.is(now.expectedHashrateThs, expected.expected_hashrate_ths)
  t.is(now.hashrate30mThs, 88.1)
  t.is(now.miningUptimeS, expected.uptime_s)
  t.alike(
    now.fans,
    expected.fan_rpm.map((rpm, index) => ({ index, rpm })),
  )
  const [first] = now.boards!
  t.is(first!.chips, expected.chips_board0)
  t.is(first!.expectedChips, 88, 'the build with 88 chips, not a board with chips too many')
  t.is(first!.hashrateThs, 29.5)
  t.is(first!.boardTempC, 43.5)
  t.is(first!.chipTempMaxC, 67)
  t.is(first!.chipTempMinC, 55)
  t.is(first!.inletTempC, 35)
  t.is(first!.outletTempC, 38)
  t.is(first!.serial, 'HASH01')
  t.is(first!.status, 'ok')
  t.is(now.boardTempMaxC, 49, 'the hottest sensor, not the hottest mean')
  t.is(now.hwErrors, 12)
  t.is(now.bestShare, 5e9)
  t.is(now.mac, '02:B3:B9:8C:1E:C8')
  t.is(now.hostname, 'Antminer')
  t.is(now.firmwareVersion, 'Fri Nov 17 17:37:21 CST 2023')
  t.alike(now.network, { dhcp: true, ip: '172.16.26.253', netmask: '255.255.255.0' })
  t.is(now.led, 'off')
  t.alike(now.tuning, { mode: 'normal' }, 'a hashrate percentage of 0 is one that is not set')
  t.is(now.asleep, false)
  t.is(now.powerW, undefined, 'power is not invented')
  t.is(now.efficiencyJTh, undefined)
  t.is(now.acceptedShares, 1000)
  t.is(now.pools![0]!.active, true)
  t.is(now.pools![0]!.lastShareAt, 1_799_999_995_000)
  t.is(now.pools![0]!.difficulty, 131_000)
  t.alike(
    now.errors!.map(({ code, index }) => [code, index]),
    [
      ['pool-dead', 1],
      ['pool-dead', 2],
    ],
  )
  t.alike(missing, {})
  t.is(model?.boards, 3)
  t.is(device.connections, 1)
  isClean(t, now)

  const before = device.seen.length
  await observe(antminerStock, device.io(), { previous: replies })
  t.alike(
    device.paths().slice(before),
    ['GET /cgi-bin/stats.cgi'],
    'the next poll asks for what changes fast, and only that',
  )
})

test('an S19 Pro of 2022 is read over the RPC when its web refuses the password; the rest is said as missing', async (t) => {
  const device = await new AntminerDevice({ password: 'secret' }).start(t)
  for (const name of ['stats', 'summary', 'pools', 'version']) device.rpc[name] = capture(`s19pro_v2020/${name}.json`)
  const expected = expectedOf('s19pro_v2020')
  const { telemetry: now, missing } = await observe(antminerStock, device.io())
  t.is(`Antminer ${now.model}`, expected.model)
  t.is(now.hashrateThs, expected.hashrate_ths)
  t.is(now.expectedHashrateThs, expected.expected_hashrate_ths)
  t.is(now.boards!.length, expected.hashboards_count)
  t.is(now.fans!.length, expected.fans_count)
  t.is(now.boards![0]!.chips, 114)
  t.is(now.boards![0]!.hashrateThs, 37.6033)
  t.is(now.boards![2]!.hwErrors, 184)
  t.is(now.boards![0]!.frequencyMhz, 525)
  t.is(now.boardTempMaxC, 73)
  t.is(now.chipTempMaxC, 78)
  t.is(now.hwErrors, 562)
  t.is(now.acceptedShares, 4057)
  t.is(now.rejectedShares, 11)
  t.is(now.pools![0]!.active, true)
  t.is(now.pools![1]!.active, false)
  t.is(now.asleep, undefined)
  t.is(missing.hostname?.code, 'DEVICE_AUTH')
  t.ok(/default password/.test(missing.hostname!.message))
  t.absent(JSON.stringify(missing).includes('"root"'), 'no password in an error')
  t.is(device.asked.filter((request) => request.new_api).length, 1, 'the new form is asked for once')
  isClean(t, now)
})

test('the firmware version is that of the system information', async (t) => {
  const device = await new AntminerDevice().start(t)
  device.rpc.stats = capture('s19pro_v2020/stats.json')
  device.cgi.get_system_info = capture('s19pro_v2020/system_info.json')
  const { telemetry: now } = await observe(antminerStock, device.io())
  t.is(now.firmwareVersion, (capture('s19pro_v2020/expected.json') as { fw_version: string }).fw_version)
  t.is(now.model, 'S19 Pro', 'what mines counts, not what the system calls itself')
  t.is(now.serial, 'THQING0BDJAB024NF')
  t.is(now.mac, undefined, 'a malformed address is none')
})

test('an S21 Pro+ of 2026 tells its power', async (t) => {
  const device = await new AntminerDevice().start(t)
  device.rpc['stats new'] = capture('s21proplus/rpc_stats_new_api.json')
  const expected = expectedOf('s21proplus')
  const { telemetry: now, missing } = await observe(antminerStock, device.io())
  t.is(now.model, 'S21 Pro+')
  t.is(now.hashrateThs, 249.99418)
  t.is(now.hashrateAvgThs, 246.8521)
  t.is(now.expectedHashrateThs, expected.expected_hashrate_ths)
  t.is(now.powerW, expected.power_w)
  t.is(now.efficiencyJTh, 14)
  t.is(now.boards!.length, expected.boards)
  for (const board of now.boards!) {
    t.is(board.chips, expected.chips_per_board)
    t.is(board.frequencyMhz, expected.freq_mhz)
  }
  t.alike(
    now.fans!.map((fan) => fan.rpm),
    expected.fans_rpm,
  )
  t.is(now.miningUptimeS, expected.uptime_s)
  t.is(missing.pools?.code, 'DEVICE_UNSUPPORTED')
})

for (const way of ['web', 'rpc'] as const) {
  test(`an S23 Hyd. is read over ${way}: coolant, no fans`, async (t) => {
    const device = await new AntminerDevice().start(t)
    if (way === 'web') device.cgi.stats = capture('s23_hyd/stats.cgi.json')
    else device.rpc.stats = capture('s23_hyd/rpc_stats.json')
    const expected = expectedOf('s23_hyd')
    const { telemetry: now } = await observe(antminerStock, device.io())
    t.is(now.model, 'S23 Hyd')
    t.is(now.hashrateThs, 572.84556)
    t.ok(Math.abs(now.hashrateAvgThs! - expected.hashrate_avg_ths) < 0.01)
    t.ok(Math.abs(now.expectedHashrateThs! - expected.expected_hashrate_ths) < 0.001)
    t.is(now.boards!.length, expected.boards)
    for (const board of now.boards!) {
      t.is(board.chips, expected.chips_per_board)
      t.is(board.frequencyMhz, expected.freq_mhz)
      t.is(board.status, 'ok')
    }
    t.is(now.inletTempC, expected.inlet_c)
    t.is(now.outletTempC, expected.outlet_c)
    t.is(now.chipTempMaxC, 56)
    t.is(now.boardTempMaxC, 52)
    t.alike(now.fans, expected.fans_rpm)
    if (way === 'rpc') return
    t.is(now.miningUptimeS, expected.uptime_s)
    t.is(now.powerW, expected.power_w)
    t.is(now.efficiencyJTh, expected.efficiency_jth)
    t.is(now.ambientTempC, expected.ambient_c)
    t.is(now.nominalHashrateThs, expected.nominal_hashrate_ths)
    t.is(now.asleep, false)
    isClean(t, now)
  })
}
