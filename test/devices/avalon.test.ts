import test from 'brittle'
import { identify, miners, observe } from '#devices'
import { avalonModel, avalonName, avalons } from '../../src/devices/hardware/avalon.js'
import { avalon } from '../../src/devices/miners/avalon.js'
import { answersOf, capture, FakeMiner, failure, flaw, run } from './fake-miner.js'
import { operated } from './simulated.js'

async function replayed(t: { teardown(close: () => unknown): void }, folder: string, names: readonly string[]) {
  const device = await new FakeMiner().start(t)
  Object.assign(device.rpc, answersOf(`avalon/${folder}`, names))
  return device
}

test('an A1066 that answers in plain text is read', async (t) => {
  const device = await replayed(t, 'a1066_doc', ['estats.txt', 'pools.txt', 'summary.txt', 'version.txt'])
  const expected = capture('avalon/a1066_doc/expected.json')
  const { telemetry: now, missing, model } = await observe(avalon, device.io())
  t.is(now.model, expected.model)
  t.is(now.firmwareVersion, expected.fw_version)
  t.is(now.serial, expected.dna)
  t.is(now.mac, 'AA:A5:83:6A:0F:14')
  t.is(now.miningUptimeS, expected.uptime_s)
  t.is(now.ambientTempC, expected.ambient_c)
  t.is(now.chipTempMaxC, expected.chip_tmax_c)
  t.is(now.chipTempAvgC, expected.chip_tavg_c)
  t.is(now.fanDutyPct, expected.fan_duty_pct)
  t.is(now.dcPowerW, expected.power_dc_w)
  t.is(now.psuOutputVoltageV, expected.hash_voltage_v)
  t.is(now.expectedHashrateThs, expected.expected_hashrate_ths)
  t.is(now.hashrate1hThs, expected.hashrate_ths_GHSavg)
  t.is(now.hashrateThs, 51.42347812)
  t.is(now.frequencyMhz, expected.freq_mhz)
  t.alike(
    now.fans?.map(({ rpm }) => rpm),
    expected.fan_rpm,
  )
  t.alike(
    now.boards?.map(({ hashrateThs, chips, status }) => [hashrateThs! * 1000, chips, status]),
    expected.board_hashrate_ghs.map((ghs: number) => [ghs, 114, 'ok']),
  )
  t.is(now.pools?.[0]?.user, 'cctrix.001')
  t.is(now.pools?.[0]?.alive, true)
  t.is(now.acceptedShares, 1740)
  t.alike(now.errors, [], '512 is how a good board reports itself')
  t.alike(missing, {})
  t.is(model?.chips, 114)
  t.is(flaw(now), undefined)
  t.alike([...device.commands()].sort(), ['estats', 'pools', 'summary', 'version'], 'each is asked once')
})

test('an A1246 is read by its stats alone: the wall, not the boards, says its power', async (t) => {
  const device = await replayed(t, 'a1246_21072802', ['stats.json'])
  const { _derived_not_asserted: derived, ...expected } = capture('avalon/a1246_21072802/expected.json')
  const { telemetry: now } = await observe(avalon, device.io())
  t.is(now.model, '1246')
  t.is(now.variant, '83')
  t.is(now.nominalHashrateThs, 83, 'the bin is the label')
  t.is(now.miningUptimeS, expected.uptime_s)
  t.is(now.serial, expected.serial_number)
  t.is(now.expectedHashrateThs, expected.expected_hashrate_ths)
  t.is(now.powerW, derived.power_w_wall_from_PS6)
  t.is(now.dcPowerW, expected.power_w)
  t.is(now.hashrateAvgThs, derived.hashrate_avg_ths_GHSavg)
  t.is(now.chipTempAvgC, expected.average_temperature_c)
  t.is(now.powerLimitW, 3200)
  t.is(now.tuning?.mode, 'high')
  t.alike(
    now.fans?.map(({ rpm }) => rpm),
    derived.fan_rpm,
  )
  const [first] = now.boards!
  t.is(first?.chips, expected.hashboards[0].working_chips)
  t.is(first?.frequencyMhz, expected.hashboards[0].frequency_mhz)
  t.is(first?.chipTempMaxC, expected.hashboards[0].outlet_chip_temperature_c)
  t.is(now.asleep, false)
})

