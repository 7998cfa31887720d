import test from 'brittle'
import { identify, miners, observe } from '#devices'
import { luxos } from '../../src/devices/miners/luxos.js'
import { HurriedClock } from '../support/fake-clock.js'
import { capture, FakeMiner, failure, flaw, run } from './fake-miner.js'
import { operated } from './simulated.js'

const names = ['config', 'devs', 'events', 'fans', 'pools', 'power', 'profiles', 'stats', 'summary', 'temps', 'version']
const perBoard = ['healthchipget', 'voltageget']
const file = (name: string) => capture(`luxos/v1/${name}.json`)
const unknown = { STATUS: [{ STATUS: 'E', Code: 14, Msg: 'Invalid command', Description: 'LUXminer 2025' }], id: 1 }

/** The captured S19k Pro; it takes joined commands unless told otherwise. */
async function replayed(t: { teardown(close: () => unknown): void }, joins = true) {
  const device = await new FakeMiner().start(t)
  for (const name of names) device.rpc[name] = file(name)
  for (const name of perBoard) for (const board of [0, 1, 2]) device.rpc[`${name} ${board}`] = file(`${name}_${board}`)
  device.unknown = ({ command }: { command: string }) =>
    joins && command.includes('+')
      ? Object.fromEntries(command.split('+').map((name) => [name, [device.rpc[name] ?? unknown]]))
      : unknown
  const clock = new HurriedClock()
  return { device, clock, io: (more = {}) => device.io({ clock, ...more }) }
}

test('a captured S19k Pro is read in our units, all in one connection but what is asked by board', async (t) => {
  const { device, io } = await replayed(t)
  const expected = file('expected')
  const { telemetry: now, missing, model } = await observe(luxos, io())
  t.alike([now.model, now.variant, model?.chips, model?.fans], ['S19k Pro', undefined, 77, 4])
  t.alike([now.mac, now.serial], [expected.mac.toUpperCase(), expected.serial_number])
  t.alike([now.hostname, now.apiVersion, now.firmwareVersion], [expected.hostname, '3.7', expected.fw_version])
  t.alike([now.controlBoard, now.psu?.model], ['cvitek', 'APW121215e'])
  t.alike(now.network, { dhcp: true, ip: '192.168.86.46', netmask: '255.255.255.0', gateway: '192.168.86.1' })
  t.alike([now.hashrateThs, now.hashrate1mThs, now.hashrateAvgThs], [59.75606, 60.82948, 56.91791])
  t.alike([now.hashrate30mThs, now.hashrate24hThs], [61.15422, undefined], 'it has not been on for a day')
  t.alike([now.expectedHashrateThs, now.nominalHashrateThs], [61.9542, 121.8])
  t.alike([now.powerW, now.powerLimitW], [expected.power_w, expected.tuning_target.value.watts])
  t.alike(now.tuning, { mode: 'custom', targetW: 1188, targetThs: 59.8, preset: '290MHz', tuned: true })
  t.alike([now.limits?.powerW, now.limits?.presets?.length], [[784, 4195], 25])
  t.alike(
    now.boards?.map(({ slot, serial, chips, expectedChips }) => [slot, serial, chips, expectedChips]),
    [
      [0, 'JYZZYRSBDJEBI06Z5', 77, 77],
      [1, 'JYZZYRSBDJEBI06ZM', 77, 77],
      [2, 'JYZZYRSBDJEBI06ZR', 77, 77],
    ],
  )
  const [board] = now.boards!
  t.alike([board?.hashrateThs, board?.voltageV, board?.frequencyMhz], [19.7738257169, 11.88, 300])
  t.alike([board?.boardTempC, board?.inletTempC, board?.outletTempC], [47, 34, 47])
  t.is(board?.chipMap, 'o'.repeat(77))
  t.alike(
    now.fans?.map(({ rpm, dutyPct }) => [rpm, dutyPct]),
    [
      [1920, 20],
      [1920, 20],
      [2340, 20],
      [2340, 20],
    ],
  )
  t.is(now.pools?.length, 4)
  t.alike(
    now.pools?.map(({ alive, active, lastShareAt }) => [alive, active, lastShareAt !== undefined]),
    [
      [true, true, true],
      [false, false, false],
      [true, true, true],
      [false, false, false],
    ],
  )
  t.alike([now.acceptedShares, now.rejectedShares, now.bestShare, now.miningUptimeS], [1483, 1, 32768, 3453])
  t.alike([now.led, now.asleep, now.tuningNow], ['off', false, true])
  t.alike(
    now.errors?.map(({ code, vendorCode, severity, index }) => [code, vendorCode, severity, index ?? null]),
    [
      ['nopic-protection', 'NOPIC_PROTECTION', 'info', null],
      ['board-not-hashing', 'REBOOT_NOT_HASHING', 'info', 0],
    ],
    'events of two days ago are told, and are no findings any more',
  )
  t.alike(missing, {})
  t.is(flaw(now), undefined)
  t.is(device.asked.length, 1 + 6)
})

