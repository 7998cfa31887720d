import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'brittle'
import { identify, miners, observe } from '#devices'
import { blockMinerModel, epicAntminerModel, epicName } from '../../src/devices/hardware/epic.js'
import { epicMiner } from '../../src/devices/miners/epic.js'
import { epicAntminer } from '../../src/devices/miners/epic-antminer.js'
import { capture, FakeMiner, failure, flaw, run } from './fake-miner.js'
import { operated } from './simulated.js'

const places: Readonly<Record<string, string>> = {
  '/summary': 'summary',
  '/temps': 'temps',
  '/capabilities': 'capabilities',
  '/network': 'network',
  '/hashrate': 'chip_hashrates',
  '/temps/chip': 'chip_temps',
}

/** The captured S19 XP; its REST interface is where others have their RPC. */
async function replayed(t: { teardown(close: () => unknown): void }) {
  const device = await new FakeMiner().start(t)
  for (const [path, file] of Object.entries(places)) device.http[`GET ${path}`] = capture(`epic/v1/${file}.json`)
  return { device, io: (more = {}) => device.io({ ports: { rpc: device.ports.http!, http: 1 }, ...more }) }
}

test('a captured S19 XP is read in our units, its disabled board in its place', async (t) => {
  const { device, io } = await replayed(t)
  const expected = capture('epic/v1/expected.json')
  const { telemetry: now, missing, model } = await observe(epicAntminer, io())
  t.is(now.model, 'S19 XP')
  t.is(model?.chips, 110)
  t.is(now.firmwareVersion, 'PowerPlay-BMS v1.5.13')
  t.is(now.miningUptimeS, expected.uptime_s)
  t.is(now.powerW, expected.power_w)
  t.is(now.hashrateThs, 99.365848)
  t.is(now.hashrateAvgThs, 90.07199)
  t.is(now.nominalHashrateThs, 143)
  t.is(now.mac, 'E6:D4:41:51:64:28')
  t.is(now.network?.dhcp, true)
  t.is(now.led, 'off')
  t.is(now.boards?.length, expected.hashboards_count)
  const [off, first, second] = now.boards!
  t.alike([off?.status, off?.hashrateThs ?? null, off?.serial ?? null], ['disabled', null, null])
  t.alike([first?.chips, first?.expectedChips, first?.serial], [110, 110, 'YNAHYPDBCJEBC0D6S'])
  t.alike([first?.hashrateThs, first?.inletTempC, first?.outletTempC], [49.440724, 55.062, 67])
  t.alike([first?.boardTempC, first?.chipTempMaxC ?? null], [67, null], 'a list that is all 0 is no temperature')
  t.is(Math.round(first!.expectedHashrateThs! * 100) / 100, 47.95)
  t.is(first?.frequencyMhz, 487.5)
  t.is(second?.serial, 'YNAHYPDBCJEBC0C6R')
  t.alike(
    now.fans?.map(({ index, rpm }) => [index, rpm]),
    [
      [0, 5971],
      [1, 0],
      [2, 5942],
      [3, 5745],
    ],
  )
  t.alike(now.fanSetting, { mode: 'auto', minFans: 0, targetTempC: 60 })
  t.is(now.pools?.[0]?.url, 'stratum+tcp://mine.ocean.xyz:3334')
  t.alike([now.pools?.[0]?.active, now.pools?.[0]?.alive, now.acceptedShares], [true, true, 1862])
  t.alike([now.tuning?.targetThs, now.tuning?.preset], [143, 'VoltageOptimizer'])
  t.alike(now.limits, { hashrateThs: [60, 300] })
  t.is(now.asleep, false)
  t.alike(
    now.errors?.map(({ code, index }) => [code, index]),
    [['fan-stopped', 1]],
  )
  t.alike(missing, {})
  t.is(flaw(now), undefined)
  t.absent(JSON.stringify(now).includes('"password"'), 'no password of a pool')
  t.is(new Set(device.paths()).size, device.paths().length, 'each is asked once')
})

test('idle by command sleeps; idle over an error or without a pool does not', async (t) => {
  const { device, io } = await replayed(t)
  const summary = capture('epic/v1/summary.json')
  device.http['GET /summary'] = summary
  summary.Status['Operating State'] = 'Idling'
  summary.HBs = []
  const asleep = await observe(epicAntminer, io())
  t.alike([asleep.telemetry.asleep, asleep.telemetry.hashrateThs], [true, 0])
  summary.Stratum.IsPoolConnected = false
  const waiting = await observe(epicAntminer, io())
  t.is(waiting.telemetry.asleep, false)
  t.ok(waiting.telemetry.errors?.some(({ code }) => code === 'all-pools-dead'))
  summary.Stratum.IsPoolConnected = true
  for (const [error, code, component] of [
    ['RxMissing', 'board-silent', 'board'],
    ['NoHashboardsConnected', 'board-missing', 'board'],
    ['NoHashboardsEnabled', 'boards-disabled', 'board'],
    ['MismatchingBoardTypes', 'board-mismatch', 'board'],
    ['OverTemperature', 'too-hot', 'cooling'],
    ['SomethingNew', 'vendor-error', 'device'],
  ] as const) {
    summary.Status['Last Error'] = error
    const { telemetry } = await observe(epicAntminer, io())
    t.is(telemetry.asleep, false, error)
    const found = telemetry.errors?.find((each) => each.code === code)
    t.alike([found?.component, found?.vendorCode], [component, error], error)
    t.ok(found?.action && found.message)
  }
})

