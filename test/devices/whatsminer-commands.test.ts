import { createHash, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import test, { type Assertions } from 'brittle'
import { type Device, execute, type Io, miners } from '#devices'
import { type CommandName, commands, SdkError } from '#model'
import { containerCommands } from '../../src/model/container-commands.js'
import { BtminerDevice, frame, handled, ioTo, type V2Options, V3Device, type V3Options } from './whatsminer-device.js'

const whatsminer = miners.find(({ make, family }) => make === 'MicroBT' && family === 'stock') as Device
const whatsminerV3 = miners.find(({ make, family }) => make === 'MicroBT' && family === 'stock-v3') as Device
const admin = [{ username: 'admin', password: 'admin' }]
const ok = { STATUS: [{ STATUS: 'S', When: 1, Code: 11, Msg: '', Description: '' }] }
const api = (Msg: unknown) => ({ STATUS: 'S', When: 1, Code: 131, Msg, Description: '' })
const refused = (Code: number, Msg: string) => ({ STATUS: 'E', When: 1, Code, Msg, Description: '' })

/** State that the writes change and the reads show, as far as these tests need it. */
interface State {
  model: string
  mode: string
  off: boolean
  limit: number
  led: string
  hostname: string
  elapsed: number
  uptime: number
  pools: { URL: string; User: string }[]
}
const fresh = (model: string): State => ({
  model,
  mode: 'Normal',
  off: false,
  limit: 3600,
  led: 'auto',
  hostname: 'a',
  elapsed: 5000,
  uptime: 9000,
  pools: [],
})

async function v2(t: Assertions, options: V2Options = {}, model = 'M30S+VE40') {
  const state = fresh(model)
  const device = await new BtminerDevice(
    {
      summary: () => ({
        ...ok,
        SUMMARY: [
          {
            'HS RT': 1e8,
            'Power Mode': state.mode,
            'Power Limit': state.limit,
            Elapsed: state.elapsed,
            Uptime: state.uptime,
          },
        ],
      }),
      edevs: { ...ok, DEVS: [] },
      pools: () => ({ ...ok, POOLS: state.pools }),
      devdetails: () => ({ ...ok, DEVDETAILS: [{ Model: state.model }] }),
      status: () => api({ mineroff: String(state.off) }),
      get_miner_info: () => api({ hostname: state.hostname, ledstat: state.led }),
      get_version: api({ api_ver: '2.0.5', fw_ver: '20230803.11.REL' }),
    },
    options,
  ).start(t)
  return { device, state, io: ioTo({ rpc: device.port }, admin) }
}

async function failure(promise: Promise<unknown>): Promise<SdkError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof SdkError) return error
    throw error
  }
  throw new Error('it did not fail')
}

test('a command is confirmed by what the device shows afterwards', async (t) => {
  const { device, state, io } = await v2(t)
  device.writes.power_off = () => {
    state.off = true
    return api('API command OK')
  }
  const receipt = await execute(whatsminer, io, 'suspend', {})
  t.is(receipt.state, 'confirmed')
  t.is(device.written[0]?.cmd, 'power_off')
  t.is(device.written[0]?.respbefore, 'true')
})

test('a mode change that cuts the connection is no failure: the read-back decides', async (t) => {
  const { device, state, io } = await v2(t)
  device.writes.set_low_power = () => {
    state.mode = 'Low'
    return undefined
  }
  const receipt = await execute(whatsminer, io, 'setPowerMode', { mode: 'low' })
  t.is(receipt.state, 'confirmed')
})

test('pools go out with all nine keys and are confirmed in order', async (t) => {
  const { device, state, io } = await v2(t)
  device.writes.update_pools = (command: Record<string, unknown>) => {
    state.pools = [1, 2, 3].map((place) => ({
      URL: String(command[`pool${place}`]),
      User: String(command[`worker${place}`]),
    }))
    return api('API command OK')
  }
  const pools = [
    { url: 'stratum+tcp://a:1', user: 'w.1', password: 'x' },
    { url: 'stratum+tcp://b:1', user: 'w.1' },
  ]
  const receipt = await execute(whatsminer, io, 'setPools', { pools })
  t.is(receipt.state, 'confirmed')
  const { token, cmd, ...params } = device.written[0]!
  t.ok(token)
  t.is(cmd, 'update_pools')
  t.alike(params, {
    pool1: 'stratum+tcp://a:1',
    worker1: 'w.1',
    passwd1: 'x',
    pool2: 'stratum+tcp://b:1',
    worker2: 'w.1',
    passwd2: '',
    pool3: '',
    worker3: '',
    passwd3: '',
  })
})

