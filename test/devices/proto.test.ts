import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'brittle'
import { identify, miners, observe } from '#devices'
import { protoRig } from '../../src/devices/miners/proto.js'
import { type Call, capture, FakeMiner, failure, flaw } from './fake-miner.js'
import { operated } from './simulated.js'

const places: Readonly<Record<string, string>> = {
  system: 'system',
  mining: 'mining',
  telemetry: 'telemetry_full',
  hardware: 'hardware',
  cooling: 'cooling',
  pools: 'pools',
  errors: 'errors',
  network: 'network',
}

/** The captured rig; it asks nobody for a password. */
async function replayed(t: { teardown(close: () => unknown): void }) {
  const device = await new FakeMiner().start(t)
  for (const [path, file] of Object.entries(places))
    device.http[`GET /api/v1/${path}`] = capture(`proto-rig/v1/${file}.json`)
  return device
}

test('a captured rig is read in our units', async (t) => {
  const device = await replayed(t)
  const expected = capture('proto-rig/v1/expected.json')
  const { telemetry: now, missing, model } = await observe(protoRig, device.io())
  t.alike([now.model, now.serial, now.hostname], ['Rig', expected.serial_number, expected.hostname])
  t.is(now.mac, '02:00:00:AD:66:39')
  t.is(now.firmwareVersion, '1.8.0')
  t.is(now.expectedHashrateThs, expected.expected_hashrate_ths)
  t.is(now.hashrateThs, 141.147435031)
  t.is(now.powerW, 3447.008523267969)
  t.is(now.powerLimitW, 3400)
  t.is(now.efficiencyJTh, 24.327524179778106)
  t.is(Math.round(now.psuInputPowerW!), 3526)
  t.is(now.boards?.length, expected.hashboards_count)
  const [board] = now.boards!
  t.is(board?.serial, 'HB-PROTO-SIM-b6bdaf86-0')
  t.alike([board?.chips, board?.expectedChips, board?.expectedHashrateThs], [120, 120, 36.25])
  t.ok(board!.voltageV! > 14 && board!.inletTempC! > 30 && board!.outletTempC! > 50 && board!.boardTempC! > 40)
  t.is(now.fans?.length, expected.fans_count)
  t.alike(now.fanSetting, { mode: 'auto', dutyPct: 60, targetTempC: 50 })
  t.alike(
    now.pools?.map(({ url, user, accepted, rejected, alive }) => [url, user, accepted, rejected, alive]),
    [
      ['stratum+tcp://pool-a.example.com:3333', 'worker-a', 12345, 10, true],
      ['stratum+tcp://pool-b.example.com:4444', 'worker-b', 12345, 10, true],
    ],
  )
  t.is(now.asleep, false)
  t.alike(now.errors, [])
  t.alike(missing, {}, 'what this firmware does not have is not missing')
  t.ok(model)
  t.is(flaw(now), undefined)
})

test('bays count from 1 and may be empty: boards are joined by their serials', async (t) => {
  const device = await replayed(t)
  const hardware = capture('proto-rig/v1/hardware.json')
  const list = hardware['hardware-info']['hashboards-info']
  list[1].slot = 5
  list[2].slot = 9
  list.splice(3, 1)
  const telemetry = capture('proto-rig/v1/telemetry_full.json')
  telemetry.hashboards.splice(3, 1)
  telemetry.hashboards.reverse()
  telemetry.hashboards[0].power = { unit: 'kW', value: 0.8 }
  telemetry.hashboards[0].hashrate = { unit: 'GH/s', value: 35_000 }
  device.http['GET /api/v1/hardware'] = hardware
  device.http['GET /api/v1/telemetry'] = telemetry
  device.http['GET /api/v1/hashboards'] = { 'hashboards-info': list }
  device.http['GET /api/v1/hashboards/HB-PROTO-SIM-b6bdaf86-1'] = {
    'hashboard-stats': { status: 'Overheated', ideal_hashrate_ghs: 40_000, max_asic_temp_c: 96, voltage_mv: 14_100 },
  }
  for (const place of [0, 2])
    device.http[`GET /api/v1/hashboards/HB-PROTO-SIM-b6bdaf86-${place}`] = { 'hashboard-stats': { status: 'Running' } }
  const { telemetry: now } = await observe(protoRig, device.io())
  t.alike(
    now.boards?.map(({ slot, status }) => [slot, status]),
    [
      [0, 'ok'],
      ...[1, 2, 3].map((slot) => [slot, 'disabled']),
      [4, 'error'],
      ...[5, 6, 7].map((slot) => [slot, 'disabled']),
      [8, 'ok'],
    ],
  )
  t.alike([now.boards![8]?.hashrateThs, now.boards![8]?.powerW], [35, 800])
  t.alike([now.boards![4]?.expectedHashrateThs, now.boards![4]?.chipTempMaxC], [40, 96])
  t.ok(now.errors?.some(({ code, index, severity }) => code === 'board-hot' && index === 4 && severity === 'critical'))
})

