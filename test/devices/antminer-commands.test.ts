import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'brittle'
import fc from 'fast-check'
import { execute, type Io } from '#devices'
import { type CommandName, SdkError, systemClock } from '#model'
import { web } from '../../src/devices/kit/bitmain.js'
import { antminerStock } from '../../src/devices/miners/antminer.js'
import { parseConf, writeConf } from '../../src/devices/miners/antminer-settings.js'
import { AntminerDevice, asS19, capture, type Seen } from './antminer-device.js'

const pool = (n: number) => ({ url: `stratum+tcp://new${n}.example.com:3333`, user: `acct.${n}` })

/** A clock on which the time between two writes is over at once. */
function hurried() {
  let ahead = 0
  return { ...systemClock, now: () => Date.now() + ahead, skip: (ms: number) => (ahead += ms) }
}

function run(io: Io, command: CommandName, params: unknown = {}) {
  return execute(antminerStock, io, command, params)
}

async function failure(call: Promise<unknown>): Promise<SdkError> {
  try {
    await call
  } catch (error) {
    if (error instanceof SdkError) return error
    throw error
  }
  throw new Error('it did not fail')
}

const posts = (device: AntminerDevice) => device.seen.filter(({ method }) => method === 'POST')
const written = (device: AntminerDevice) => JSON.parse(posts(device).at(-1)!.body) as Record<string, never>

test('sleep and back: the whole configuration is written under the names to write, and read back', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const clock = hurried()
  const io = device.io({ clock })
  t.is((await run(io, 'setPowerMode', { mode: 'low' })).state, 'confirmed')
  clock.skip(31_000)
  t.is((await run(io, 'suspend')).state, 'confirmed')
  const conf = capture('s19_fleet/web_get_miner_conf.json')
  t.alike(written(device), {
    'bitmain-fan-ctrl': false,
    'bitmain-fan-pwm': '100',
    'bitmain-hashrate-percent': '0',
    'freq-level': '',
    'miner-mode': 1,
    'bitmain-work-mode': '1',
    pools: conf.pools,
  })
  clock.skip(31_000)
  t.is((await run(io, 'resume')).state, 'confirmed')
  t.is(written(device)['miner-mode'], 3, 'back to the mode it slept from')
})

test('two writes within half a minute are refused before anything is sent', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const io = device.io()
  await run(io, 'suspend')
  const error = await failure(run(io, 'resume'))
  t.is(error.code, 'DEVICE_BUSY')
  t.ok(/in \d+ s/.test(error.message))
  t.is(posts(device).length, 1)
})

test('what is so already is not written again, for every write restarts mining', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  t.is((await run(device.io(), 'setPowerMode', { mode: 'normal' })).state, 'confirmed')
  t.is(posts(device).length, 0)
})

test('pools: three places, known passwords stay, read back from the miner', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const conf = (device.cgi.get_miner_conf as () => { pools: Record<string, string>[] })()
  conf.pools[1]!.pass = 'kept'
  const kept = { url: conf.pools[1]!.url!, user: conf.pools[1]!.user! }
  const receipt = await run(device.io(), 'setPools', { pools: [{ ...pool(1), password: 'p1' }, kept] })
  t.is(receipt.state, 'confirmed')
  t.alike(written(device).pools, [
    { ...pool(1), pass: 'p1' },
    { ...kept, pass: 'kept' },
    { url: '', user: '', pass: '' },
  ])
})

test('a write whose reply is lost is decided by the read-back', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const apply = device.cgi.set_miner_conf as (seen: Seen) => unknown
  device.cgi.set_miner_conf = (seen: Seen) => {
    apply(seen)
    seen.socket.destroy()
  }
  t.is((await run(device.io(), 'setPools', { pools: [pool(1)] })).state, 'confirmed')
  t.is(posts(device).length, 1, 'a write is never sent twice')
})

