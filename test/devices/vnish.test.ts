import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'brittle'
import { identify, miners, observe } from '#devices'
import { vnishDevice } from '../../src/devices/miners/vnish.js'
import { uptimeS } from '../../src/devices/miners/vnish-replies.js'
import { capture, FakeMiner, failure, flaw, run } from './fake-miner.js'
import { operated } from './simulated.js'

const file = (name: string) => capture(`vnish/s21pro_1_2_7/${name}`)
const webs = ['info', 'summary', 'perf-summary', 'settings'] as const
const rpcs = ['stats', 'summary', 'pools', 'devdetails', 'version'] as const

/** The captured S21 Pro; its settings ask nobody for a password. */
async function replayed(t: { teardown(close: () => unknown): void }) {
  const device = await new FakeMiner().start(t)
  for (const name of webs) device.http[`GET /api/v1/${name}`] = file(`web_${name}.json`)
  device.http['GET /api/v1/autotune/presets'] = file('web_autotune_presets.json')
  device.http['GET /'] = file('web_root.html')
  for (const name of rpcs) device.rpc[name] = file(`rpc_${name}.json`)
  return device
}

test('a captured S21 Pro is read in our units', async (t) => {
  const device = await replayed(t)
  const expected = file('expected.json')
  const { telemetry: now, missing, model } = await observe(vnishDevice, device.io())
  t.alike([now.model, model?.chips, model?.fans], ['S21 Pro', 65, 4])
  t.alike([now.firmwareVersion, now.mac, now.hostname], [expected.fw_version, expected.mac, expected.hostname])
  t.alike([now.controlBoard, now.serial, now.network?.ip], ['Amlogic', undefined, '172.16.2.103'])
  t.alike([now.uptimeS, now.miningUptimeS], [6900, expected.uptime_rpc_s])
  t.alike([now.hashrateThs, now.hashrateAvgThs], [expected.hashrate_ths, expected.hashrate_avg_ths])
  t.alike(
    [now.expectedHashrateThs, now.nominalHashrateThs],
    [expected.expected_hashrate_nominal_ths, expected.stock_hashrate_ths],
  )
  t.alike([now.powerW, now.efficiencyJTh, now.powerLimitW], [expected.power_w, expected.efficiency_j_th, 2800])
  t.alike([now.chipTempMaxC, now.chipTempMinC, now.boardTempMaxC, now.psuTempC], [65, 54, 50, 47])
  t.alike(now.tuning, { mode: 'custom', targetW: 2800, targetThs: 188, preset: '2800', tuned: false })
  t.alike([now.limits?.powerW, now.limits?.targetTempC, now.limits?.presets?.length], [[2550, 4690], [20, 90], 25])
  t.alike(
    now.boards?.map(({ slot, chips, expectedChips, hashrateThs }) => [slot, chips, expectedChips, hashrateThs]),
    [
      [0, 65, 65, 60.79719],
      [1, 65, 65, 57.766645],
      [2, 65, 65, 55.3071],
    ],
  )
  t.alike([now.boards?.[0]?.voltageV, now.boards?.[0]?.powerW, now.boards?.[0]?.hwErrors], [13, 861, 29])
  t.alike(
    now.fans?.map(({ rpm }) => rpm),
    expected.fan_rpm_web,
  )
  t.is(now.fanDutyPct, 90)
  t.is(now.pools?.filter(({ devFee }) => !devFee).length, expected.user_pools)
  const [pool] = now.pools!
  t.alike([pool?.active, pool?.alive, pool?.difficulty, pool?.lastShareAt], [true, true, 262_000, 1773783708000])
  t.alike([now.acceptedShares, now.rejectedShares, now.hwErrors, now.bestShare], [1599, 9, 57, 169988423])
  t.alike([now.asleep, now.tuningNow], [false, true])
  t.alike(now.fanSetting, { mode: 'auto', targetTempC: 65, minFans: 4 })
  t.alike(now.errors, [])
  t.alike(missing, {})
  t.is(flaw(now), undefined)
})

test('where its web interface is closed the RPC stands in', async (t) => {
  const device = await replayed(t)
  await device.stopWeb()
  const { telemetry: now, missing } = await observe(vnishDevice, device.io({ ports: { ...device.ports, http: 1 } }))
  t.alike([now.model, now.firmwareVersion], ['S21 Pro', '1.2.7'])
  t.alike([now.hashrateThs, now.expectedHashrateThs, now.powerW], [173.87094, 196.51717, 2583])
  t.alike([now.boards?.length, now.boards?.[2]?.boardTempC, now.boards?.[2]?.chips], [3, 49, 65])
  t.alike([now.fans?.[0]?.rpm, now.acceptedShares, now.tuningNow, now.asleep], [5850, 1599, true, false])
  t.is(missing.mac?.code, 'DEVICE_UNREACHABLE')
  t.is(flaw(now), undefined)
})