const v2Writes: readonly [CommandName, object, Record<string, unknown>][] = [
  ['setTuningSpeed', { speed: 9 }, { cmd: 'adjust_upfreq_speed', upfreq_speed: '9' }],
  ['setFastBoot', { on: true }, { cmd: 'enable_btminer_fast_boot' }],
  ['setFastBoot', { on: false }, { cmd: 'disable_btminer_fast_boot' }],
  ['setWebPools', { on: true }, { cmd: 'enable_web_pools' }],
  ['setFan', { tempOffsetC: -10 }, { cmd: 'set_temp_offset', temp_offset: '-10' }],
  ['setFan', { zeroSpeed: true }, { cmd: 'set_fan_zero_speed', fan_zero_speed: '1' }],
  ['setFan', { coolWhenOff: false }, { cmd: 'set_poweroff_cool', poweroff_cool: '0' }],
  [
    'setTimezone',
    { timezone: 'CST-8', zonename: 'Asia/Shanghai' },
    { cmd: 'set_zone', timezone: 'CST-8', zonename: 'Asia/Shanghai' },
  ],
  [
    'setLogServer',
    { host: '10.0.0.1', port: 514, proto: 'udp' },
    { cmd: 'load_log', ip: '10.0.0.1', port: '514', proto: 'udp' },
  ],
  ['setPassword', { password: 'new_pw1' }, { cmd: 'update_pwd', old: 'admin', new: 'new_pw1' }],
  ['factoryReset', {}, { cmd: 'factory_reset' }],
]

test('every command without a read-back goes out as the vendor wants it, and is only accepted', async (t) => {
  const { device, io } = await v2(t)
  for (const [name, input, expected] of v2Writes) {
    const receipt = await execute(whatsminer, io, name, input)
    t.is(receipt.state, 'accepted', name)
    const { token: _, ...sent } = device.written.at(-1)!
    t.alike(sent, expected, name)
  }
})

const v2Shown: readonly [CommandName, object, Record<string, unknown>, (state: State) => void][] = [
  ['reboot', {}, { cmd: 'reboot', respbefore: 'true' }, (state) => Object.assign(state, { uptime: 5, elapsed: 1 })],
  ['restartMiner', {}, { cmd: 'restart_btminer' }, (state) => Object.assign(state, { elapsed: 2 })],
  ['resume', {}, { cmd: 'power_on' }, (state) => Object.assign(state, { off: false })],
  ['setPowerMode', { mode: 'high' }, { cmd: 'set_high_power' }, (state) => Object.assign(state, { mode: 'High' })],
  [
    'setPowerMode',
    { mode: 'sleep' },
    { cmd: 'power_off', respbefore: 'true' },
    (state) => Object.assign(state, { off: true }),
  ],
  [
    'setPowerLimit',
    { watts: 3000 },
    { cmd: 'adjust_power_limit', power_limit: '3000' },
    (state) => Object.assign(state, { limit: 3000 }),
  ],
  [
    'setLed',
    { on: true },
    { cmd: 'set_led', color: 'red', period: 200, duration: 100, start: 0 },
    (state) => Object.assign(state, { led: '0,200,100,0 ' }),
  ],
  ['setLed', { on: false }, { cmd: 'set_led', param: 'auto' }, (state) => Object.assign(state, { led: 'auto' })],
  [
    'setHostname',
    { hostname: 'rig-7' },
    { cmd: 'set_hostname', hostname: 'rig-7' },
    (state) => Object.assign(state, { hostname: 'rig-7' }),
  ],
]