test('a build that joins no commands is asked one by one; the boards again only after minutes', async (t) => {
  const { device, io } = await replayed(t, false)
  const one = io()
  const { telemetry: now, missing } = await observe(luxos, one)
  t.alike([now.powerW, now.boards?.[2]?.voltageV, now.boards?.[2]?.chipMap?.length], [1051, 11.88, 77])
  t.alike(missing, {})
  const before = device.asked.length
  await observe(luxos, one, { fresh: true })
  t.alike(
    device
      .commands()
      .slice(before)
      .filter((name) => /get/.test(name)),
    [],
    'however often it is wanted',
  )
  t.is(
    device
      .commands()
      .slice(before)
      .filter((name) => name.includes('+')).length,
    0,
  )
})

test('where joined answers break off twice it is asked one by one for a while', async (t) => {
  const { device, io } = await replayed(t)
  const joined = device.unknown
  device.unknown = ({ command }: { command: string }) => (command.includes('+') ? '{"summary":[{"STATUS":[' : unknown)
  const one = io()
  for (let visit = 0; visit < 2; visit++) await failure(observe(luxos, one, { fresh: true }))
  t.is((await observe(luxos, one, { fresh: true })).telemetry.powerW, 1051)
  const later = new HurriedClock(1_800_000_700_000)
  device.unknown = joined
  const before = device.asked.length
  await observe(luxos, { ...one, clock: later }, { fresh: true })
  t.ok(device.commands()[before]!.includes('+'), 'then it is tried again')
})

test('between two connections there is a second, and a refused one leaves it in peace', async (t) => {
  const { device, clock, io } = await replayed(t)
  const at: number[] = []
  const voltage = file('voltageget_0')
  for (const board of [0, 1, 2])
    device.rpc[`voltageget ${board}`] = () => {
      at.push(clock.hr())
      return voltage
    }
  await observe(luxos, io())
  t.ok(
    at.every((each, i) => i === 0 || each - at[i - 1]! >= 1000),
    `${at}`,
  )
  await device.stopRpc()
  const gone = io({ ports: { ...device.ports, rpc: 1 } })
  t.is((await failure(observe(luxos, gone))).code, 'DEVICE_UNREACHABLE')
  const again = await failure(observe(luxos, gone))
  t.ok(/left in peace/.test(again.message), again.message)
})

test('what it reports is told: states, heat, bad chips, boards that are off or dead', async (t) => {
  const { device, io } = await replayed(t)
  const config = file('config')
  Object.assign(config.CONFIG[0], { SystemStatus: 'Fan failure', FeeStatus: 'Disconnected' })
  const chips = file('healthchipget_1')
  for (const chip of [3, 4, 5]) chips.CHIPS[chip].Healthy = 'N'
  const devs = file('devs')
  devs.DEVS[0].IsUserShutdown = true
  devs.DEVS[2].Status = 'Dead'
  const events = file('events')
  events.EVENTS[0] = {
    Code: 'FAN_LOST',
    CreatedAt: '2026-04-09T17:30:00Z',
    Description: 'Fan 2 lost.',
    Target: 'MINER',
  }
  Object.assign(device.rpc, {
    config,
    devs,
    events,
    'healthchipget 1': chips,
    tempctrl: { STATUS: [{ STATUS: 'S' }], TEMPCTRL: [{ Mode: 'Automatic', Target: 40, Hot: 45, Dangerous: 47 }] },
  })
  const { telemetry: now } = await observe(luxos, io())
  t.alike(
    now.boards?.map(({ status }) => status),
    ['ok', 'error', 'disabled'],
  )
  const found = now.errors!.map(({ code, severity, index }) => `${code} ${severity} ${index ?? ''}`.trim())
  for (const wanted of [
    'fan high',
    'system-status high',
    'fee low',
    'chips-unhealthy medium 1',
    'board-hot critical 0',
    'board-not-hashing high 1',
  ])
    t.ok(found.includes(wanted), `${wanted} in ${found.join(', ')}`)
  t.is(now.boards?.[1]?.chipMap?.indexOf('x'), 3)
  t.is(now.fanSetting?.targetTempC, 40)
})