test('an old build is read by its RPC alone, with rates as text and two temperatures a board', async (t) => {
  const device = await replayed(t)
  await device.stopWeb()
  const stats = file('rpc_stats.json')
  const item = stats.STATS[1]
  for (const board of [1, 2, 3]) Object.assign(item, { [`temp_pcb${board}`]: '42-55', [`temp_chip${board}`]: '52-75' })
  Object.assign(item, { 'GHS 5s': '140258.58', chain_consumption1: 0, chain_consumption2: 0, chain_consumption3: 0 })
  delete stats.STATS[0].Type
  device.rpc.stats = stats
  device.rpc.version = {
    STATUS: [{ STATUS: 'S' }],
    VERSION: [{ Type: 'Antminer S19 XP (Vnish 1.2.0-rc1)', API: '3.1' }],
  }
  const summary = file('rpc_summary.json')
  summary.SUMMARY[0]['GHS 5s'] = '140258.58'
  device.rpc.summary = summary
  const { telemetry: now, model } = await observe(vnishDevice, device.io({ ports: { ...device.ports, http: 1 } }))
  t.alike([now.model, now.firmwareVersion, model?.chips], ['S19 XP', '1.2.0-rc1', 110])
  t.alike([now.hashrateThs, now.powerW], [140.25858, undefined], 'no metering is no zero')
  t.alike([now.boards?.[0]?.boardTempC, now.boards?.[0]?.chipTempMinC, now.boards?.[0]?.chipTempMaxC], [55, 52, 75])
})

test('what it reports is told: failures, boards, chips, pools, settings that wait', async (t) => {
  const device = await replayed(t)
  const summary = file('web_summary.json')
  const [one, two, three] = summary.miner.chains
  Object.assign(summary.miner.miner_status, {
    miner_state: 'failure',
    failure_code: '12',
    description: 'Fan 2 is lost',
  })
  one.status = { state: 'failure', description: 'chain break: 20 chips found' }
  two.chip_statuses = { red: 3, orange: 0, grey: 62 }
  three.status = { state: 'disabled' }
  summary.miner.pools[1].status = 'rejecting'
  device.http['GET /api/v1/summary'] = summary
  device.http['GET /api/v1/status'] = { miner_state: 'failure', restart_required: true, find_miner: true }
  const { telemetry: now } = await observe(vnishDevice, device.io())
  t.is(now.led, 'blink')
  t.alike(
    now.boards?.map(({ status }) => status),
    ['error', 'ok', 'disabled'],
  )
  const found = now.errors!.map(({ code, vendorCode, severity, index }) => [code, vendorCode, severity, index ?? null])
  t.alike(found.slice(0, 5), [
    ['fan', '12', 'critical', null],
    ['board-fault', undefined, 'high', 0],
    ['chips-bad', undefined, 'medium', 1],
    ['pool-rejecting', undefined, 'medium', 1],
    ['restart-required', undefined, 'low', null],
  ])
})

test('stopped it is asleep; while it starts there is no miner, and it makes nothing', async (t) => {
  const device = await replayed(t)
  device.http['GET /api/v1/summary'] = { miner: null }
  device.http['GET /api/v1/status'] = { miner_state: 'stopped', miner_state_time: 20 }
  const { telemetry: stopped } = await observe(vnishDevice, device.io())
  t.alike([stopped.asleep, stopped.hashrateThs, stopped.tuning?.mode], [true, 0, 'sleep'])
  device.http['GET /api/v1/status'] = { miner_state: 'initializing', miner_state_time: 20 }
  const { telemetry: starting } = await observe(vnishDevice, device.io())
  t.alike([starting.asleep, starting.hashrateThs], [false, 0])
})

test('it is told by its page or by its stats; a page of another firmware makes it unknown', async (t) => {
  const device = await replayed(t)
  const first = await identify(miners, device.io())
  t.is(first.device, vnishDevice)
  t.alike([first.match?.confidence, first.match?.model, first.match?.firmware], [1, 'S21 Pro', '1.2.7'])
  t.is(first.match?.mac, '02:95:23:B3:E0:79')
  device.http['GET /'] = '<html><title>Luxor Firmware</title></html>'
  const second = await identify(miners, device.io())
  t.ok(second.device === undefined)
  t.ok(second.seen.some((line) => line.includes('Luxor')) && second.seen.some((line) => line.includes('rpc stats')))
  await device.stopWeb()
  const alone = device.io({ ports: { ...device.ports, http: 1 } })
  t.alike(
    [(await identify(miners, alone)).device, (await identify(miners, alone)).match?.model],
    [vnishDevice, 'S21 Pro'],
  )
  device.rpc.version = { STATUS: [{ STATUS: 'S' }], VERSION: [{ Type: 'Antminer S19 XP (Vnish 1.2.0-rc1)' }] }
  delete device.rpc.stats
  const old = await identify(miners, alone)
  t.alike([old.device, old.match?.model, old.match?.firmware], [vnishDevice, 'S19 XP', '1.2.0-rc1'])
})