test('every command with a read-back is confirmed when the device shows it', async (t) => {
  for (const [name, input, expected, change] of v2Shown) {
    const { device, state, io } = await v2(t)
    device.writes[String(expected.cmd)] = () => {
      change(state)
      return api('API command OK')
    }
    const receipt = await execute(whatsminer, io, name, input)
    t.is(receipt.state, 'confirmed', name)
    const { token: _, ...sent } = device.written.at(-1)!
    t.alike(sent, expected, name)
    await device.stop()
  }
})

test('a sleeping miner is switched on before its mode is set', async (t) => {
  const { device, state, io } = await v2(t)
  state.off = true
  device.writes.power_on = () => {
    state.off = false
    return api('OK')
  }
  device.writes.set_high_power = () => {
    state.mode = 'High'
    return api('OK')
  }
  const receipt = await execute(whatsminer, io, 'setPowerMode', { mode: 'high' })
  t.is(receipt.state, 'confirmed')
  t.alike(
    device.written.map(({ cmd }) => cmd),
    ['power_on', 'set_high_power'],
  )
})

const outOfLimits: readonly [model: string, CommandName, object][] = [
  ['M30S+VE40', 'setPowerPercent', { percent: 150 }],
  ['M30S+VE40', 'setPowerPercent', { percent: 0 }],
  ['M56SVH30', 'setPowerPercent', { percent: 0 }],
  ['M30S+VE40', 'setFrequencyPercent', { percent: 5 }],
  ['M30S+VE40', 'setPowerLimit', { watts: 0 }],
  ['M30S+VE40', 'setTuningSpeed', { speed: 10 }],
  ['M56SVH30', 'setFan', { zeroSpeed: true }],
  ['M30S+VE40', 'setFan', { mode: 'manual', dutyPct: 50 }],
  ['M30S+VE40', 'setPassword', { password: 'too-long-or-odd' }],
  ['M30S+VE40', 'setPassword', { password: 'fine', account: 'user1' }],
  ['M30S+VE40', 'updateFirmware', { path: '/does/not/exist', sha256: '0'.repeat(64) }],
]

test('what the model cannot take is refused with the reason before anything is sent', async (t) => {
  for (const [model, name, input] of outOfLimits) {
    const { device, io } = await v2(t, {}, model)
    const error = await failure(execute(whatsminer, io, name, input))
    t.is(error.code, 'BAD_REQUEST', `${model} ${name} ${JSON.stringify(input)}: ${error.message}`)
    t.is(device.written.length, 0)
    await device.stop()
  }
})

test('a liquid-cooled model takes more than 100 percent', async (t) => {
  const { device, io } = await v2(t, {}, 'M56S_VH30')
  const receipt = await execute(whatsminer, io, 'setPowerPercent', { percent: 120 }, { dryRun: true })
  t.is(receipt.state, 'accepted')
  t.is(device.written.length, 0, 'a dry run sends nothing')
})

test('one token serves many commands and is renewed once when the device forgets it', async (t) => {
  const { device, io } = await v2(t)
  await execute(whatsminer, io, 'setWebPools', { on: true })
  await execute(whatsminer, io, 'setWebPools', { on: false })
  t.is(device.tokens, 1)
  device.challenge.newsalt = 'kowEj187'
  await execute(whatsminer, io, 'setWebPools', { on: true })
  t.is(device.tokens, 2)
  t.is(device.written.length, 3)
})

test('a token that is never accepted is not fetched for ever', async (t) => {
  const { device, io } = await v2(t)
  device.writes.enable_web_pools = refused(135, 'check token err')
  const error = await failure(execute(whatsminer, io, 'setWebPools', { on: true }))
  t.is(error.code, 'DEVICE_AUTH')
  t.is(device.tokens, 2)
})