test('states and the list of errors say what is wrong, where, and what to do', async (t) => {
  const device = await replayed(t)
  const mining = capture('proto-rig/v1/mining.json')
  device.http['GET /api/v1/mining'] = mining
  device.http['GET /api/v1/errors'] = [
    { source: 'fan', slot: 2, error_code: 'FanStalled', timestamp: 1, message: 'Fan stalled' },
    { source: 'hashboard', slot: 3, error_code: 'AsicOverTemp', timestamp: 1, message: 'ASIC over temperature' },
    { source: 'psu', slot: 1, error_code: 'InputVoltageLow', timestamp: 1, message: 'Input voltage low' },
    { source: 'moon', error_code: 'X1', message: 'odd' },
  ]
  mining['mining-status'].status = 'DegradedMining'
  mining['mining-status'].hashboards_mining = 3
  const { telemetry: now } = await observe(protoRig, device.io())
  t.alike(
    now.errors?.map(({ code, vendorCode, component, index }) => [code, vendorCode, component, index]),
    [
      ['fan-speed', 'FanStalled', 'fan', 1],
      ['board-hot', 'AsicOverTemp', 'board', 2],
      ['psu-power', 'InputVoltageLow', 'psu', 0],
      ['rig-fault', 'X1', 'device', undefined],
      ['boards-not-hashing', 'DegradedMining', 'board', undefined],
    ],
  )
  t.ok(now.errors?.every(({ message, action }) => message && action))
  for (const [status, asleep] of [
    ['Stopped', true],
    ['Curtailed', true],
    ['PoweringOff', true],
    ['PoweringOn', false],
    ['NoPools', false],
    ['Error', false],
  ] as const) {
    mining['mining-status'].status = status
    t.is((await observe(protoRig, device.io())).telemetry.asleep, asleep, status)
  }
})

test('a rig that has only just started is missing its mining, not at 0', async (t) => {
  const device = await replayed(t)
  device.http['GET /api/v1/mining'] = (_: Call, response: { writeHead(status: number): { end(): void } }) => {
    response.writeHead(204).end()
  }
  device.http['GET /api/v1/telemetry'] = 'nonsense'
  const { telemetry, missing } = await observe(protoRig, device.io())
  t.is(telemetry.hashrateThs, undefined)
  t.is(missing.hashrateThs?.code, 'DEVICE_BUSY')
  t.is(telemetry.model, 'Rig')
})

/** A rig that wants its password, as the real ones do. */
async function locked(t: { teardown(close: () => unknown): void }) {
  const device = await replayed(t)
  const tokens = new Set<string>()
  let count = 0
  device.http['POST /api/v1/auth/login'] = ({ body }: Call, response: { writeHead(status: number): unknown }) => {
    if (JSON.parse(body).password === 'right') {
      const token = `t${++count}`
      tokens.add(token)
      return { access_token: token, refresh_token: 'r' }
    }
    response.writeHead(401)
    return { error: { code: 'UNAUTHORIZED', message: 'wrong' } }
  }
  for (const path of ['mining', 'telemetry', 'pools', 'cooling', 'errors']) {
    const value = device.http[`GET /api/v1/${path}`]
    device.http[`GET /api/v1/${path}`] = ({ headers }: Call, response: { writeHead(status: number): unknown }) => {
      if (tokens.has(headers.authorization?.slice(7) ?? '')) return value
      response.writeHead(401)
      return { error: { code: 'UNAUTHORIZED', message: 'sign in' } }
    }
  }
  return { device, tokens }
}

const login = { username: '', password: 'right' }

test('one login serves many visits, is renewed when it ends, and a wrong password is not tried on', async (t) => {
  const { device, tokens } = await locked(t)
  const logins = () => device.paths().filter((path) => path === 'POST /api/v1/auth/login').length
  const io = device.io({ credentials: [{ username: '', password: 'wrong' }, login] })
  for (let visit = 0; visit < 3; visit++) t.ok((await observe(protoRig, io)).telemetry.hashrateThs)
  t.is(logins(), 2, 'the wrong one, then the right one, then none')
  tokens.clear()
  t.ok((await observe(protoRig, io)).telemetry.hashrateThs)
  t.is(logins(), 3, 'a login that has ended is renewed, first with the password that worked')
  const stranger = device.io({ credentials: [{ username: '', password: 'no' }] })
  for (let visit = 0; visit < 3; visit++) {
    const { telemetry, missing } = await observe(protoRig, stranger)
    t.is(telemetry.hashrateThs, undefined)
    t.is(missing.hashrateThs?.code, 'DEVICE_AUTH')
    t.is(telemetry.serial, 'PROTO-SIM-b6bdaf86', 'who it is needs no password')
  }
  t.is(logins(), 4, 'a refused password is left alone for a while')
  const { missing } = await observe(protoRig, device.io())
  t.ok(missing.hashrateThs?.message.includes('none is set'))
})