test('heat shows: a board at its limit, a target that was lowered', async (t) => {
  const { device, io } = await replayed(t)
  const summary = capture('epic/v1/summary.json')
  device.http['GET /summary'] = summary
  summary.HBs[0].Temperature = 86
  summary.PerpetualTune.Algorithm.VoltageOptimizer['Throttle Target'] = 120
  summary.HBStatus[2].Detected = false
  const { telemetry: now } = await observe(epicAntminer, io())
  const found = now.errors?.map(({ code, index }) => `${code} ${index}`) ?? []
  for (const each of ['board-hot 1', 'throttled undefined', 'board-missing 2']) t.ok(found.includes(each), each)
})

test('it is told where others have their RPC; the maker of the machine tells the two apart', async (t) => {
  const { device, io } = await replayed(t)
  const first = await identify(miners, io())
  t.is(first.device, epicAntminer)
  t.alike([first.match?.confidence, first.match?.model], [1, 'S19 XP'])
  device.http['GET /capabilities'] = { ...capture('epic/v1/capabilities.json'), Model: 'BLOCKMINER 720i' }
  const second = await identify(miners, io())
  t.is(second.device, epicMiner)
  t.is(second.match?.model, 'BlockMiner 720i')
  device.http['GET /summary'] = { Status: {} }
  t.absent((await identify(miners, io())).device)
})

test('models under every spelling', (t) => {
  t.is(epicName('AntMiner S19j Pro+'), 'S19j Pro+')
  t.is(epicName('BM520i'), 'BlockMiner 520i')
  t.is(blockMinerModel('BlockMiner520i')?.chips, 124)
  t.is(epicAntminerModel('S19JProDual')?.boards, 6)
  t.is(epicAntminerModel('S19 XP')?.chips, 110)
  t.is(epicAntminerModel('S99'), undefined)
})

test('an answer of status 200 may be a refusal; a wrong password leads to the next one', async (t) => {
  const { device, io } = await replayed(t)
  device.http['POST /identify'] = ({ body }: { body: string }) =>
    JSON.parse(body).password === 'mine'
      ? { result: false, error: 'busy tuning' }
      : { result: false, error: 'Invalid password' }
  const credentials = [
    { username: '', password: 'old' },
    { username: '', password: 'mine' },
  ]
  const refused = await failure(run(epicAntminer, io({ credentials }), 'setLed', { on: true }))
  t.alike([refused.code, refused.message], ['DEVICE_REFUSED', 'busy tuning'])
  t.is((await failure(run(epicAntminer, io(), 'setLed', { on: true }))).code, 'DEVICE_AUTH')
  t.alike(device.bodies('POST /identify'), [
    { param: true, password: 'old' },
    { param: true, password: 'mine' },
    { param: true, password: 'letmein' },
  ])
})

const pools = [
  { url: 'stratum+tcp://new-a.example:3333', user: 'acct.1', password: 'p' },
  { url: 'stratum+tcp://new-b.example:3333', user: 'acct.1' },
]

test('every command is confirmed by the simulator, or accepted where nothing shows it', async (t) => {
  const miner = await operated(t, 'BlockMiner 520i')
  const { machine } = miner.device
  t.is((await miner.command('suspend')).state, 'confirmed')
  t.is(machine.physics.drive.awake, false)
  t.is((await miner.command('resume')).state, 'confirmed')
  t.is((await miner.command('setHashrateTarget', { ths: 120 })).state, 'confirmed')
  t.is((await miner.command('setPowerLimit', { watts: 3000 })).state, 'confirmed')
  t.is(machine.physics.drive.limitW, 3000)
  t.is((await miner.command('setPools', { pools })).state, 'confirmed')
  t.is(machine.pools.entries[1]?.user, 'acct.1')
  t.is((await miner.command('setFan', { mode: 'manual', dutyPct: 80 })).state, 'confirmed')
  t.is((await miner.command('setFan', { mode: 'auto', targetTempC: 55, minFans: 2 })).state, 'confirmed')
  t.is((await miner.command('setLed', { on: true })).state, 'confirmed')
  t.is((await miner.command('restartMiner')).state, 'confirmed')
  await miner.later(600_000)
  t.is((await miner.command('reboot')).state, 'confirmed')
  t.ok(JSON.stringify((await miner.command('getLogs')).result).includes('simulated line 1'))
  const path = join(tmpdir(), `epic-${process.pid}.zip`)
  writeFileSync(path, 'image')
  const sha256 = createHash('sha256').update('image').digest('hex')
  t.is((await miner.command('updateFirmware', { path, sha256 })).state, 'confirmed')
  t.is((await miner.command('setPassword', { password: 'another' })).state, 'accepted')
  t.is((await failure(miner.command('setLed', { on: false }))).code, 'DEVICE_AUTH', 'its password is another now')
})

test('limits are checked before anything is sent, and refusals are said', async (t) => {
  const miner = await operated(t, 'S19j Pro')
  t.is(miner.definition, epicAntminer)
  t.is((await failure(miner.command('setHashrateTarget', { ths: 900 }))).code, 'BAD_REQUEST')
  t.is((await failure(miner.command('setHashrateTarget', { ths: 100.5 }))).code, 'BAD_REQUEST')
  t.is((await failure(miner.command('setPowerLimit', { watts: 100 }))).code, 'BAD_REQUEST')
  t.is((await failure(miner.command('setFan', { minFans: 9 }))).code, 'BAD_REQUEST')
  t.is((await failure(miner.command('setFan', { zeroSpeed: true }))).code, 'DEVICE_UNSUPPORTED')
  await miner.farm.setFault(0, { kind: 'refusedWrite' })
  for (const [command, params] of [
    ['suspend', {}],
    ['setPools', { pools }],
    ['setHashrateTarget', { ths: 100 }],
  ] as const)
    t.is((await failure(miner.command(command, params))).code, 'DEVICE_REFUSED', command)
})