test('the passwords are tried in order with one token, and the right one is kept', async (t) => {
  const { device } = await v2(t, { password: 'right' })
  const credentials = ['wrong', 'right', 'admin'].map((password) => ({ username: 'admin', password }))
  const io: Io = ioTo({ rpc: device.port }, credentials)
  await execute(whatsminer, io, 'setWebPools', { on: true })
  t.is(device.tokens, 1)
  const before = device.connections
  await execute(whatsminer, io, 'setPassword', { password: 'next' })
  t.is(device.written.at(-1)?.old, 'right')
  t.is(device.connections - before, 7, 'six reads, one write')
})

test('no password that fits is said so, without naming any', async (t) => {
  const { device } = await v2(t, { password: 'right' })
  const error = await failure(execute(whatsminer, ioTo({ rpc: device.port }, admin), 'setWebPools', { on: true }))
  t.is(error.code, 'DEVICE_AUTH')
  t.absent(JSON.stringify(error).includes('admin'))
})

const refusals: readonly [reply: unknown, code: string][] = [
  [refused(45, "can't access write cmd"), 'DEVICE_WRITE_DISABLED'],
  [refused(45, 'permission denied'), 'DEVICE_WRITE_DISABLED'],
  [refused(132, 'API parse pools param error'), 'DEVICE_REFUSED'],
  [refused(14, 'invalid cmd'), 'DEVICE_UNSUPPORTED'],
  [refused(136, 'over max connect'), 'DEVICE_BUSY'],
]

test('each refusal has its code and keeps what the vendor said', async (t) => {
  for (const [reply, code] of refusals) {
    const { device, io } = await v2(t)
    device.writes.enable_web_pools = reply
    const error = await failure(execute(whatsminer, io, 'setWebPools', { on: true }))
    t.is(error.code, code)
    t.ok(error.message.includes((reply as { Msg: string }).Msg), error.message)
    await device.stop()
  }
})

test('plain and twice encoded refusals are read like sealed ones', async (t) => {
  const { device, io } = await v2(t)
  device.writes.enable_web_pools = (_: unknown, socket: { write(text: string): void; end(): void }) => {
    socket.write(JSON.stringify(refused(45, "can't access write cmd")))
    socket.end()
    return handled
  }
  device.writes.disable_web_pools = (_: unknown, socket: { write(text: string): void; end(): void }) => {
    socket.write(JSON.stringify(device.seal(refused(132, 'no'))))
    socket.end()
    return handled
  }
  t.is((await failure(execute(whatsminer, io, 'setWebPools', { on: true }))).code, 'DEVICE_WRITE_DISABLED')
  t.is((await failure(execute(whatsminer, io, 'setWebPools', { on: false }))).code, 'DEVICE_REFUSED')
})

test('logs are fetched whole, also when header and archive come in one piece', async (t) => {
  const { device, io } = await v2(t)
  const archive = randomBytes(70_000)
  device.writes.download_logs = (_: unknown, socket: { write(bytes: Buffer): void }) => {
    const header = Buffer.from(device.seal(api({ logfilelen: String(archive.length) })))
    socket.write(Buffer.concat([header, archive]))
    return handled
  }
  const receipt = await execute(whatsminer, io, 'getLogs', {})
  const { base64, bytes } = receipt.result as { base64: string; bytes: number }
  t.is(bytes, archive.length)
  t.ok(Buffer.from(base64, 'base64').equals(archive))
})

async function firmware(t: Assertions) {
  const path = join(await t.tmp(), 'firmware.bin')
  const file = randomBytes(100_000)
  await writeFile(path, file)
  return { path, file, sha256: createHash('sha256').update(file).digest('hex') }
}

/** Takes length and file off the socket, then calls back with the file. */
function takeFile(socket: Socket, done: (file: Buffer) => void) {
  let bytes = Buffer.alloc(0)
  socket.removeAllListeners('data')
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
    if (bytes.length >= 4 && bytes.length === 4 + bytes.readUInt32LE()) done(bytes.subarray(4))
  })
}

