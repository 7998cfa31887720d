import test from 'brittle'
import { identify, miners, observe } from '#devices'
import { braiinsRpc } from '../../src/devices/miners/braiins.js'
import { braiinsGraphDevice } from '../../src/devices/miners/braiins-graphql.js'
import { braiinsRestDevice } from '../../src/devices/miners/braiins-rest.js'
import { errorsOf, parsePools } from '../../src/devices/miners/braiins-rest-values.js'
import { type Call, capture, FakeMiner, failure, flaw, run } from './fake-miner.js'
import { operated } from './simulated.js'

const restPaths: Readonly<Record<string, string>> = {
  'miner/details': 'miner_details',
  'miner/stats': 'miner_stats',
  'miner/hw/hashboards': 'miner_hw_hashboards',
  'miner/errors': 'miner_errors',
  'cooling/state': 'cooling_state',
  'pools/': 'pools',
  'performance/tuner-state': 'performance_tuner_state',
  'configuration/miner': 'configuration_miner',
  'actions/locate': 'actions_locate',
  'network/': 'network',
  'version/': 'version',
}

type Closing = { teardown(close: () => unknown): void }

async function restMiner(t: Closing, version: string) {
  const device = await new FakeMiner().start(t)
  for (const [path, file] of Object.entries(restPaths))
    device.http[`GET /api/v1/${path}`] = JSON.stringify(capture(`braiins/${version}/${file}.json`))
  return device
}

const kinds: readonly (readonly [RegExp, string])[] = [
  [/childSolvers/, 'boards'],
  [/poolGroups/, 'pools'],
  [/autotuning/, 'tuning'],
  [/appeals/, 'events'],
  [/faultLight|modelName|version/, 'system'],
]

/** Answers by what is asked for; a field that this version does not have spoils the whole question. */
async function graphMiner(t: Closing, version: string, unknown = /^$/) {
  const device = await new FakeMiner().start(t)
  device.rpc.version = capture(`braiins/${version}/version.json`)
  device.http['GET /cgi-bin/luci/admin/network/iface_status/lan'] = capture(`braiins/${version}/web_net_conf.json`)
  device.http['POST /graphql'] = ({ body }: Call) => {
    const { query } = JSON.parse(body) as { query: string }
    const file = kinds.find(([pattern]) => pattern.test(query))?.[1]
    if (!file || unknown.test(query)) return { data: null, errors: [{ message: 'Unknown field "x" on type "y"' }] }
    return capture(`braiins/${version}/gql_${file}.json`)
  }
  return device
}

for (const version of ['v25_07', 'v26_04']) {
  test(`Braiins OS ${version} is read over REST`, async (t) => {
    const device = await restMiner(t, version)
    const expected = capture(`braiins/${version}/expected.json`)
    const { device: found, match } = await identify(miners, device.io())
    t.is(found, braiinsRestDevice)
    t.is(`Antminer ${match?.model}`, expected.model)
    const { telemetry: now, missing, model } = await observe(braiinsRestDevice, device.io())
    t.is(now.mac?.toLowerCase(), expected.mac)
    t.is(now.hostname, expected.hostname)
    t.is(now.firmwareVersion, expected.fw_version)
    t.is(now.apiVersion, expected.api_version)
    t.is(now.serial, expected.serial_number ?? undefined)
    t.is(now.powerW, expected.power_w)
    t.is(now.powerLimitW, expected.tuning_target.value.watts)
    t.is(now.tuning?.targetW, expected.tuning_target.value.watts)
    t.is(now.boards?.length, expected.hashboards_count)
    t.is(now.fans?.length, expected.fans_count)
    t.is(now.pools?.length, expected.pool_group_0_pools)
    t.is(now.led, 'off')
    t.is(now.asleep, false)
    t.ok(now.boards?.every(({ status, chips }) => status === 'ok' && chips === model?.chips))
    t.ok(now.boards?.every(({ slot, serial }, at) => slot === at && serial))
    t.ok(now.hashrateThs! > 100 && now.expectedHashrateThs! > 100)
    t.alike(now.errors, [], 'what happened weeks ago is no error of now')
    t.alike(missing, {})
    t.is(flaw(now), undefined)
  })
}

