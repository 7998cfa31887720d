import test from 'brittle'
import { identify, miners, observe } from '#devices'
import { antminerStock } from '../../src/devices/miners/antminer.js'
import { marathon } from '../../src/devices/miners/marathon.js'
import { HurriedClock } from '../support/fake-clock.js'
import { capture, FakeMiner, failure, flaw, run } from './fake-miner.js'
import { operated } from './simulated.js'

const file = (name: string) => capture(`marathon/reference/${name}.json`)
const pages: Readonly<Record<string, string>> = {
  brief: 'brief',
  hashboards: 'hashboards',
  fans: 'fans',
  pools: 'pools',
  overview: 'overview',
  config: 'miner_config',
  network: 'network_config',
}

/** Replies as the reference describes them; it asks nobody for a password. */
async function replayed(t: { teardown(close: () => unknown): void }) {
  const device = await new FakeMiner().start(t)
  for (const [name, page] of Object.entries(pages)) device.http[`GET /kaonsu/v1/${page}`] = file(name)
  device.http['GET /kaonsu/v1/locate_miner'] = { blinking: true }
  return device
}

test('replies as the reference describes them are read in our units', async (t) => {
  const device = await replayed(t)
  const { telemetry: now, missing, model } = await observe(marathon, device.io())
  t.alike([now.model, model?.chips, now.firmwareVersion, now.mac], ['S19 Pro+', 120, '2.2.0', '02:4D:52:00:00:01'])
  t.alike([now.hashrateThs, now.hashrateAvgThs], [118.4, 117.9])
  t.alike([now.expectedHashrateThs, now.nominalHashrateThs], [120.1, 120])
  t.alike([now.powerW, now.powerLimitW, now.miningUptimeS], [3240, 3250, 86500])
  t.alike(now.tuning, { preset: 'Auto', mode: 'custom', targetW: 3250 })
  t.alike([now.boardTempMaxC, now.chipTempMaxC, now.chipTempMinC], [61.5, 74, 66])
  t.alike(
    now.boards?.map(({ slot, chips, hashrateThs, boardTempC }) => [slot, chips, hashrateThs, boardTempC]),
    [
      [0, 120, 39.4, 61.5],
      [1, 120, 39.4, 60.5],
      [2, 120, 39.4, 60],
    ],
  )
  t.alike(
    now.fans?.map(({ rpm }) => rpm),
    [4200, 4230, 4260, 4290],
  )
  t.alike(
    now.pools?.map(({ active, alive }) => [active, alive]),
    [
      [true, true],
      [undefined, true],
    ],
  )
  t.alike([now.acceptedShares, now.hostname, now.network?.dhcp, now.led], [900, 'rack-1', false, 'blink'])
  t.alike([now.asleep, now.errors], [false, []])
  t.alike(missing, {})
  t.is(flaw(now), undefined)
})

test('rates in another unit, places counted from 1, a missing board and what the miner says of itself', async (t) => {
  const device = await replayed(t)
  const brief = {
    ...file('brief'),
    hashrate_unit: 'GH/s',
    hashrate_realtime: 79_000,
    indicator: 'Degraded',
    indicator_long: 'Hashboard 2 does not answer',
  }
  const boards = file('hashboards')
  for (const [at, board] of boards.hashboards.entries())
    Object.assign(board, { index: at + 1, hashrate_realtime: 39_400, hashrate_ideal: 40_000 })
  Object.assign(boards.hashboards[2], { present: false, asic_num: 0, hashrate_realtime: 0 })
  device.http['GET /kaonsu/v1/brief'] = brief
  device.http['GET /kaonsu/v1/hashboards'] = boards
  const { telemetry: now } = await observe(marathon, device.io())
  t.is(now.hashrateThs, 79)
  t.alike(
    now.boards?.map(({ slot, status, hashrateThs }) => [slot, status, hashrateThs]),
    [
      [0, 'ok', 39.4],
      [1, 'ok', 39.4],
      [2, 'missing', 0],
    ],
  )
  t.alike(
    now.errors?.map(({ code, vendorCode, severity, index }) => [code, vendorCode ?? null, severity, index ?? null]),
    [
      ['board-fault', 'Degraded', 'medium', null],
      ['board-missing', null, 'high', 2],
    ],
  )
})

test('it is told by its pages, also behind the login of stock firmware; nobody else is taken for it', async (t) => {
  const device = await replayed(t)
  device.http['GET /'] = '<html><title>Miner</title></html>'
  const first = await identify(miners, device.io())
  t.ok(first.device === marathon)
  t.alike([first.match?.confidence, first.match?.model, first.match?.firmware], [1, 'S19 Pro+', '2.2.0'])
  device.http['GET /'] = (_: unknown, response: { writeHead(code: number, headers: object): unknown }) => {
    response.writeHead(401, { 'www-authenticate': 'Digest realm="antMiner Configuration", nonce="n", qop="auth"' })
    return 'no'
  }
  t.ok(
    (await identify(miners, device.io())).device === marathon,
    'where nothing of stock firmware is behind that login',
  )
  device.http['GET /cgi-bin/get_system_info.cgi'] = {
    minertype: 'Antminer S19 Pro',
    macaddr: '02:00:00:00:00:01',
    system_filesystem_version: 'Tue Dec  6 16:12:30 CST 2022',
  }
  t.ok((await identify(miners, device.io())).device === antminerStock)
  t.is(device.paths().filter((path) => path.includes('kaonsu')).length, 2, 'stock firmware is not asked')
  for (const key of Object.keys(device.http)) delete device.http[key]
  device.http['GET /'] = '<html><title>A printer</title></html>'
  t.ok((await identify(miners, device.io())).device === undefined)
  device.http['GET /'] = '<html><title>Luxor Firmware</title></html>'
  device.http['GET /kaonsu/v1/overview'] = file('overview')
  t.not((await identify(miners, device.io())).device, marathon, 'another firmware says its name')
})