/** Settings behind a password: the token of the last login is good. */
function locked(device: FakeMiner, password: string) {
  const state = { logins: 0, token: '', tried: [] as string[], blocked: false }
  device.http['POST /api/v1/unlock'] = (call: { body: string }, response: { writeHead(code: number): unknown }) => {
    const { pw } = JSON.parse(call.body)
    state.tried.push(pw)
    if (state.blocked) {
      response.writeHead(429)
      return { err: 'too many attempts' }
    }
    if (pw !== password) {
      response.writeHead(403)
      return { err: 'wrong password' }
    }
    state.token = `t${++state.logins}`
    return { token: state.token }
  }
  for (const path of ['settings', 'autotune/presets']) {
    const key = `GET /api/v1/${path}`
    const value = device.http[key]
    device.http[key] = (
      { headers }: { headers: { authorization?: string } },
      response: { writeHead(code: number): unknown },
    ) => {
      if (headers.authorization === `Bearer ${state.token}`) return value
      response.writeHead(401)
      return { err: 'unauthorized' }
    }
  }
  return state
}

test('the token is kept and renewed; passwords are tried in their order, and never when it asks for peace', async (t) => {
  const device = await replayed(t)
  const state = locked(device, 'own')
  const io = device.io({ credentials: [{ username: 'admin', password: 'own' }] })
  for (let visit = 0; visit < 3; visit++) t.alike((await observe(vnishDevice, io, { fresh: true })).missing, {})
  t.alike([state.logins, state.tried], [1, ['own']])
  state.token = 'ended'
  t.alike((await observe(vnishDevice, io, { fresh: true })).missing, {})
  t.is(state.logins, 2)
  const stranger = device.io()
  const { telemetry, missing } = await observe(vnishDevice, stranger)
  t.is(telemetry.hashrateThs, 173.87094, 'what everybody may read is read')
  t.is(missing.fanSetting?.code, 'DEVICE_AUTH')
  t.ok(/needs its own/.test(missing.fanSetting!.message))
  t.is(state.tried.at(-1), 'admin')
  state.blocked = true
  state.token = 'ended'
  const refused = (await observe(vnishDevice, io, { fresh: true })).missing.fanSetting
  t.is(refused?.code, 'DEVICE_BUSY')
  t.absent(JSON.stringify(refused).includes('own"'))
  const { length } = state.tried
  await observe(vnishDevice, io, { fresh: true })
  await observe(vnishDevice, stranger, { fresh: true })
  t.is(state.tried.length, length, 'neither of them tries again at once')
})

test('uptime is read in every form', (t) => {
  t.alike(['1:55', '3 days, 4:05', '1 day, 0:10', '12 min', 'N/A', '', null].map(uptimeS), [
    6900,
    273_900,
    87_000,
    720,
    undefined,
    undefined,
    undefined,
  ])
})

const pools = [
  { url: 'stratum+tcp://new-a.example:3333', user: 'acct.1', password: 'p' },
  { url: 'stratum+tcp://new-b.example:3333', user: 'acct.1' },
]

test('every command is confirmed by the simulator, or accepted where nothing shows it', async (t) => {
  const miner = await operated(t, 'vnish/T21')
  const { machine } = miner.device
  t.is((await miner.command('suspend')).state, 'confirmed')
  t.is((await miner.command('suspend')).state, 'confirmed', 'also when it is stopped already')
  t.is(machine.physics.drive.awake, false)
  t.is((await miner.command('resume')).state, 'confirmed')
  t.is((await miner.command('setPowerMode', { mode: 'sleep' })).state, 'confirmed')
  t.is((await miner.command('resume')).state, 'confirmed')
  t.is((await miner.command('setPowerLimit', { watts: 3000 })).state, 'confirmed')
  const { tuning } = (await miner.read()).telemetry
  t.ok(tuning!.targetW! <= 3000 && tuning!.targetW! > 2500, `${tuning?.targetW} W`)
  t.is((await miner.command('setHashrateTarget', { ths: 180 })).state, 'confirmed')
  t.ok((await miner.read()).telemetry.tuning!.targetThs! >= 180)
  t.is((await miner.command('setPools', { pools })).state, 'confirmed')
  t.is(machine.pools.entries.length, 2)
  t.is((await miner.command('setLed', { on: true })).state, 'confirmed')
  t.is((await miner.command('setLed', { on: false })).state, 'confirmed')
  t.is((await miner.command('setFan', { mode: 'manual', dutyPct: 70 })).state, 'confirmed')
  t.is((await miner.command('setFan', { mode: 'auto', targetTempC: 60, minFans: 3 })).state, 'confirmed')
  t.is((await miner.command('setHostname', { hostname: 'rack-1' })).state, 'confirmed')
  const address = { dhcp: false, ip: '10.0.0.9', netmask: '255.255.255.0', gateway: '10.0.0.1', dns: ['10.0.0.1'] }
  t.is((await miner.command('setNetwork', address)).state, 'confirmed')
  t.ok((await miner.command('setTimezone', { timezone: 'GMT+1', zonename: 'x' })).result)
  t.ok(JSON.stringify((await miner.command('getLogs')).result).includes('nothing to tell'))
  t.is((await failure(miner.command('setPowerPercent', { percent: 50 }))).code, 'DEVICE_UNSUPPORTED', 'not in 1.2')
  await miner.later(600_000)
  t.is((await miner.command('restartMiner')).state, 'confirmed')
  await miner.later(600_000)
  t.is((await miner.command('reboot')).state, 'confirmed')
  await miner.later(120_000)
  t.is((await miner.command('setPassword', { password: 'better' })).state, 'accepted')
  t.is((await failure(miner.command('setHostname', { hostname: 'rack-2' }))).code, 'DEVICE_AUTH')
})

