import test from 'brittle'
import { identify, miners, observe } from '#devices'
import { sealModel, sealName } from '../../src/devices/hardware/sealminer.js'
import { sealminer } from '../../src/devices/miners/sealminer.js'
import { capture, FakeMiner, failure, flaw } from './fake-miner.js'
import { operated } from './simulated.js'

const pages = { get_system_info: 'get_system_info', 'miner-psu-status': 'miner_psu_status' } as const

/** The captured A2; its pages ask nobody for a password. */
async function replayed(t: { teardown(close: () => unknown): void }) {
  const device = await new FakeMiner().start(t)
  for (const name of ['stats', 'summary', 'pools', 'version'])
    device.rpc[name] = capture(`sealminer/v2025/${name}.json`)
  for (const [page, file] of Object.entries(pages))
    device.http[`GET /cgi-bin/${page}.php`] = capture(`sealminer/v2025/${file}.json`)
  return device
}

test('a captured A2 is read in our units', async (t) => {
  const device = await replayed(t)
  const expected = capture('sealminer/v2025/expected.json')
  const { telemetry: now, missing, model } = await observe(sealminer, device.io())
  t.alike([now.model, now.variant, model?.fans, model?.cooling], ['A2', 'air', 4, 'air'])
  t.alike([now.mac, now.serial], [expected.mac.toUpperCase(), expected.serial_number])
  t.alike([now.apiVersion, now.firmwareVersion, now.controlBoard], ['3.7', '2025091001', 'taurus_air_v1.1'])
  t.is(now.hashrateThs, 220.377998846)
  t.is(now.hashrateAvgThs, expected.hashrate_ths)
  t.is(now.expectedHashrateThs, 230.839407286)
  t.is(now.hashrate1hThs, undefined, 'it has not been on for an hour')
  t.is(now.hashrate30mThs, 219.39966704)
  t.alike([now.powerW, now.dcPowerW, now.powerLimitW], [expected.power_w, 3232, 3500])
  t.alike([now.psuInputVoltageV, now.psuTempC, now.psuFanRpm], [246, 26, 4408])
  t.alike([now.uptimeS, now.miningUptimeS], [2743, 2481])
  t.alike([now.tuning?.mode, now.tuning?.targetW, now.led], ['normal', 3500, 'on'])
  t.alike([now.boardTempMaxC, now.frequencyMhz], [70, 346])
  t.is(now.boards?.length, expected.hashboards_count)
  const [board] = now.boards!
  t.alike([board?.serial, board?.chips, board?.expectedChips, board?.tuned], ['S124600252004637', 153, 153, true])
  t.alike([board?.hashrateThs, board?.boardTempC], [73.9058320034, 70])
  t.alike(
    now.fans?.map(({ rpm }) => rpm),
    [3723, 3723, 3753, 3723],
  )
  t.is(now.pools?.[0]?.user, 'Dow_Mining.SealMinerA2')
  t.alike([now.acceptedShares, now.hwErrors, now.bestShare], [1421, 54, 33318911])
  t.alike([now.asleep, now.tuningNow], [false, undefined])
  t.alike(now.errors, [])
  t.alike(missing, {})
  t.is(flaw(now), undefined)
})

test('what it reports is told: codes as they are, a lost board, bad chips, the power supply, the pool', async (t) => {
  const device = await replayed(t)
  const stats = capture('sealminer/v2025/stats.json')
  Object.assign(stats.STATS[0], {
    'Error Code': 'E17',
    'Error Chip': '1-33',
    'PSU Error': '0x00000020',
    'Stratum Disconnect': true,
    '1 Online': false,
    '2 Bad Chip Count': 9,
    'Tune Status': 'Coarse Tuning',
  })
  device.rpc.stats = stats
  const { telemetry: now } = await observe(sealminer, device.io())
  t.is(now.tuningNow, true)
  t.alike([now.boards?.[1]?.status, now.boards?.[2]?.chips, now.boards?.[2]?.status], ['missing', 144, 'degraded'])
  t.alike(
    now.errors?.map(({ code, vendorCode, index }) => [code, vendorCode ?? null, index ?? null]),
    [
      ['vendor-error', 'E17', null],
      ['chip-fault', '1-33', null],
      ['psu', '0x00000020', null],
      ['pool-connection', null, null],
      ['board-missing', null, 1],
      ['chips-missing', null, 2],
    ],
  )
})

test('without the password of its pages the RPC tells what changes, and what is missing says why', async (t) => {
  const miner = await operated(t, 'A2')
  const stranger = { ...miner.io, credentials: [], memory: new Map() }
  const { telemetry, missing } = await observe(sealminer, stranger)
  t.ok(telemetry.hashrateThs)
  t.is(telemetry.led, undefined)
  t.is(missing.led?.code, 'DEVICE_AUTH')
  const wrong = { ...miner.io, credentials: [{ username: 'seal', password: 'no' }], memory: new Map() }
  t.is((await observe(sealminer, wrong)).missing.led?.code, 'DEVICE_AUTH', 'a session is no login')
  t.is((await miner.read()).telemetry.led, 'off')
})

test('it is told by its RPC', async (t) => {
  const device = await replayed(t)
  const { device: found, match } = await identify(miners, device.io())
  t.is(found, sealminer)
  t.alike([match?.confidence, match?.model, match?.variant, match?.mac], [1, 'A2', 'air', '50:D4:48:4B:86:78'])
  delete device.rpc.stats
  t.is((await identify(miners, device.io())).match?.confidence, 0.95)
  t.is(sealName('SealMiner A2'), 'A2')
  t.alike([sealModel('a2', 'liquid')?.fans, sealModel('A2', 'air')?.chips, sealModel('A9')], [0, 153, undefined])
})

test('the commands that are known are confirmed by the simulator; refusals and limits are said', async (t) => {
  const miner = await operated(t, 'A2')
  const { machine } = miner.device
  t.is((await miner.command('setLed', { on: true })).state, 'confirmed')
  t.is((await miner.command('setPowerMode', { mode: 'low' })).state, 'confirmed')
  t.is(machine.physics.drive.mode, 'low')
  t.is((await miner.command('setPowerMode', { mode: 'high' })).state, 'confirmed')
  t.is((await miner.command('reboot')).state, 'confirmed')
  t.is((await failure(miner.command('setPowerMode', { mode: 'sleep' }))).code, 'DEVICE_UNSUPPORTED')
  t.is((await failure(miner.command('suspend'))).code, 'DEVICE_UNSUPPORTED')
  await miner.farm.setFault(0, { kind: 'refusedWrite' })
  for (const [command, params] of [
    ['setLed', { on: false }],
    ['setPowerMode', { mode: 'normal' }],
    ['reboot', {}],
  ] as const)
    t.is((await failure(miner.command(command, params))).code, 'DEVICE_REFUSED', command)
})