test('a refused write says why, in words', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  device.cgi.set_miner_conf = { stats: 'error', code: 'M001', msg: 'Invalid pool!' }
  const error = await failure(run(device.io(), 'setPools', { pools: [pool(1)] }))
  t.is(error.code, 'DEVICE_REFUSED')
  t.ok(error.message.includes('configuration') && error.message.includes('Invalid pool!'))
  t.is(
    (await failure(run(device.io(), 'suspend'))).code,
    'DEVICE_REFUSED',
    'what was refused restarts nothing: no wait',
  )
})

test('a configuration that was not read whole is never written back', async (t) => {
  const conf = JSON.stringify(capture('s19_fleet/web_get_miner_conf.json'))
  const broken = ['', '<html>busy</html>', '{}', 'null', '[]', '{"pools":[]}', '{"stats":"error","code":"M001"}']
  broken.push(
    '{"pools":[{"url":"stratum+tcp://a:1","user":"b","pass":"x"}]}',
    '{"pools":[null],"bitmain-work-mode":"0"}',
  )
  for (let cut = 1; cut < conf.length; cut += 97) broken.push(conf.slice(0, cut))
  const device = await asS19(new AntminerDevice()).start(t)
  for (const reply of broken) {
    device.cgi.get_miner_conf = reply
    for (const [command, params] of [
      ['suspend', {}],
      ['setPools', { pools: [pool(1)] }],
    ] as const)
      t.ok(await failure(run(device.io(), command, params)), `${command} on ${reply.slice(0, 30)}`)
  }
  t.is(posts(device).length, 0)
})

test('whatever the configuration holds: what is written holds all of it, three pools and the change', (t) => {
  const text = fc.string({ maxLength: 12 })
  const onePool = fc.record({ url: text, user: text, pass: text })
  const confs = fc.record(
    {
      pools: fc.array(onePool, { minLength: 1, maxLength: 3 }),
      'bitmain-fan-ctrl': fc.boolean(),
      'bitmain-fan-pwm': fc.constantFrom('100', '60', 80),
      'bitmain-work-mode': fc.constantFrom('0', '1', 0, 1, 3),
      'bitmain-hashrate-percent': fc.constantFrom('100', '0'),
      'bitmain-freq-level': fc.constantFrom('100', '', 90),
      other: fc.jsonValue(),
    },
    { requiredKeys: ['pools', 'bitmain-fan-ctrl'] },
  )
  fc.assert(
    fc.property(confs, (raw) => {
      const conf = parseConf(raw)
      const out = writeConf(conf, { mode: 'sleep' })
      const pools = out.pools as { pass: string }[]
      const sameNames = ['bitmain-fan-ctrl', 'bitmain-fan-pwm', 'bitmain-hashrate-percent'] as const
      return (
        out['miner-mode'] === 1 &&
        Number(out['bitmain-work-mode']) === 1 &&
        pools.length === 3 &&
        raw.pools.every(({ pass }, at) => pools[at]!.pass === pass.trim()) &&
        sameNames.every((name) => out[name] === raw[name]) &&
        out['freq-level'] === raw['bitmain-freq-level'] &&
        !Object.values(out).includes(undefined)
      )
    }),
  )
  t.pass()
})

test('limits are refused before anything is sent', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const codeOf = async (command: CommandName, params: unknown) =>
    (await failure(run(device.io(), command, params))).code
  t.is(await codeOf('setFan', { mode: 'manual' }), 'BAD_REQUEST')
  t.is(await codeOf('setFan', { zeroSpeed: true }), 'DEVICE_UNSUPPORTED')
  t.is(await codeOf('setFrequencyPercent', { percent: -10 }), 'DEVICE_UNSUPPORTED', 'this build has no frequency level')
  t.is(await codeOf('setPassword', { password: 'x', account: 'admin' }), 'DEVICE_UNSUPPORTED')
  t.is(await codeOf('setPowerLimit', { watts: 3000 }), 'DEVICE_UNSUPPORTED')

  device.cgi.stats = capture('s23_hyd/stats.cgi.json')
  t.is(await codeOf('setFan', { dutyPct: 50 }), 'DEVICE_UNSUPPORTED', 'no fans')
  const stats = capture('s19_fleet/web_stats.json')
  device.cgi.stats = { ...stats, INFO: { type: 'Antminer S17 Pro' } }
  t.is(await codeOf('suspend', {}), 'DEVICE_UNSUPPORTED', 'the old web interface')
  t.is(posts(device).length, 0)
})

