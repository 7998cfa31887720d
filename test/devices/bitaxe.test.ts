import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import test from 'brittle'
import { identify, miners, observe } from '#devices'
import { bitaxeModel, productOf } from '../../src/devices/hardware/bitaxe.js'
import { bitaxe } from '../../src/devices/miners/bitaxe.js'
import { nerdaxe } from '../../src/devices/miners/nerdaxe.js'
import { type Call, capture, FakeMiner, failure, flaw, run } from './fake-miner.js'
import { operated } from './simulated.js'

const asText = 'GET /api/system/info'

async function supra(t: { teardown(close: () => unknown): void }) {
  const device = await new FakeMiner().start(t)
  const info = capture('bitaxe/v2_0_0/system_info.json')
  device.http[asText] = () => info
  return { device, info }
}

test('a Supra is read: all that it tells, with the rate that its frequency should give', async (t) => {
  const { device } = await supra(t)
  const expected = capture('bitaxe/v2_0_0/expected.json')
  const { telemetry: now, missing, model } = await observe(bitaxe, device.io())
  t.is(now.model, 'Supra')
  t.is(now.variant, '401')
  t.is(now.mac, expected.mac)
  t.is(now.hostname, expected.hostname)
  t.is(now.firmwareVersion, expected.fw_version)
  t.is(now.hashrateThs, expected.hashrate_ths)
  t.is(now.powerW, expected.power_w)
  t.is(now.expectedHashrateThs, 0.62524, '490 MHz, 1276 cores')
  t.is(now.chipTempMaxC, 59.875)
  t.is(now.boardTempMaxC, 78)
  t.is(now.psuInputVoltageV, 5.175)
  t.is(now.psuInputCurrentA, 0.52125)
  t.is(now.bestShare, 483_000, 'with a suffix')
  t.is(now.uptimeS, 4)
  t.is(now.fanDutyPct, 35)
  t.alike(now.fans, [{ index: 0, rpm: 3517, dutyPct: 35 }])
  t.alike(
    now.boards?.map(({ chips, expectedChips, status }) => [chips, expectedChips, status]),
    [[1, 1, 'ok']],
  )
  t.alike(
    now.pools?.map(({ url, user, active }) => [url, user, active]),
    [
      ['stratum+tcp://btc.example.pool:3333', 'asic-rs.test', true],
      ['stratum+tcp://btc2.example.pool:3333', 'asic-rs.test', false],
    ],
  )
  t.is(now.asleep, undefined, 'this build knows no pause')
  t.alike(now.errors, [])
  t.alike(missing, {})
  t.is(model?.chips, 1)
  t.is(flaw(now), undefined)
})

test('newer builds and NerdQAxes name things differently', async (t) => {
  const { device, info } = await supra(t)
  Object.assign(info, { boardVersion: '601', expectedHashrate: 1071, bestDiff: 4_290_000_000, overheat_mode: false })
  Object.assign(info, {
    temp2: -1,
    fan2rpm: 0,
    miningPaused: false,
    hashRate: '1072.24',
    asicCount: undefined,
    stratumTLS: 1,
  })
  device.http['GET /api/system/asic'] = {
    deviceModel: 'Gamma',
    asicCount: 1,
    defaultFrequency: 525,
    frequencyOptions: [490, 525],
  }
  const { telemetry: now } = await observe(bitaxe, device.io())
  t.alike([now.model, now.hashrateThs, now.expectedHashrateThs, now.bestShare], ['Gamma', 1.07224, 1.071, 4.29e9])
  t.is(now.asleep, false)
  t.is(now.fans?.length, 1, 'a second fan that it does not have')
  t.is(now.tuning?.frequencyPct, -7)
  t.is(now.pools?.[0]?.url, 'stratum+ssl://btc.example.pool:3333')

  const nerd = {
    ...info,
    deviceModel: 'NerdQAxe++',
    hostip: '10.0.0.9',
    currentA: 6.1,
    voltage: 12.1,
    asicCount: 4,
    asicTemps: [61, 62.5, 0, 60],
    temp: 62.5,
    shutdown: true,
    hashRate: 0,
    fans: [{ label: 'A', rpm: 3000, speedPerc: 40 }],
    stratum: {
      usingFallback: true,
      pools: [
        { connected: false, accepted: 1 },
        { connected: true, accepted: 7, rejected: 1 },
      ],
    },
    isUsingFallbackStratum: undefined,
    expectedHashrate: undefined,
  }
  device.http[asText] = nerd
  device.http['GET /api/system/asic'] = '<html>'
  const { telemetry: other, missing } = await observe(nerdaxe, device.io())
  t.alike([other.model, other.asleep, other.hashrateThs, other.network?.ip], ['NerdQAxe++', true, 0, '10.0.0.9'])
  t.is(other.boards?.[0]?.chips, 4)
  t.is(other.psuInputVoltageV, 12.1)
  t.is(other.psuInputCurrentA, 6.1)
  t.alike(
    other.pools?.map(({ alive, active, accepted }) => [alive, active, accepted]),
    [
      [false, false, 1],
      [true, true, 7],
    ],
  )
  t.is(missing.tuning, undefined, 'what another reply would have made better is not missing')
})

test('what is wrong is said: heat, faults, a fan, the second pool', async (t) => {
  const { device, info } = await supra(t)
  Object.assign(info, {
    overheat_mode: 1,
    power_fault: 'Under voltage',
    temp: 82,
    vrTemp: 110,
    fanrpm: 0,
    isUsingFallbackStratum: true,
  })
  const { telemetry: now } = await observe(bitaxe, device.io())
  t.alike(
    now.errors?.map(({ code, severity }) => [code, severity]),
    [
      ['overheated', 'critical'],
      ['power-fault', 'critical'],
      ['chip-hot', 'high'],
      ['board-hot', 'high'],
      ['fan-stopped', 'high'],
      ['pool-fallback', 'low'],
    ],
  )
  t.ok(now.errors?.every(({ action }) => action))
})