test('curtailed, or with its power supply off, it is asleep; an immersion build has no fans', async (t) => {
  const { device, io } = await replayed(t)
  for (const [change, asleep] of [
    [{ CurtailMode: 'Sleep' }, true],
    [{ IsPowerSupplyOn: false }, true],
    [{}, false],
  ] as const) {
    device.rpc.config = { ...file('config'), CONFIG: [{ ...file('config').CONFIG[0], ...change }] }
    t.is((await observe(luxos, io())).telemetry.asleep, asleep)
  }
  device.rpc.config = { ...file('config'), CONFIG: [{ ...file('config').CONFIG[0], ImmersionMode: true }] }
  const { telemetry, model } = await observe(luxos, io())
  t.alike([telemetry.variant, model?.fans, model?.chips], ['immersion', 0, 77])
})

test('it is told by its RPC; where its page says another firmware it is unknown', async (t) => {
  const { device, io } = await replayed(t)
  const { device: found, match } = await identify(miners, io())
  t.is(found, luxos)
  t.alike([match?.confidence, match?.model, match?.firmware], [1, 'S19k Pro', '2025.4.8.220305'])
  device.http['GET /'] = '<html><meta name="firmware" content="AnthillOS"></html>'
  const { device: none, seen } = await identify(miners, io())
  t.is(none, undefined)
  t.ok(seen.some((line) => line.includes('LUXminer')) && seen.some((line) => line.includes('AnthillOS')))
  device.http['GET /'] = '<html><title>Luxor Firmware</title></html>'
  delete device.rpc.version
  t.alike((await identify(miners, io())).match?.confidence, 0.8)
})

/** Its answers to writes, with one session for all the world. */
function writable(device: FakeMiner) {
  const state = { holder: '', given: 0, refuse: false }
  const said = (letter: string, Code: number, Msg: string, more = {}) => ({
    STATUS: [{ STATUS: letter, Code, Msg }],
    ...more,
    id: 1,
  })
  device.rpc.logon = () => {
    if (state.holder) return said('E', 402, 'Another session is active')
    state.holder = `s${++state.given}`
    return said('S', 316, 'Session created', { SESSION: [{ SessionID: state.holder }] })
  }
  const within = (act: () => unknown) => (request: Record<string, unknown>) =>
    String(request.parameter).split(',')[0] === state.holder ? act() : said('E', 401, 'Invalid session id')
  device.rpc.logoff = within(() => {
    state.holder = ''
    return said('S', 317, 'Session terminated')
  })
  device.rpc.ledset = within(() => (state.refuse ? said('E', 400, 'no LED') : said('S', 341, 'LED set')))
  return state
}

test('the session is taken for one order and given back, kept when that fails, renewed when it ran out', async (t) => {
  const { device, io } = await replayed(t)
  const state = writable(device)
  const one = io()
  await run(luxos, one, 'setLed', { on: true })
  t.alike([state.holder, state.given], ['', 1])
  state.refuse = true
  t.is((await failure(run(luxos, one, 'setLed', { on: true }))).message, 'no LED')
  t.is(state.holder, '', 'given back also after a refusal')
  state.refuse = false
  const logoff = device.rpc.logoff
  device.rpc.logoff = unknown
  await run(luxos, one, 'setLed', { on: true })
  t.is(state.holder, 's3', 'it could not be given back')
  device.rpc.logoff = logoff
  await run(luxos, one, 'setLed', { on: true })
  t.alike([state.holder, state.given], ['', 3], 'the one that was kept was used')
  device.rpc.logoff = unknown
  await run(luxos, one, 'setLed', { on: true })
  state.holder = ''
  device.rpc.logoff = logoff
  await run(luxos, one, 'setLed', { on: true })
  t.alike([state.holder, state.given], ['', 5], 'it had run out and was renewed')
})

test('the session of somebody else is never taken over', async (t) => {
  const { device, io } = await replayed(t)
  const state = writable(device)
  state.holder = 'theirs'
  const refused = await failure(run(luxos, io(), 'setLed', { on: true }))
  t.is(refused.code, 'DEVICE_BUSY')
  t.ok(/somebody else/.test(refused.message))
  t.absent(device.commands().some((name) => /^(kill|session)/.test(name)))
})

const pools = [
  { url: 'stratum+tcp://new-a.example:3333', user: 'acct.1', password: 'p' },
  { url: 'stratum+tcp://new-b.example:3333', user: 'acct.1' },
]