test('fans by hand and by themselves again', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const clock = hurried()
  const io = device.io({ clock })
  t.is((await run(io, 'setFan', { mode: 'manual', dutyPct: 70 })).state, 'confirmed')
  t.is(written(device)['bitmain-fan-pwm'], '70')
  t.is(written(device)['bitmain-fan-ctrl'], true)
  clock.skip(31_000)
  t.is((await run(io, 'setFan', { mode: 'auto' })).state, 'confirmed')
  t.is(written(device)['bitmain-fan-ctrl'], false)
})

test('the frequency level', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const conf = (device.cgi.get_miner_conf as () => Record<string, unknown>)()
  conf['bitmain-freq-level'] = '100'
  t.is((await run(device.io(), 'setFrequencyPercent', { percent: -15 })).state, 'confirmed')
  t.is(written(device)['freq-level'], '85')
  t.is((await failure(run(device.io(), 'setFrequencyPercent', { percent: 10 }))).code, 'BAD_REQUEST')
})

test('LED, host name and network are read back', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const io = device.io()
  t.is((await run(io, 'setLed', { on: true })).state, 'confirmed')
  t.is((await run(io, 'setLed', { on: false })).state, 'confirmed')
  t.is((await run(io, 'setHostname', { hostname: 'rack-2-11' })).state, 'confirmed')
  t.alike(written(device), { ipHost: 'rack-2-11', ipPro: 1, ipAddress: '', ipSub: '', ipGateway: '', ipDns: '' })
  const address = { ip: '10.0.0.5', netmask: '255.255.255.0', gateway: '10.0.0.1', dns: ['10.0.0.1', '1.1.1.1'] }
  t.is((await run(io, 'setNetwork', { dhcp: false, ...address })).state, 'confirmed')
  t.alike(written(device), {
    ipHost: 'rack-2-11',
    ipPro: 2,
    ipAddress: '10.0.0.5',
    ipSub: '255.255.255.0',
    ipGateway: '10.0.0.1',
    ipDns: '10.0.0.1,1.1.1.1',
  })
  t.is((await run(io, 'setHostname', { hostname: 'other' })).state, 'confirmed')
  t.is(written(device).ipAddress, '10.0.0.5', 'the static address stays')
  device.cgi.set_network_conf = { stats: 'error', code: 'N001', msg: 'bad ip' }
  t.is((await failure(run(io, 'setHostname', { hostname: 'x' }))).code, 'DEVICE_REFUSED')
})

test('a reboot that cuts the connection is confirmed when mining starts anew', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  device.cgi.reboot = ({ socket }: Seen) => {
    const stats = capture('s19_fleet/web_stats.json') as { STATS: { elapsed: number }[] }
    stats.STATS[0]!.elapsed = 3
    device.cgi.stats = stats
    socket.destroy()
  }
  t.is((await run(device.io(), 'reboot')).state, 'confirmed')
})

test('restarting the mining process writes the configuration that is there', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  t.is((await run(device.io(), 'restartMiner')).state, 'confirmed')
  t.is(written(device)['miner-mode'], 0)
})