test('an Avalon Q that was told to sleep makes nothing, whatever its means say', async (t) => {
  const names = ['stats.json', 'litestats.json', 'pools.json', 'summary.json', 'version.json']
  const device = await replayed(t, 'avalon_q_25052801', names)
  const expected = capture('avalon/avalon_q_25052801/expected.json')
  const { telemetry: now, missing } = await observe(avalon, device.io())
  t.is(now.model, 'Q')
  t.is(now.asleep, true)
  t.is(now.hashrateThs, 0)
  t.is(now.miningUptimeS, expected.uptime_s)
  t.is(now.powerW, expected._derived_not_asserted.power_wall_w_PS6)
  t.is(now.dcPowerW, 0)
  t.is(now.powerLimitW, expected.tuning_target_power_w)
  t.is(now.mac, 'AA:BB:CC:DD:EE:FF')
  t.is(now.firmwareVersion, '25052801_14a19a2')
  t.is(now.boards?.length, expected.hashboards_count)
  t.is(now.boards?.[0]?.chips, 160)
  t.is(now.boards?.[0]?.hashrateThs, 0)
  t.is(now.chipTempMaxC, undefined, 'what its sensors said before it slept is no temperature of now')
  t.is(now.fans?.length, expected.fans_count)
  t.absent(JSON.stringify(now).includes('"x"'), 'no password of a pool')
  t.alike(missing, {})
  t.alike(now.errors, [])
})

test('where stats and estats are empty, litestats is asked instead', async (t) => {
  const device = await replayed(t, 'avalon_q_25052801', ['litestats.json', 'pools.json', 'summary.json'])
  const empty = { STATUS: [{ STATUS: 'S' }], STATS: [{ STATS: 0, Elapsed: 1, 'MM ID0:Summary': '', HBinfo: '' }] }
  Object.assign(device.rpc, { stats: empty, estats: empty })
  const { telemetry: now, replies } = await observe(avalon, device.io())
  t.is(now.expectedHashrateThs, 55.03279)
  const before = device.asked.length
  await observe(avalon, device.io(), { previous: replies, fresh: true })
  t.ok(device.asked.length - before <= 6)
})

test('faults are said: board, supply, fans, pool, controller, each with what to do', async (t) => {
  const device = await replayed(t, 'a1246_21072802', ['stats.json'])
  const stats = device.rpc.stats as { STATS: Record<string, string>[] }
  stats.STATS[0]!['MM ID0'] = stats.STATS[0]!['MM ID0']!.replace('ECHU[0 0 0]', 'ECHU[0 513 128]')
    .replace('PS[0 ', 'PS[2049 ')
    .replace('HASHS[0 0 0]', 'HASHS[0 0 1]')
    .replace('ECMM[0]', 'ECMM[1]')
    .replace('POOLS[0]', 'POOLS[1]')
    .replace('TMax[77]', 'TMax[125]')
  const { telemetry: now } = await observe(avalon, device.io())
  t.alike(
    now.errors?.map(({ code, index, severity }) => [code, index, severity]),
    [
      ['psu-input-low', undefined, 'high'],
      ['fan-psu', undefined, 'high'],
      ['board-fault', 1, 'high'],
      ['board-hot', 2, 'critical'],
      ['board-not-hashing', 2, 'high'],
      ['control-board', undefined, 'high'],
      ['pool-connection', undefined, 'high'],
      ['chip-hot', undefined, 'critical'],
    ],
  )
  t.ok(now.errors?.every(({ action, message }) => action && message))
  stats.STATS[0]!['MM ID0'] = stats.STATS[0]!['MM ID0']!.replace(/PS\[[^\]]*\]/, 'PS[0 0 0 0 0 0 0]')
  const { telemetry: silent } = await observe(avalon, device.io())
  t.is(silent.powerW, undefined, 'a supply that does not answer has no power of 0 W')
  t.ok(silent.errors?.some(({ code }) => code === 'psu-silent'))
})