test('a rate that was not measured is none; a board that is off is off', async (t) => {
  const device = await restMiner(t, 'v25_07')
  const stats = capture('braiins/v25_07/miner_stats.json')
  stats.miner_stats.real_hashrate.last_5s = {}
  stats.miner_stats.nominal_hashrate = { terahash_per_second: 141 }
  device.http['GET /api/v1/miner/stats'] = stats
  const boards = capture('braiins/v25_07/miner_hw_hashboards.json')
  boards.hashboards[1].enabled = false
  boards.hashboards.shift()
  device.http['GET /api/v1/miner/hw/hashboards'] = boards
  const { telemetry: now } = await observe(braiinsRestDevice, device.io())
  t.is(now.hashrate5sThs, undefined)
  t.ok(now.hashrateThs! > 100, 'the next window')
  t.is(now.expectedHashrateThs, 141)
  t.alike(
    now.boards?.map(({ slot, status }) => [slot, status]),
    [
      [0, 'missing'],
      [1, 'disabled'],
      [2, 'ok'],
    ],
  )
})

test('errors of now carry the vendor code, its reason and its hint', (t) => {
  const reply = capture('braiins/v26_04/miner_errors.json')
  const at = Date.parse('2026-03-20T21:30:00Z') / 1000
  reply.errors = reply.errors.filter(({ timestamp }: { timestamp: string }) => timestamp < '2026-03-20T21:35')
  const errors = errorsOf(reply, { pool_stats: { last_share_time: { seconds: at } } }, { status: 5 })
  const coded = errors.find(({ vendorCode }) => vendorCode === 'V2')
  t.is(coded?.code, 'psu')
  t.is(coded?.message, 'Overcurrent protection triggered or short circuit')
  t.ok(coded?.action?.startsWith('The voltage measured'))
  t.ok(errors.some(({ code }) => code === 'license'))
  t.ok(errors.length <= 21)
  t.is(new Set(errors.map((error) => JSON.stringify(error))).size, errors.length)
})

test('pools keep the order of their groups', (t) => {
  const groups = capture('braiins/v26_04/pools.json')
  const more = { ...groups[0], strategy: undefined, load_balance_strategy: { quota: { value: 3 } } }
  t.alike(
    parsePools([...groups, more]).map(({ index, quota }) => [index, quota]),
    [
      [0, 1],
      [1, 1],
      [2, 3],
      [3, 3],
    ],
  )
})

test('a login is made when it is asked for, kept, and made once more when it has run out', async (t) => {
  const device = await restMiner(t, 'v25_07')
  let token = 'first'
  let logins = 0
  const guarded = device.http['GET /api/v1/miner/stats']
  device.http['POST /api/v1/auth/login'] = ({ body }: Call, response: import('node:http').ServerResponse) => {
    logins++
    if (JSON.parse(body).password !== 'mine') return void response.writeHead(401).end('invalid')
    return { token, timeout_s: 3600 }
  }
  device.http['GET /api/v1/miner/stats'] = ({ headers }: Call, response: import('node:http').ServerResponse) => {
    if (headers.authorization !== token) return void response.writeHead(401).end('unauthorized')
    return guarded
  }
  const io = device.io({ credentials: [{ username: 'root', password: 'mine' }] })
  t.ok((await observe(braiinsRestDevice, io)).telemetry.hashrateThs)
  t.ok((await observe(braiinsRestDevice, io)).telemetry.hashrateThs)
  t.is(logins, 1)
  token = 'second'
  t.ok((await observe(braiinsRestDevice, io)).telemetry.hashrateThs)
  t.is(logins, 2)
  const stranger = device.io()
  const { missing } = await observe(braiinsRestDevice, stranger)
  t.is(missing.hashrateThs?.code, 'DEVICE_AUTH')
  t.ok(missing.hashrateThs?.message.includes('default password'))
  const before = logins
  await observe(braiinsRestDevice, stranger)
  t.is(logins, before, 'no storm of logins')
})