test('firmware is sent after the device said ready, and only the file that was meant', async (t) => {
  const { device, io } = await v2(t)
  const { path, file, sha256 } = await firmware(t)
  let taken: Buffer | undefined
  device.writes.update_firmware = (_: unknown, socket: Socket) => {
    socket.write(device.seal(api('ready')))
    takeFile(socket, (bytes) => {
      taken = bytes
      socket.write(device.seal(api('API command OK')))
    })
    return handled
  }
  await execute(whatsminer, io, 'updateFirmware', { path, sha256 })
  t.ok(taken?.equals(file))
  const error = await failure(execute(whatsminer, io, 'updateFirmware', { path, sha256: 'a'.repeat(64) }))
  t.is(error.code, 'BAD_REQUEST')
})

async function v3(t: Assertions, options: V3Options = {}, type = 'M60S_VK40') {
  const state = { working: 'true', mode: 'normal', pools: [] as object[], led: 'auto' as unknown, hostname: 'a' }
  const fine = (cmd: string, msg: unknown) => ({ code: 0, when: 1, msg, desc: cmd })
  const device = await new V3Device(
    {
      'get.device.info': () =>
        fine('get.device.info', {
          miner: { type, working: state.working },
          system: { api: '3.0.1', ledstatus: state.led },
          network: { hostname: state.hostname, proto: 'dhcp' },
        }),
      'get.miner.status': () =>
        fine('get.miner.status', {
          summary: { 'hash-realtime': 180, 'bootup-time': 900 },
          pools: state.pools,
          edevs: [],
        }),
      'get.miner.setting': () => fine('get.miner.setting', { 'power-mode': state.mode, 'power-limit': 3400 }),
    },
    options,
  ).start(t)
  return { device, state, io: ioTo({ v3: device.port }, [{ username: 'super', password: 'super' }]) }
}

test('v3: signed commands are taken and confirmed', async (t) => {
  const { device, state, io } = await v3(t)
  const took = (change: () => void) => (request: Record<string, unknown>) => {
    change()
    return { code: 0, when: 1, msg: 'ok', desc: request.cmd }
  }
  device.writes['set.miner.service'] = (request: Record<string, unknown>) =>
    took(() => Object.assign(state, { working: String(request.param === 'start') }))(request)
  device.writes['set.miner.power_mode'] = (request: Record<string, unknown>) =>
    took(() => Object.assign(state, { mode: request.param }))(request)
  device.writes['set.miner.pools'] = (request: { cmd: string; param: { pool: string; worker: string }[] }) =>
    took(() =>
      Object.assign(state, { pools: request.param.map(({ pool, worker }) => ({ url: pool, account: worker })) }),
    )(request)
  t.is((await execute(whatsminerV3, io, 'suspend', {})).state, 'confirmed')
  t.is((await execute(whatsminerV3, io, 'setPowerMode', { mode: 'low' })).state, 'confirmed')
  t.alike(
    device.written.map(({ cmd, param }) => [cmd, param]),
    [
      ['set.miner.service', 'stop'],
      ['set.miner.service', 'start'],
      ['set.miner.power_mode', 'low'],
    ],
  )
  const pools = [{ url: 'stratum+tcp://a:1', user: 'w.1', password: 'x' }]
  t.is((await execute(whatsminerV3, io, 'setPools', { pools })).state, 'confirmed')
  t.alike(device.written.at(-1)?.param, [{ pool: 'stratum+tcp://a:1', worker: 'w.1', passwd: 'x' }])
  t.is(device.salts, 1, 'the salt is kept')
})

const v3Writes: readonly [CommandName, object, cmd: string, param: unknown][] = [
  ['setTuningSpeed', { speed: 10 }, 'set.miner.upfreq_speed', 10],
  ['setFastBoot', { on: true }, 'set.miner.fastboot', 'enable'],
  ['setWebPools', { on: false }, 'set.system.webpools', 'disable'],
  ['setFan', { tempOffsetC: -5 }, 'set.fan.temp_offset', -5],
  ['setFan', { zeroSpeed: true }, 'set.fan.zero_speed', 1],
  ['setFan', { coolWhenOff: true }, 'set.fan.poweroff_cool', 1],
  ['setHeatMode', { mode: 'heating' }, 'set.miner.heat_mode', 'heating'],
  [
    'setTimezone',
    { timezone: 'CST-8', zonename: 'Asia/Shanghai' },
    'set.system.timezone',
    { timezone: 'CST-8', zonename: 'Asia/Shanghai' },
  ],
  [
    'setLogServer',
    { host: '10.0.0.1', port: 514, proto: 'tcp' },
    'set.log.upload',
    { ip: '10.0.0.1', port: '514', proto: 'tcp' },
  ],
  ['setPassword', { password: 'next1' }, 'set.user.change_passwd', { account: 'super', new: 'next1', old: 'super' }],
  ['factoryReset', {}, 'set.system.factory_reset', undefined],
]