test('a lost board, a dead chip and a short total show', async (t) => {
  const device = await replayed(t, 'a1246_21072802', ['stats.json'])
  const stats = device.rpc.stats as { STATS: Record<string, string>[] }
  const whole = stats.STATS[0]!['MM ID0']!
  stats.STATS[0]!['MM ID0'] = whole.replace('MW0[611 634', 'MW0[0 0')
  const { telemetry: weak } = await observe(avalon, device.io())
  t.is(weak.boards?.[0]?.chips, 118)
  t.ok(weak.errors?.some(({ code, index }) => code === 'chips-missing' && index === 0))
  stats.STATS[0]!['MM ID0'] = whole
    .replace('Hash Board: 3', 'Hash Board: 2')
    .replace('26025.06', '0.00')
    .replace('MTmax[77 77', 'MTmax[77 0')
    .replace(/(PVT_[TV]1|MW1)\[[^\]]*\]/g, '$1[]')
  const { telemetry: lost } = await observe(avalon, device.io())
  t.is(lost.boards?.[1]?.status, 'missing')
  stats.STATS[0]!['MM ID0'] = whole.replace(/(PVT_[TV]\d|MW\d)\[[^\]]*\]/g, '').replace('TA[360]', 'TA[352]')
  const { telemetry: short } = await observe(avalon, device.io())
  t.ok(short.errors?.some(({ message }) => message.includes('352 of 360')))
})

test('it is told by its version, or by its stats where the version is silent; nothing else claims it', async (t) => {
  const named = await replayed(t, 'avalon_q_25052801', ['version.json'])
  const first = await identify(miners, named.io())
  t.is(first.device, avalon)
  t.alike([first.match?.confidence, first.match?.model, first.match?.mac], [1, 'Q', 'AA:BB:CC:DD:EE:FF'])
  t.alike(named.commands(), ['version'], 'one question is enough')
  const silent = await replayed(t, 'a1246_21072802', ['stats.json'])
  silent.rpc.version = { STATUS: [{ STATUS: 'S', Code: 22 }], VERSION: [{ API: '3.7', HWTYPE: 'MM4v2_X3' }], id: 1 }
  const second = await identify(miners, silent.io())
  t.is(second.device, avalon)
  const stranger = await new FakeMiner().start(t)
  stranger.rpc.version = { STATUS: [{ STATUS: 'S', Code: 22 }], VERSION: [{ API: '3.1', CGMiner: '4.9.0' }], id: 1 }
  t.absent((await identify(miners, stranger.io())).device)
})

test('models under every spelling', (t) => {
  for (const [text, name] of [
    ['AvalonMiner 1246', '1246'],
    ['A1166 Pro', '1166Pro'],
    ['Avalon Home Q', 'Q'],
    ['1566ha', '1566HA'],
    ['Avalon Nano3s', 'Nano3s'],
    ['Avalon Mini 3', 'Mini3'],
  ] as const)
    t.is(avalonName(text), name, text)
  t.is(avalonName('AvalonMiner 10xx'), undefined)
  t.is(avalonModel('1766'), undefined)
  t.is(Object.keys(avalons).length, 24)
})