test('BOS+ 22.08 on an S9 is read over GraphQL, though it has no serials and no events', async (t) => {
  const device = await graphMiner(t, 'v21_09', /hbSerialNumber|appeals/)
  const expected = capture('braiins/v21_09/expected.json')
  const { device: found, match } = await identify(miners, device.io())
  t.is(found, braiinsGraphDevice)
  t.is(match?.firmware, expected.fw_version)
  const { telemetry: now, missing } = await observe(braiinsGraphDevice, device.io())
  t.is(now.mac, expected.mac)
  t.is(now.hostname, expected.hostname)
  t.is(now.hashrateThs?.toFixed(9), expected.hashrate_ths.toFixed(9))
  t.is(now.expectedHashrateThs, expected.expected_hashrate_ths)
  t.is(now.powerW, expected.power_w)
  t.is(now.tuning?.targetW, expected.tuning_target.value.watts)
  t.alike(
    now.boards?.map(({ slot, chips }) => [slot, chips]),
    [
      [0, 63],
      [1, 63],
      [2, 63],
    ],
    'its boards count from 6',
  )
  t.is(now.boards?.[1]?.chipTempMaxC, 89.25)
  t.is(now.fans?.length, expected.fans_count)
  t.is(now.pools?.length, 2)
  t.is(now.led, 'off')
  t.alike(missing, {})
})

test('BOS 25.03 on an S21+ is read over GraphQL', async (t) => {
  const device = await graphMiner(t, 'v25_03')
  const expected = capture('braiins/v25_03/expected.json')
  const { telemetry: now } = await observe(braiinsGraphDevice, device.io())
  t.is(now.mac?.toLowerCase(), expected.mac)
  t.is(now.firmwareVersion, expected.fw_version)
  t.is(now.powerW, expected.power_w)
  t.is(now.boards?.[0]?.serial, 'NGSBYT0BEJCJD0CHY')
  t.alike([now.boards?.[0]?.boardTempC, now.boards?.[0]?.chipTempMaxC, now.boards?.[0]?.inletTempC], [60, 75, 39])
  t.is(now.pools?.length, expected.pool_group_0_pools)
  t.is(now.asleep, false)
})

test('a mining process that was ended is asleep and makes nothing', async (t) => {
  const device = await graphMiner(t, 'v25_03')
  const system = capture('braiins/v25_03/gql_system.json')
  system.data.bosminer = { info: { workSolver: null, fans: [], summary: null } }
  const answer = device.http['POST /graphql'] as (call: Call) => unknown
  device.http['POST /graphql'] = (call: Call) => (/faultLight/.test(call.body) ? system : answer(call))
  const { telemetry: now } = await observe(braiinsGraphDevice, device.io())
  t.alike([now.asleep, now.hashrateThs], [true, 0])
})

test('a mutation that answers an error type is refused in its words', async (t) => {
  const device = await graphMiner(t, 'v25_03')
  const answer = device.http['POST /graphql'] as (call: Call) => unknown
  const reply = {
    data: { bosminer: { config: { updateAutotuning: { __typename: 'AutotuningError', message: 'too low' } } } },
  }
  device.http['POST /graphql'] = (call: Call) => (/updateAutotuning/.test(call.body) ? reply : answer(call))
  const error = await failure(run(braiinsGraphDevice, device.io(), 'setPowerLimit', { watts: 1000 }))
  t.alike([error.code, error.message], ['DEVICE_REFUSED', 'too low'])
})

const pools = [
  { url: 'stratum+tcp://new-a.example:3333', user: 'acct.1', password: 'p' },
  { url: 'stratum+tcp://new-b.example:3333', user: 'acct.1' },
]
const address = { dhcp: false, ip: '10.0.0.5', netmask: '255.255.255.0', gateway: '10.0.0.1', dns: ['10.0.0.1'] }