test('every command is confirmed by the simulator, or accepted where nothing shows it', async (t) => {
  const miner = await operated(t, 'luxos/S19k Pro')
  const { machine } = miner.device
  t.is((await miner.command('suspend')).state, 'confirmed')
  t.is(machine.physics.drive.awake, false)
  t.is((await miner.command('resume')).state, 'confirmed')
  t.is((await miner.command('setPowerLimit', { watts: 2000 })).state, 'confirmed')
  const { tuning } = (await miner.read()).telemetry
  t.ok(tuning!.targetW! <= 2000 && tuning!.targetW! > 1800, `${tuning?.targetW} W`)
  t.is((await miner.command('setHashrateTarget', { ths: 100 })).state, 'confirmed')
  t.ok((await miner.read()).telemetry.tuning!.targetThs! >= 100)
  t.is((await miner.command('setPowerMode', { mode: 'sleep' })).state, 'confirmed')
  t.is((await miner.command('setPowerMode', { mode: 'normal' })).state, 'confirmed')
  t.alike([machine.physics.drive.awake, (await miner.read()).telemetry.tuning?.preset], [true, 'default'])
  t.is((await miner.command('setLed', { on: true })).state, 'confirmed')
  t.is((await miner.command('setLed', { on: false })).state, 'confirmed')
  t.is((await miner.command('setFan', { mode: 'manual', dutyPct: 70 })).state, 'confirmed')
  t.is((await miner.command('setFan', { mode: 'auto', targetTempC: 60, minFans: 2 })).state, 'confirmed')
  await miner.later(600_000)
  t.is((await miner.command('restartMiner')).state, 'confirmed')
  await miner.later(600_000)
  t.is((await miner.command('reboot')).state, 'confirmed')
  await miner.later(120_000)
  t.is((await miner.command('factoryReset')).state, 'accepted')
})

test('pools are replaced while an old one goes on giving work, also where an address stays', async (t) => {
  const miner = await operated(t, 'luxos/S19j Pro+')
  const { machine } = miner.device
  t.is((await miner.command('setPools', { pools })).state, 'confirmed')
  const urls = () => machine.pools.entries.map(({ url, user }) => `${url} ${user}`)
  t.alike(urls(), ['stratum+tcp://new-a.example:3333 acct.1', 'stratum+tcp://new-b.example:3333 acct.1'])
  const renamed = [
    { ...pools[1]!, user: 'acct.2' },
    { url: 'stratum+tcp://c.example:3333', user: 'acct.2' },
  ]
  t.is((await miner.command('setPools', { pools: renamed })).state, 'confirmed')
  t.alike(urls(), ['stratum+tcp://new-b.example:3333 acct.2', 'stratum+tcp://c.example:3333 acct.2'])
  const same = renamed.map((pool) => ({ ...pool, user: 'acct.3' }))
  t.is((await miner.command('setPools', { pools: same })).state, 'confirmed', 'all addresses stay')
  await miner.farm.setFault(0, { kind: 'poolDead', index: 0 })
  const others = pools.map((pool, at) => ({ ...pool, url: `stratum+tcp://other-${at}.example:3333` }))
  const refused = await failure(miner.command('setPools', { pools: others }))
  t.is(refused.code, 'DEVICE_REFUSED')
  t.ok(/Cannot remove active pool.*still in use/.test(refused.message), refused.message)
})

test('limits are checked before anything is sent, and refusals are said', async (t) => {
  const miner = await operated(t, 'luxos/S19k Pro')
  for (const [command, params, code] of [
    ['setPowerLimit', { watts: 100 }, 'BAD_REQUEST'],
    ['setPowerLimit', { watts: 9000 }, 'BAD_REQUEST'],
    ['setHashrateTarget', { ths: 500 }, 'BAD_REQUEST'],
    ['setPowerMode', { mode: 'high' }, 'DEVICE_UNSUPPORTED'],
    ['setFan', { minFans: 9 }, 'BAD_REQUEST'],
    ['setFan', { zeroSpeed: true }, 'DEVICE_UNSUPPORTED'],
    ['setPools', { pools: [{ ...pools[0]!, user: 'a,b' }] }, 'BAD_REQUEST'],
    ['setPools', { pools: [pools[0]!, { ...pools[0]!, user: 'b' }] }, 'BAD_REQUEST'],
    ['setHostname', { hostname: 'x' }, 'DEVICE_UNSUPPORTED'],
  ] as const)
    t.is((await failure(miner.command(command, params))).code, code, `${command} ${JSON.stringify(params)}`)
  await miner.farm.setFault(0, { kind: 'refusedWrite' })
  for (const [command, params] of [
    ['suspend', {}],
    ['setPools', { pools }],
    ['setPowerLimit', { watts: 2500 }],
    ['setLed', { on: true }],
    ['reboot', {}],
  ] as const) {
    const refused = await failure(miner.command(command, params))
    t.alike([refused.code, refused.message], ['DEVICE_REFUSED', 'The miner is busy'], command)
  }
})