test('a new password is used before it is believed', async (t) => {
  const options = { password: 'root' }
  const device = await asS19(new AntminerDevice(options)).start(t)
  device.cgi.passwd = ({ body }: Seen) => {
    const { curPwd, newPwd, confirmPwd } = JSON.parse(body)
    if (curPwd !== options.password) return { stats: 'error', code: 'P001' }
    if (newPwd !== confirmPwd) return { stats: 'error', code: 'P002' }
    options.password = newPwd
    return { stats: 'success', code: 'P000' }
  }
  const receipt = await run(device.io(), 'setPassword', { password: 'better' })
  t.ok(JSON.stringify(receipt).includes('sign in'))
  t.is(options.password, 'better')
  t.absent(JSON.stringify(receipt).includes('better'))

  const other = await asS19(new AntminerDevice()).start(t)
  other.cgi.passwd = { stats: 'success', code: 'P000' }
  t.is(
    (await failure(run(other.io(), 'setPassword', { password: 'better' }))).code,
    'DEVICE_AUTH',
    'it said yes and did not',
  )
})

test('logs are fetched by whichever name this build has', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  device.cgi.hlog = 'line 1\nline 2'
  t.alike((await run(device.io(), 'getLogs')).result, { log: 'line 1\nline 2', complete: true })
  t.is((await run(device.io(), 'getLogs')).state, 'accepted')
})

test('firmware: the right file goes up once, whole; a wrong one not at all', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, at) => at % 251))
  const path = join(await t.tmp(), 'new firmware.bmu')
  await writeFile(path, bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  t.is((await failure(run(device.io(), 'updateFirmware', { path, sha256: '0'.repeat(64) }))).code, 'BAD_REQUEST')
  t.is((await failure(run(device.io(), 'updateFirmware', { path: `${path}x`, sha256 }))).code, 'BAD_REQUEST')
  t.is(posts(device).length, 0)

  device.cgi.upgrade = () => {
    device.cgi.get_system_info = { ...capture('s19_fleet/web_get_system_info.json'), system_filesystem_version: 'new' }
    return { stats: 'success', code: 'U000' }
  }
  t.is((await run(device.io(), 'updateFirmware', { path, sha256 })).state, 'confirmed')
  const [upload] = posts(device)
  t.is(posts(device).length, 1)
  t.ok(upload!.body.includes('name="firmware"; filename="new_firmware.bmu"'))
  t.ok(upload!.body.includes(bytes.toString('latin1')))

  device.cgi.upgrade = ({ socket }: Seen) => {
    device.cgi.get_system_info = capture('s19_fleet/web_get_system_info.json')
    socket.destroy()
  }
  t.is((await run(device.io(), 'updateFirmware', { path, sha256 })).state, 'confirmed', 'also if it restarts over it')
  device.cgi.upgrade = { stats: 'error', code: 'U001', msg: 'wrong type' }
  const error = await failure(run(device.io(), 'updateFirmware', { path, sha256 }))
  t.is(error.code, 'DEVICE_REFUSED')
  t.ok(error.message.includes('wrong type'))
})

test('a dry run sends nothing', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  for (const command of antminerStock.capabilities) {
    const params: Record<string, unknown> = {
      setPools: { pools: [pool(1)] },
      setPowerMode: { mode: 'sleep' },
      setLed: { on: true },
      setFan: { mode: 'auto' },
      setNetwork: { dhcp: true },
      setHostname: { hostname: 'x' },
      setPassword: { password: 'x' },
      updateFirmware: { path: 'x', sha256: '0'.repeat(64) },
      setFrequencyPercent: { percent: 0 },
    }
    await execute(antminerStock, device.io(), command, params[command] ?? {}, { dryRun: true }).catch(() => {})
  }
  t.is(posts(device).length, 0)
})

test('a cancelled command ends at once', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const io = device.io()
  await web(io, { cgi: 'stats' })
  const ending = new AbortController()
  device.cgi.set_miner_conf = () => {
    ending.abort(new SdkError('CANCELLED'))
    return new Promise(() => {})
  }
  t.is((await failure(run({ ...io, signal: ending.signal }, 'suspend'))).code, 'CANCELLED')
})