test('a rig is told by its system information, without a login; nothing else claims it', async (t) => {
  const { device } = await locked(t)
  const { device: found, match } = await identify(miners, device.io({ credentials: [login] }))
  t.is(found, protoRig)
  t.alike([match?.confidence, match?.model, match?.firmware], [1, 'Rig', '1.8.0'])
  t.absent(device.paths().some((path) => path.includes('login')))
  const stranger = await new FakeMiner().start(t)
  stranger.http['GET /api/v1/system'] = { 'system-info': { product_name: 'Prototype' } }
  t.absent((await identify(miners, stranger.io())).device)
})

const pools = [
  { url: 'stratum+tcp://new-a.example:3333', user: 'acct.1', password: 'p' },
  { url: 'stratum+tcp://new-b.example:3333', user: 'acct.1' },
]

test('every command is confirmed by the simulator, or accepted where nothing shows it', async (t) => {
  const miner = await operated(t, 'Rig')
  const { machine } = miner.device
  t.is((await miner.command('suspend')).state, 'confirmed')
  t.is(machine.physics.drive.awake, false)
  t.is((await miner.command('resume')).state, 'confirmed')
  t.is((await miner.command('setPowerLimit', { watts: 2500 })).state, 'confirmed')
  t.is(machine.physics.drive.limitW, 2500)
  t.is((await miner.command('setPowerMode', { mode: 'low' })).state, 'confirmed')
  t.is((await miner.read()).telemetry.tuning?.targetW, 2500, 'the target stays')
  t.is((await miner.command('setPowerMode', { mode: 'sleep' })).state, 'confirmed')
  t.is((await miner.command('setPowerMode', { mode: 'high' })).state, 'confirmed')
  t.is((await miner.command('setPools', { pools })).state, 'confirmed')
  t.is(machine.pools.entries[1]?.user, 'acct.1')
  t.is((await miner.command('setFan', { mode: 'manual', dutyPct: 80 })).state, 'confirmed')
  t.is((await miner.command('setFan', { mode: 'auto', targetTempC: 55 })).state, 'confirmed')
  t.is((await miner.command('setLed', { on: true })).state, 'accepted')
  t.is((await miner.command('setHostname', { hostname: 'rig-7' })).state, 'confirmed')
  const address = { dhcp: false, ip: '10.0.0.5', netmask: '255.255.255.0', gateway: '10.0.0.1', dns: ['10.0.0.1'] }
  t.is((await miner.command('setNetwork', address)).state, 'confirmed')
  t.is((await miner.command('setNetwork', { dhcp: true })).state, 'confirmed')
  t.is((await miner.command('reboot')).state, 'confirmed')
  t.ok(JSON.stringify((await miner.command('getLogs')).result).includes('simulated line 1'))
  const file = join(tmpdir(), `rig-${process.pid}.img`)
  writeFileSync(file, 'image')
  const sha256 = createHash('sha256').update('image').digest('hex')
  t.is((await miner.command('updateFirmware', { path: file, sha256 })).state, 'confirmed')
  t.is((await miner.command('setPassword', { password: 'another' })).state, 'accepted')
  t.is((await miner.read()).missing.hashrateThs?.code, 'DEVICE_AUTH', 'its password is another now')
})

test('limits are checked before anything is sent, and a refusal gives the words of the rig', async (t) => {
  const miner = await operated(t, 'Rig')
  const tooMuch = await failure(miner.command('setPowerLimit', { watts: 9000 }))
  t.is(tooMuch.code, 'BAD_REQUEST')
  t.ok(tooMuch.message.includes('1000 to 4000'))
  t.is((await failure(miner.command('setPowerMode', { mode: 'normal' }))).code, 'DEVICE_UNSUPPORTED')
  t.is((await failure(miner.command('setFan', { minFans: 2 }))).code, 'DEVICE_UNSUPPORTED')
  await miner.farm.setFault(0, { kind: 'refusedWrite' })
  const refused = await failure(miner.command('setPowerLimit', { watts: 3000 }))
  t.is(refused.code, 'DEVICE_REFUSED')
  t.ok(refused.message.includes('refused'))
  t.is((await failure(miner.command('setPools', { pools }))).code, 'DEVICE_REFUSED')
  t.is((await failure(miner.command('suspend'))).code, 'DEVICE_BUSY')
})

test('a lost board and a stopped fan show', async (t) => {
  const miner = await operated(t, 'Rig')
  await miner.farm.setFault(0, { kind: 'boardLost', slot: 2 })
  await miner.farm.setFault(0, { kind: 'fanStopped', index: 1 })
  const { telemetry: now } = await miner.read()
  t.is(now.boards?.[2]?.status, 'missing')
  const found = now.errors?.map(({ code, index }) => `${code} ${index}`) ?? []
  for (const each of ['board-missing 2', 'fan-speed 1', 'board-fault 2', 'boards-not-hashing undefined'])
    t.ok(found.includes(each), each)
})
