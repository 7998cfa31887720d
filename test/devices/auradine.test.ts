import test from 'brittle'
import { identify, miners, observe } from '#devices'
import { terafluxModel } from '../../src/devices/hardware/auradine.js'
import { auradine } from '../../src/devices/miners/auradine.js'
import { capture, FakeMiner, failure, flaw, run } from './fake-miner.js'
import { operated } from './simulated.js'

const rpcs = ['summary', 'devs', 'pools', 'asccount', 'version']
const webs = ['fan', 'frequency', 'ipreport', 'led', 'mode', 'psu', 'temperature', 'voltage']

/** The captured AT1500; it asks nobody for a token. */
async function replayed(t: { teardown(close: () => unknown): void }) {
  const device = await new FakeMiner().start(t)
  for (const name of rpcs) device.rpc[name] = capture(`auradine/flux_v1/${name}.json`)
  for (const name of webs) device.http[`GET /${name}`] = capture(`auradine/flux_v1/${name}.json`)
  return {
    device,
    io: (more = {}) => device.io({ ports: { rpc: device.ports.rpc!, flux: device.ports.http!, http: 1 }, ...more }),
  }
}

test('a captured AT1500 is read in our units', async (t) => {
  const { io } = await replayed(t)
  const expected = capture('auradine/flux_v1/expected.json')
  const { telemetry: now, missing, model } = await observe(auradine, io())
  t.is(now.model, 'AT1500')
  t.alike([now.serial, now.hostname, now.apiVersion], [expected.serial_number, expected.hostname, expected.api_version])
  t.alike([now.firmwareVersion, now.controlBoard, now.mac], [expected.fw_version, 'T0', '1C:00:00:0E:3B:2B'])
  t.is(now.miningUptimeS, expected.uptime_s)
  t.is(now.powerW, expected.power_w)
  t.is(now.expectedHashrateThs, expected.expected_hashrate_ths)
  t.is(now.hashrateThs, 20.5997671775)
  t.is(now.powerLimitW, 2000)
  t.alike([now.tuning?.mode, now.tuning?.targetW, now.tuning?.targetThs], ['custom', 2000, 160])
  t.is(now.psuInputVoltageV, 245)
  t.is(now.psuFanRpm, 4144)
  t.is(now.fans?.length, expected.fans_count)
  t.is(now.boards?.length, expected.hashboards_count)
  const [board] = now.boards!
  t.alike([board?.serial, board?.chips, board?.expectedChips], ['QAHB01230908001X', 132, 132])
  t.alike([board?.inletTempC, board?.outletTempC, board?.hashrateThs], [20.5, 41.5, 6.8])
  t.is(board?.frequencyMhz, 265.83)
  t.is(now.pools?.length, 3)
  t.alike([now.pools?.[0]?.user, now.pools?.[0]?.active], ['username.suffix', true])
  t.alike([now.led, now.asleep], ['off', false])
  t.alike(now.errors, [])
  t.alike(missing, {})
  t.is(model?.chips, 132)
  t.is(flaw(now), undefined)
})

test('the LED says what is wrong; chips that are missing are told of all boards where they cannot be told of one', async (t) => {
  const { device, io } = await replayed(t)
  device.http['GET /led'] = { STATUS: [{ STATUS: 'S' }], LED: [{ Code: 4, Msg: 'Inlet temperature high' }] }
  device.rpc.asccount = { STATUS: [{ STATUS: 'S' }], ASCCount: [{ AsicCount: 390, BoardCount: 3 }] }
  const { telemetry: now } = await observe(auradine, io())
  t.alike(
    now.errors?.map(({ code, vendorCode, severity }) => [code, vendorCode, severity]),
    [
      ['too-hot', 'LED 4', 'critical'],
      ['chips-missing', undefined, 'medium'],
    ],
  )
  t.ok(now.errors?.[0]?.message.includes('Inlet temperature high'))
  device.http['GET /led'] = { STATUS: [{ STATUS: 'S' }], LED: [{ Code: 77, Msg: 'New fault' }] }
  const { telemetry: later } = await observe(auradine, io())
  t.ok(later.errors?.some(({ code, vendorCode }) => code === 'vendor-error' && vendorCode === 'LED 77'))
})

test('where the REST interface cannot be reached, the RPC is still read', async (t) => {
  const { device, io } = await replayed(t)
  await device.stopWeb()
  const { telemetry, missing } = await observe(auradine, io({ ports: { rpc: device.ports.rpc!, flux: 1 } }))
  t.is(telemetry.hashrateThs, 20.5997671775)
  t.is(telemetry.powerW, undefined)
  t.is(missing.powerW?.code, 'DEVICE_UNREACHABLE')
})