test('every command over REST is confirmed by the simulator', async (t) => {
  const miner = await operated(t, 'braiins/S21 Pro')
  t.is(miner.definition, braiinsRestDevice)
  t.is((await miner.command('suspend')).state, 'confirmed')
  t.is((await miner.command('resume')).state, 'confirmed')
  t.is((await miner.command('setPowerLimit', { watts: 3000 })).state, 'confirmed')
  t.is((await failure(miner.command('setPowerLimit', { watts: 100 }))).code, 'BAD_REQUEST')
  t.is((await miner.command('setHashrateTarget', { ths: 200 })).state, 'confirmed')
  t.is((await miner.command('setPools', { pools })).state, 'confirmed')
  t.is(miner.device.machine.pools.entries.length, 2)
  t.is((await miner.command('setLed', { on: true })).state, 'confirmed')
  t.is((await miner.command('setFan', { mode: 'manual', dutyPct: 80 })).state, 'confirmed')
  t.is((await miner.command('setHostname', { hostname: 'rack-1' })).state, 'confirmed')
  t.is((await miner.command('setNetwork', address)).state, 'confirmed')
  await miner.later(600_000)
  t.is((await miner.command('restartMiner')).state, 'confirmed')
  await miner.later(600_000)
  t.is((await miner.command('reboot')).state, 'confirmed')
  await miner.farm.setFault(0, { kind: 'refusedWrite' })
  t.is((await failure(miner.command('suspend'))).code, 'DEVICE_REFUSED')
})

test('every command over GraphQL is confirmed by the simulator', async (t) => {
  const miner = await operated(t, 'braiins/S19j Pro')
  t.is(miner.definition, braiinsGraphDevice)
  t.is((await miner.command('suspend')).state, 'confirmed')
  t.is((await miner.command('resume')).state, 'confirmed')
  t.is((await miner.command('setPowerLimit', { watts: 2500 })).state, 'confirmed')
  t.is((await failure(miner.command('setPowerLimit', { watts: 100 }))).code, 'BAD_REQUEST')
  t.is((await miner.command('setPools', { pools })).state, 'confirmed')
  t.is((await miner.command('setLed', { on: true })).state, 'confirmed')
  await miner.later(600_000)
  t.is((await miner.command('reboot')).state, 'confirmed')
  t.ok(JSON.stringify((await miner.command('getLogs')).result).includes('simulated'))
  t.is((await miner.command('setPassword', { password: 'new' })).state, 'accepted')
  t.is((await failure(miner.command('setLed', { on: false }))).code, 'DEVICE_AUTH', 'its password is another now')
})

test('BOSminer alone is read, paused and resumed over its RPC', async (t) => {
  const miner = await operated(t, 'braiins/S17 Pro')
  t.is(miner.definition, braiinsRpc)
  const { telemetry: now } = await miner.read()
  t.is(now.model, 'S17 Pro')
  t.is(now.boards?.[0]?.chips, 48)
  t.ok(now.boards?.every(({ boardTempC, chipTempMaxC, frequencyMhz }) => boardTempC && chipTempMaxC && frequencyMhz))
  t.is(now.powerLimitW, 2212)
  t.is((await miner.command('suspend')).state, 'confirmed')
  t.is((await miner.command('resume')).state, 'confirmed')
  const device = await new FakeMiner().start(t)
  device.rpc.devs = { STATUS: [{ STATUS: 'S' }], DEVS: [] }
  device.rpc.summary = { STATUS: [{ STATUS: 'S' }], SUMMARY: [{ 'MHS 5s': '5000000', Elapsed: 10 }] }
  device.rpc.tunerstatus = {
    STATUS: [{ STATUS: 'S' }],
    TUNERSTATUS: [
      {
        TunerChainStatus: [
          { HashchainIndex: 6, Status: 'Hashboard voltage too low { x: 1 }' },
          { HashchainIndex: 7, Status: 'Stable' },
        ],
      },
    ],
  }
  const { telemetry: sick } = await observe(braiinsRpc, device.io())
  t.is(sick.hashrateThs, 5)
  t.alike(
    sick.errors?.map(({ component, index, message }) => [component, index, message]),
    [['board', 0, 'Hashboard voltage too low']],
  )
})