test('a refusal says why: an unknown option, a wrong password, a comma', async (t) => {
  const device = await replayed(t, 'a1246_21072802', ['stats.json'])
  const refused = (text: string) => ({ STATUS: [{ STATUS: 'E', Code: 120, Msg: `ASC 0 set failed: ${text}` }], id: 1 })
  device.rpc.ascset = refused('Unknown option: fan-spd')
  t.is((await failure(run(avalon, device.io(), 'setFan', { dutyPct: 50 }))).code, 'DEVICE_UNSUPPORTED')
  device.rpc.ascset = refused('Auth Failed! password invalid!')
  const pools = [{ url: 'stratum+tcp://a.example:3333', user: 'a.1' }]
  const wrong = await failure(run(avalon, device.io(), 'setPools', { pools }))
  t.is(wrong.code, 'DEVICE_AUTH')
  const comma = [{ url: 'stratum+tcp://a.example:3333', user: 'a,1' }]
  const before = device.commands().filter((command) => command.startsWith('ascset')).length
  t.is((await failure(run(avalon, device.io(), 'setPools', { pools: comma }))).code, 'BAD_REQUEST')
  t.is((await failure(run(avalon, device.io(), 'setPowerMode', { mode: 'low' }))).code, 'DEVICE_UNSUPPORTED')
  t.is(device.commands().filter((command) => command.startsWith('ascset')).length, before, 'nothing was sent')
})

const pools = [
  { url: 'stratum+tcp://new-a.example:3333', user: 'acct.1', password: 'p' },
  { url: 'stratum+tcp://new-b.example:3333', user: 'acct.1' },
]

test('every command of an industrial model is confirmed by the simulator', async (t) => {
  const miner = await operated(t, '1246')
  t.is((await miner.command('setLed', { on: true })).state, 'confirmed')
  t.is((await miner.command('suspend')).state, 'confirmed')
  t.is(miner.device.machine.physics.drive.awake, false)
  t.is((await miner.command('resume')).state, 'confirmed')
  t.is((await miner.command('setPowerMode', { mode: 'high' })).state, 'confirmed')
  t.is(miner.device.machine.physics.drive.mode, 'high')
  t.is((await miner.command('setPools', { pools })).state, 'confirmed')
  t.is(miner.device.machine.pools.entries[1]!.user, 'acct.1')
  t.is((await miner.command('setFan', { dutyPct: 80 })).state, 'confirmed')
  await miner.later(600_000)
  t.is((await miner.command('reboot')).state, 'confirmed')
  await miner.later(600_000)
  t.is((await miner.command('restartMiner')).state, 'confirmed')
  const address = { dhcp: false, ip: '10.0.0.5', netmask: '255.255.255.0', gateway: '10.0.0.1', dns: ['10.0.0.1'] }
  t.is((await miner.command('setNetwork', address)).state, 'accepted')
  t.is(miner.device.machine.network.ip, '10.0.0.5')
  t.is((await miner.command('setPassword', { password: 'new' })).state, 'accepted')
  t.is((await failure(miner.command('setPools', { pools }))).code, 'DEVICE_AUTH', 'its password is another now')
  t.is((await miner.command('factoryReset')).state, 'accepted')
})

test('a model for the home sleeps by the clock and knows three levels', async (t) => {
  const miner = await operated(t, 'Q')
  t.is((await miner.command('setPowerMode', { mode: 'low' })).state, 'confirmed')
  t.is((await miner.command('setPowerMode', { mode: 'sleep' })).state, 'confirmed')
  t.is((await miner.command('setPowerMode', { mode: 'high' })).state, 'confirmed')
  t.is((await failure(miner.command('setLed', { on: true }))).code, 'DEVICE_UNSUPPORTED')
  t.is((await failure(miner.command('setPools', { pools }))).code, 'DEVICE_UNSUPPORTED')
})

test('with refused writes every command says so', async (t) => {
  const miner = await operated(t, '1246')
  await miner.farm.setFault(0, { kind: 'refusedWrite' })
  for (const [command, params] of [
    ['suspend', {}],
    ['setLed', { on: true }],
    ['setPools', { pools }],
    ['setFan', { dutyPct: 50 }],
  ] as const)
    t.is((await failure(miner.command(command, params))).code, 'DEVICE_REFUSED', command)
})