test('v3: every command without a read-back goes out as the vendor wants it', async (t) => {
  const { device, io } = await v3(t)
  for (const [name, input, cmd, param] of v3Writes) {
    const receipt = await execute(whatsminerV3, io, name, input)
    t.is(receipt.state, 'accepted', name)
    t.alike([device.written.at(-1)?.cmd, device.written.at(-1)?.param], [cmd, param], name)
  }
})

test('v3: a salt that has changed is fetched again, the accounts are tried in order', async (t) => {
  const { device } = await v3(t, { password: 'right' })
  const io = ioTo({ v3: device.port }, [
    { username: 'super', password: 'super' },
    { username: 'super', password: 'right' },
  ])
  t.is((await execute(whatsminerV3, io, 'setWebPools', { on: true })).state, 'accepted')
  device.options.salt = 'uhCiDyVj'
  t.is((await execute(whatsminerV3, io, 'setWebPools', { on: true })).state, 'accepted')
  t.is(device.written.length, 2)
})

test('v3: a wrong password and a switched-off API are told apart', async (t) => {
  const wrong = await v3(t, { password: 'other' })
  t.is((await failure(execute(whatsminerV3, wrong.io, 'setWebPools', { on: true }))).code, 'DEVICE_AUTH')
  const off = await v3(t, { apiSwitch: false })
  t.is((await failure(execute(whatsminerV3, off.io, 'setWebPools', { on: true }))).code, 'DEVICE_WRITE_DISABLED')
})

test('v3: commands are signed with the clock of the device', async (t) => {
  const { device, io } = await v3(t)
  const ahead = {
    ...io,
    clock: { ...io.clock, now: () => Date.now() + 86_400_000, hr: io.clock.hr, after: io.clock.after },
  }
  t.is((await execute(whatsminerV3, ahead, 'setWebPools', { on: true })).state, 'accepted')
  t.is(device.written.length, 1)
})

test('v3: logs and firmware pass on the same connection as their announcement', async (t) => {
  const { device, io } = await v3(t)
  const archive = randomBytes(50_000)
  device.writes['get.log.download'] = () =>
    Buffer.concat([
      frame({ code: 0, when: 1, msg: { logsize: String(archive.length) }, desc: 'get.log.download' }),
      archive,
    ])
  const { result } = await execute(whatsminerV3, io, 'getLogs', {})
  t.ok(Buffer.from((result as { base64: string }).base64, 'base64').equals(archive))

  const { path, file, sha256 } = await firmware(t)
  let taken: Buffer | undefined
  device.writes['set.system.update_firmware'] = (_: unknown, socket: Socket) => {
    socket.write(frame({ code: 0, when: 1, msg: 'ready', desc: 'set.system.update_firmware' }))
    takeFile(socket, (bytes) => {
      taken = bytes
      socket.write(frame({ code: 0, when: 1, msg: 'ok', desc: 'set.system.update_firmware' }))
    })
    return handled
  }
  await execute(whatsminerV3, io, 'updateFirmware', { path, sha256 })
  t.ok(taken?.equals(file))
})

test('all commands of the vocabulary that these protocols know are there', (t) => {
  const without = (names: readonly string[]) =>
    Object.keys(commands)
      .filter((name) => !names.includes(name) && !Object.hasOwn(containerCommands, name))
      .sort()
  t.alike(Object.keys(whatsminer.commands).sort(), without(['setHashrateTarget', 'setHeatMode']))
  t.alike(Object.keys(whatsminerV3.commands).sort(), without(['setHashrateTarget']))
})