test('1.3 throttles, and shows itself under another name; a limit holds also for what it steps by itself', async (t) => {
  const miner = await operated(t, 'vnish/S19a Pro')
  const { machine } = miner.device
  t.is((await miner.command('setPowerPercent', { percent: 60 })).state, 'confirmed')
  t.is(machine.physics.drive.powerPct, 60)
  t.ok((await miner.read()).telemetry.errors?.some(({ code }) => code === 'throttled'))
  t.is((await miner.command('setPowerPercent', { percent: 100 })).state, 'confirmed')
  t.is((await miner.command('setLed', { on: true })).state, 'confirmed')
  const device = await replayed(t)
  device.http['POST /api/v1/settings'] = { restart_required: false, reboot_required: false }
  await run(vnishDevice, device.io(), 'setPowerLimit', { watts: 2800 })
  const [body] = device.bodies('POST /api/v1/settings') as [{ miner: { overclock: Record<string, never> } }]
  const { preset, preset_switcher: steps, globals } = body!.miner.overclock as Record<string, Record<string, unknown>>
  t.alike([preset, steps?.top_preset, steps?.min_preset, globals], ['2800', '2800', '2550', { volt: 1270, freq: 555 }])
  const folder = await mkdtemp(join(tmpdir(), 'vnish-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const path = join(folder, 'firmware.bin')
  await writeFile(path, 'an image')
  const sha256 = createHash('sha256').update('an image').digest('hex')
  t.is((await miner.command('updateFirmware', { path, sha256 })).state, 'confirmed')
  await miner.later(120_000)
  t.is((await miner.command('factoryReset')).state, 'accepted')
})

test('limits are checked before anything is sent, and refusals are said', async (t) => {
  const miner = await operated(t, 'vnish/S19a Pro')
  const top = (await miner.read()).telemetry.limits!.powerW![1]
  for (const [command, params, code] of [
    ['setPowerLimit', { watts: 100 }, 'BAD_REQUEST'],
    ['setPowerLimit', { watts: top + 1 }, 'BAD_REQUEST'],
    ['setHashrateTarget', { ths: 500 }, 'BAD_REQUEST'],
    ['setPowerMode', { mode: 'high' }, 'DEVICE_UNSUPPORTED'],
    ['setPowerPercent', { percent: 120 }, 'BAD_REQUEST'],
    ['setFan', { mode: 'manual', dutyPct: 5 }, 'BAD_REQUEST'],
    ['setFan', { mode: 'auto', targetTempC: 95 }, 'BAD_REQUEST'],
    ['setFan', { minFans: 9 }, 'BAD_REQUEST'],
    ['setTimezone', { timezone: 'Mars', zonename: 'x' }, 'BAD_REQUEST'],
    ['setPassword', { password: 'x', account: 'root' }, 'DEVICE_UNSUPPORTED'],
  ] as const)
    t.is((await failure(miner.command(command, params))).code, code, `${command} ${JSON.stringify(params)}`)
  await miner.farm.setFault(0, { kind: 'refusedWrite' })
  for (const [command, params] of [
    ['suspend', {}],
    ['setPools', { pools }],
    ['setPowerLimit', { watts: top }],
    ['setLed', { on: true }],
    ['reboot', {}],
  ] as const) {
    const refused = await failure(miner.command(command, params))
    t.is(refused.code, 'DEVICE_REFUSED', command)
    t.ok(refused.message.includes('the miner is busy'), command)
  }
})