test('a board that we do not know is read all the same', async (t) => {
  const { device, info } = await supra(t)
  info.boardVersion = '912'
  const { telemetry: now, model } = await observe(bitaxe, device.io())
  t.is(now.model, 'board 912')
  t.is(model, undefined)
  t.is(now.hashrateThs, 1)
  t.is(productOf('0.11'), 'Ultra')
  t.is(bitaxeModel('Bitaxe Supra Hex')?.chips, 6)
})

test('it is told by its system information; a compressed page leads to it, a page of others does not', async (t) => {
  const { device } = await supra(t)
  device.http['GET /'] = (_: Call, response: import('node:http').ServerResponse) => {
    response.setHeader('content-encoding', 'gzip')
    response.end(gzipSync('<html><title>AxeOS</title></html>'))
  }
  const { device: found, match } = await identify(miners, device.io())
  t.is(found, bitaxe)
  t.alike([match?.confidence, match?.model, match?.mac], [1, 'Supra', 'AA:BB:CC:DD:EE:FF'])
  const other = await supra(t)
  other.device.http['GET /'] = '<meta name="firmware" content="AnthillOS">'
  t.absent((await identify([bitaxe, nerdaxe], other.device.io())).device)
  t.absent(other.device.paths().includes(asText), 'nor is it asked')
})

test('a device that does not answer our network says so', async (t) => {
  const { device } = await supra(t)
  device.http['PATCH /api/system'] = (_: Call, response: import('node:http').ServerResponse) =>
    void response.writeHead(401).end('Unauthorized')
  const error = await failure(run(bitaxe, device.io(), 'setHostname', { hostname: 'x' }))
  t.is(error.code, 'DEVICE_AUTH')
  t.ok(error.message.includes('private network'))
})

const pools = [
  { url: 'stratum+tcp://new-a.example:3333', user: 'acct.1', password: 'p' },
  { url: 'stratum+tcp://new-b.example:4444', user: 'acct.2' },
]

test('every command of a Gamma is confirmed by the simulator', async (t) => {
  const miner = await operated(t, 'Gamma')
  t.is(miner.definition, bitaxe)
  t.is((await miner.command('suspend')).state, 'confirmed')
  t.is(miner.device.machine.physics.drive.awake, false)
  t.is((await miner.command('resume')).state, 'confirmed')
  t.is((await miner.command('setPools', { pools })).state, 'confirmed')
  t.is((await miner.command('setPools', { pools: pools.slice(0, 1) })).state, 'confirmed', 'in both places')
  t.is(miner.device.machine.pools.entries[1]!.url, pools[0]!.url)
  t.is((await miner.command('setFan', { dutyPct: 80 })).state, 'confirmed')
  t.is((await miner.command('setHostname', { hostname: 'desk' })).state, 'confirmed')
  t.is((await miner.command('setFrequencyPercent', { percent: -7 })).state, 'confirmed')
  await miner.later(600_000)
  t.is((await miner.command('reboot')).state, 'confirmed')
  t.is((await miner.command('setLed', { on: true })).state, 'accepted')
  t.alike((await miner.command('getLogs')).result, { log: 'I (123) simulated: log line', complete: true })
})

test('a NerdQAxe sleeps by a shutdown and wakes by a restart', async (t) => {
  const miner = await operated(t, 'NerdQAxe++')
  t.is(miner.definition, nerdaxe)
  t.is((await miner.command('suspend')).state, 'confirmed')
  t.is((await miner.command('resume')).state, 'confirmed')
})

test('an old build has no pause; limits and refusals come before or in words', async (t) => {
  const miner = await operated(t, 'Supra')
  t.is((await failure(miner.command('suspend'))).code, 'DEVICE_UNSUPPORTED')
  t.is((await failure(miner.command('setFrequencyPercent', { percent: 60 }))).code, 'BAD_REQUEST')
  t.is(
    (await failure(miner.command('setPools', { pools: [{ url: 'stratum+tcp://a.example', user: 'x' }] }))).code,
    'BAD_REQUEST',
  )
  t.is((await failure(miner.command('setPools', { pools: [...pools, pools[0]] }))).code, 'BAD_REQUEST')
  t.is((await failure(miner.command('setLed', { on: false }))).code, 'DEVICE_UNSUPPORTED')
  await miner.farm.setFault(0, { kind: 'refusedWrite' })
  const error = await failure(miner.command('setPools', { pools }))
  t.is(error.code, 'DEVICE_REFUSED')
  t.ok(error.message.includes('Wrong API input'))
})

test('firmware goes up raw, once and whole', async (t) => {
  const { device, info } = await supra(t)
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251))
  const path = join(await t.tmp(), 'esp-miner.bin')
  await writeFile(path, bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  device.http['POST /api/system/OTA'] = ({ body }: Call) => {
    t.is(body, bytes.toString('latin1'))
    info.version = 'v2.13.0'
    return 'done'
  }
  t.is((await run(bitaxe, device.io(), 'updateFirmware', { path, sha256 })).state, 'confirmed')
  t.is(
    (await failure(run(bitaxe, device.io(), 'updateFirmware', { path, sha256: '0'.repeat(64) }))).code,
    'BAD_REQUEST',
  )
})