test('the token is kept, and renewed when the answer says that it is not taken any more', async (t) => {
  const { device, io } = await replayed(t)
  let good = 't1'
  let logins = 0
  device.http['POST /token'] = () => {
    good = `t${++logins + 1}`
    return { STATUS: [{ STATUS: 'S' }], Token: [{ Token: good }] }
  }
  for (const name of webs) {
    const value = device.http[`GET /${name}`]
    device.http[`GET /${name}`] = ({ headers }: { headers: Record<string, unknown> }) =>
      headers.token === good ? value : { STATUS: [{ STATUS: 'E', Code: 45, Msg: 'Invalid token' }], id: 1 }
  }
  const one = io()
  for (let visit = 0; visit < 3; visit++) t.is((await observe(auradine, one, { fresh: true })).telemetry.powerW, 58.94)
  t.is(logins, 1)
  good = 'other'
  t.is((await observe(auradine, one, { fresh: true })).telemetry.powerW, 58.94)
  t.is(logins, 2)
})

test('it is told by its RPC, and says who it is over REST', async (t) => {
  const { device, io } = await replayed(t)
  const first = await identify(miners, io())
  t.is(first.device, auradine)
  t.alike([first.match?.confidence, first.match?.model, first.match?.mac], [1, 'AT1500', '1C:00:00:0E:3B:2B'])
  await device.stopWeb()
  const second = await identify(miners, io({ ports: { rpc: device.ports.rpc!, flux: 1, http: 1 } }))
  t.alike([second.device, second.match?.confidence], [auradine, 0.95])
  t.is(terafluxModel('AuradineAT2880')?.chips, 138)
  t.is(terafluxModel('AT9999'), undefined)
})

const pools = [
  { url: 'stratum+tcp://new-a.example:3333', user: 'acct.1', password: 'p' },
  { url: 'stratum+tcp://new-b.example:3333', user: 'acct.1' },
]

test('every command is confirmed by the simulator, or accepted where nothing shows it', async (t) => {
  const miner = await operated(t, 'AT2880')
  const { machine } = miner.device
  t.is((await miner.command('suspend')).state, 'confirmed')
  t.is(machine.physics.drive.awake, false)
  t.is((await miner.command('resume')).state, 'confirmed')
  t.is((await miner.command('setPowerMode', { mode: 'low' })).state, 'confirmed')
  t.is((await miner.command('setPowerMode', { mode: 'sleep' })).state, 'confirmed')
  t.is((await miner.command('setPowerMode', { mode: 'high' })).state, 'confirmed')
  t.is((await miner.command('setPowerLimit', { watts: 2500 })).state, 'confirmed')
  t.is(machine.physics.drive.limitW, 2500)
  t.is((await miner.command('setHashrateTarget', { ths: 150 })).state, 'confirmed')
  t.is((await miner.command('setPools', { pools })).state, 'confirmed')
  t.is((await miner.command('setFan', { mode: 'manual', dutyPct: 70 })).state, 'confirmed')
  t.is((await miner.command('setLed', { on: true })).state, 'confirmed')
  await miner.later(600_000)
  t.is((await miner.command('restartMiner')).state, 'confirmed')
  await miner.later(600_000)
  t.is((await miner.command('reboot')).state, 'confirmed')
  t.is((await miner.command('factoryReset')).state, 'accepted')
})

test('limits are checked before anything is sent, and refusals are said', async (t) => {
  const miner = await operated(t, 'AT2880')
  t.is((await failure(miner.command('setPowerLimit', { watts: 9000 }))).code, 'BAD_REQUEST')
  t.is((await failure(miner.command('setPowerLimit', { watts: 0 }))).code, 'BAD_REQUEST')
  t.is((await failure(miner.command('setFan', { mode: 'auto' }))).code, 'DEVICE_UNSUPPORTED')
  await miner.farm.setFault(0, { kind: 'refusedWrite' })
  for (const [command, params] of [
    ['suspend', {}],
    ['setPools', { pools }],
    ['setPowerLimit', { watts: 2500 }],
    ['setLed', { on: true }],
  ] as const)
    t.is((await failure(miner.command(command, params))).code, 'DEVICE_REFUSED', command)
  const { device, io } = await replayed(t)
  device.http['POST /led'] = { STATUS: [{ STATUS: 'E', Code: 120, Msg: 'no such code' }], id: 1 }
  const refused = await failure(run(auradine, io(), 'setLed', { on: true }))
  t.alike([refused.code, refused.message], ['DEVICE_REFUSED', 'no such code'])
})