test('a stranger is not shown the passwords of the operator, unless they say that it is one', async (t) => {
  const device = await replayed(t)
  const seen: string[] = []
  const gate = (_: unknown, response: { writeHead(code: number, headers: object): unknown }) => {
    response.writeHead(401, { 'www-authenticate': 'Digest realm="somebody", nonce="n", qop="auth"' })
    return 'no'
  }
  device.http['GET /'] = gate
  device.http['GET /kaonsu/v1/overview'] = (call: { headers: Record<string, string> }, response: never) => {
    const user = /username="(\w+)"/.exec(call.headers.authorization ?? '')?.[1]
    if (user !== undefined) seen.push(user)
    return user === 'boss' ? file('overview') : gate(call, response)
  }
  const credentials = [{ username: 'boss', password: 'secret' }]
  t.ok((await identify(miners, device.io({ credentials }))).device === undefined)
  t.alike(seen, ['root'])
  const said = { library: 'miner-marathon' }
  t.ok((await identify(miners, device.io({ credentials, said }))).device === marathon)
})

test('the configuration is written back whole; a no with status 200 is a no', async (t) => {
  const device = await replayed(t)
  device.http['POST /kaonsu/v1/miner_config'] = { success: true }
  const io = device.io({ clock: new HurriedClock() })
  const receipt = await run(marathon, io, 'setPools', {
    pools: [
      { url: 'stratum+tcp://pool-b.example:3333', user: 'acct.1' },
      { url: 'stratum+tcp://new.example:3333', user: 'acct.2', password: 'p' },
    ],
  })
  t.is(receipt.state, 'accepted', 'it does not show them')
  const [body] = device.bodies('POST /kaonsu/v1/miner_config')
  t.alike(body, {
    ...file('config'),
    pools: [
      { url: 'stratum+tcp://pool-b.example:3333', user: 'acct.1', pass: 'x' },
      { url: 'stratum+tcp://new.example:3333', user: 'acct.2', pass: 'p' },
      { url: '', user: '', pass: '' },
    ],
  })
  device.http['POST /kaonsu/v1/locate_miner'] = { success: false, message: 'LED is broken' }
  const refused = await failure(run(marathon, io, 'setLed', { on: true }))
  t.alike([refused.code, refused.message], ['DEVICE_REFUSED', 'LED is broken'])
  device.http['GET /kaonsu/v1/miner_config'] = { pools: [] }
  t.is((await failure(run(marathon, io, 'setPowerLimit', { watts: 3000 }))).code, 'DEVICE_BAD_REPLY')
  t.is(device.bodies('POST /kaonsu/v1/miner_config').length, 1, 'a configuration that cannot be read is not written')
})

const pools = [
  { url: 'stratum+tcp://new-a.example:3333', user: 'acct.1', password: 'p' },
  { url: 'stratum+tcp://new-b.example:3333', user: 'acct.1' },
]

test('every command is confirmed by the simulator', async (t) => {
  const miner = await operated(t, 'marathon/S19 Pro+')
  const { machine } = miner.device
  t.is((await miner.command('setPowerLimit', { watts: 2800 })).state, 'confirmed')
  t.is(machine.physics.drive.limitW, 2800)
  t.is((await miner.command('suspend')).state, 'confirmed')
  t.is(machine.physics.drive.awake, false)
  t.is((await miner.command('resume')).state, 'confirmed')
  t.is((await miner.read()).telemetry.tuning?.targetW, 2800, 'with the mode that it had')
  t.is((await miner.command('setPowerMode', { mode: 'sleep' })).state, 'confirmed')
  miner.io.memory.clear()
  t.is((await miner.command('resume')).state, 'confirmed')
  t.is((await miner.read()).telemetry.tuning?.preset, 'Auto', 'also when only its history knows')
  t.is((await miner.command('setHashrateTarget', { ths: 100 })).state, 'confirmed')
  t.is((await miner.command('setPowerMode', { mode: 'normal' })).state, 'confirmed')
  t.is((await miner.command('setPools', { pools })).state, 'confirmed')
  t.is((await miner.command('setLed', { on: true })).state, 'confirmed')
  await miner.later(600_000)
  t.is((await miner.command('restartMiner')).state, 'confirmed')
  await miner.later(600_000)
  t.is((await miner.command('reboot')).state, 'confirmed')
})

test('limits are checked before anything is sent, refusals are said, a wrong password too', async (t) => {
  const miner = await operated(t, 'marathon/S19 Pro+')
  t.is((await failure(miner.command('setPowerLimit', { watts: 0 }))).code, 'BAD_REQUEST')
  t.is((await failure(miner.command('setPowerMode', { mode: 'low' }))).code, 'DEVICE_UNSUPPORTED')
  t.is((await failure(miner.command('setFan', { mode: 'auto' }))).code, 'DEVICE_UNSUPPORTED')
  const refused = await failure(miner.command('setPowerLimit', { watts: 99_000 }))
  t.alike([refused.code, refused.message], ['DEVICE_REFUSED', 'power target out of range'])
  await miner.farm.setFault(0, { kind: 'refusedWrite' })
  for (const [command, params] of [
    ['suspend', {}],
    ['setPools', { pools }],
    ['setLed', { on: true }],
    ['reboot', {}],
  ] as const)
    t.is((await failure(miner.command(command, params))).message, 'the miner is busy', command)
})
