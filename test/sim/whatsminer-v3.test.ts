import { createHash } from 'node:crypto'
import test from 'brittle'
import { whatsminerCrypto } from '#devices'
import { simulatedPassword } from '#sim'
import { type OneMiner, oneMiner } from './farms.js'
import { capture, differences } from './shape.js'
import { ask, Frames, type Json } from './talk.js'

interface Signature {
  readonly account?: string
  readonly password?: string
  /** s that the client's clock is off. */
  readonly offS?: number
  readonly seal?: boolean
}

/** One connection, with a signature of its own making. */
async function line(miner: OneMiner) {
  const frames = new Frames(miner.port('v3'))
  const salt = async () => (await frames.ask({ cmd: 'get.device.info', param: 'salt' })).msg.salt as string
  return {
    frames,
    read: (cmd: string, param?: unknown) => frames.ask({ cmd, param }),
    async write(
      cmd: string,
      param?: unknown,
      { account = 'super', password = simulatedPassword, offS = 0, seal = false }: Signature = {},
    ): Promise<Json> {
      const ts = Math.floor(miner.clock.now() / 1000) + offS
      const digest = createHash('sha256')
        .update(`${cmd}${password}${await salt()}${ts}`)
        .digest()
      const token = digest.toString('base64').slice(0, 8)
      return frames.ask({
        cmd,
        ts,
        token,
        account,
        param: seal ? whatsminerCrypto.v3EncryptParam(param, digest) : param,
      })
    },
  }
}

async function connected(t: import('brittle').Assertions, model = 'M60S') {
  const miner = await oneMiner(t, model)
  const talk = await line(miner)
  t.teardown(() => talk.frames.close(), { order: -1 })
  return { ...miner, ...talk, miner }
}

test('reads need no login and share one connection; the miner speaks v2 as well', async (t) => {
  const { read, miner } = await connected(t)
  const info = await read('get.device.info')
  t.is(info.code, 0)
  t.alike([info.msg.miner.type, info.msg.system.api, info.msg.miner.working], ['M60S_VK40', '3.0.2', 'true'])
  t.alike(Object.keys((await read('get.device.info', 'network')).msg), ['network'])
  const { msg } = await read('get.miner.status', 'summary+pools+edevs')
  t.ok(Math.abs(msg.summary['hash-realtime'] - 186) < 5, 'TH/s')
  t.is(msg.summary['board-temperature'].length, 3)
  t.is(msg.edevs.length, 3)
  t.is(msg.pools[0].status, 'alive')
  t.is((await read('get.miner.setting')).msg['power-mode'], 'normal')
  t.is((await ask(miner.port('rpc'), { cmd: 'get_version' })).Msg.miner_type, 'M60S_VK40')
})

test('the replies have every key of the captures, in the same types', async (t) => {
  const { read } = await connected(t)
  const captured: [file: string, cmd: string, param?: string][] = [
    ['get_device_info', 'get.device.info'],
    ['get_miner_status_summary', 'get.miner.status', 'summary'],
    ['get_miner_setting', 'get.miner.setting'],
    ['get_fan_setting', 'get.fan.setting'],
    ['get_system_setting', 'get.system.setting'],
  ]
  for (const [file, cmd, param] of captured) {
    const wanted = capture(`whatsminer-v3/m30spp_vh70_apidoc/${file}.json`)
    // A healthy miner has no errors.
    if (file === 'get_device_info') wanted.msg['error-code'] = []
    t.alike(differences(wanted, await read(cmd, param)), [], file)
  }
})

test('an empty frame is a heartbeat; a frame beyond the limit and too many clients are shown the door', async (t) => {
  const { frames, miner } = await connected(t)
  frames.raw(Buffer.alloc(4))
  t.alike(await frames.next(), { heartbeat: true })
  const nine = Array.from({ length: 9 }, () => new Frames(miner.port('v3')))
  for (const each of nine) t.is((await each.ask({ cmd: 'get.fan.setting' })).code, 0)
  const eleventh = new Frames(miner.port('v3'))
  await eleventh.untilClosed()
  t.pass('ten clients at a time')
  nine[0]!.raw(Buffer.from([255, 255, 255, 127]))
  await nine[0]!.untilClosed()
  t.pass('a frame of two gigabytes')
  for (const each of nine) each.close()
})

test('frames may come in any pieces, several at once', async (t) => {
  const { frames } = await connected(t)
  const body = Buffer.from(JSON.stringify({ cmd: 'get.device.info', param: 'salt' }))
  const head = Buffer.alloc(4)
  head.writeUInt32LE(body.length)
  const whole = Buffer.concat([head, body, head, body])
  for (const byte of whole) {
    frames.raw(Buffer.from([byte]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.alike([(await frames.next()).code, (await frames.next()).code], [0, 0])
})

test('what cannot be done is answered with its code', async (t) => {
  const { read, frames } = await connected(t)
  t.is((await read('get.nothing')).code, -2)
  t.is((await read('get.miner.status')).code, -3)
  t.is((await read('get.miner.status', 'weather')).code, -2)
  t.is((await read('get.device.info', 'weather')).code, -2)
  t.is((await read('set.miner.service', 'stop')).code, -3, 'a write without a signature')
  frames.send(Buffer.from('no json'))
  t.is((await frames.next()).code, -3)
})

test('a signed command changes what later reads return', async (t) => {
  const { read, write, later } = await connected(t)
  t.is((await write('set.miner.power_mode', 'high')).msg, 'ok')
  await later(280_000)
  t.is((await read('get.miner.setting')).msg['power-mode'], 'high')
  t.ok((await read('get.miner.status', 'summary')).msg.summary['hash-realtime'] > 200)

  const pools = [{ pool: 'stratum+tcp://new.example:3333', worker: 'me.1', passwd: 'p' }]
  t.is((await write('set.miner.pools', pools, { seal: true })).code, 0)
  const seen = (await read('get.miner.status', 'pools')).msg.pools
  t.alike([seen.length, seen[0].url, seen[0].account], [1, pools[0]!.pool, 'me.1'])
  t.is((await write('set.miner.pools', pools)).code, -2, 'pools travel sealed or not at all')

  t.is((await write('set.system.led', [{ color: 'red', period: 200, duration: 100, start: 0 }])).code, 0)
  t.is((await read('get.device.info', 'system')).msg.system.ledstatus, 'manual')
  t.is((await write('set.system.hostname', { hostname: 'row-b-2' })).code, 0)
  t.is((await read('get.device.info', 'network')).msg.network.hostname, 'row-b-2')
  t.is((await write('set.miner.power_limit', 2500)).code, 0)
  t.is((await read('get.miner.setting')).msg['power-limit'], 2500)
  t.is((await write('set.miner.fastboot', 'enable')).code, 0)
  t.is((await read('get.miner.setting')).msg['fast-boot'], 'enable')
  t.is((await write('set.fan.temp_offset', -10)).code, 0)
  t.is((await read('get.fan.setting')).msg['fan-temp-offset'], -10)
})

test('stopped, it has no pools: alone they fail, beside others they are left out', async (t) => {
  const { read, write, later } = await connected(t)
  t.is((await write('set.miner.service', 'stop')).code, 0)
  t.is((await read('get.device.info', 'miner')).msg.miner.working, 'false')
  t.is((await read('get.miner.status', 'pools')).code, -1)
  const both = (await read('get.miner.status', 'summary+pools')).msg
  t.alike(Object.keys(both), ['summary'])
  t.alike([both.summary['hash-realtime'], both.summary.elapsed], [0, 0])
  t.is((await write('set.miner.power_mode', 'low')).code, -1)
  t.is((await write('set.miner.service', 'start')).code, 0)
  await later(280_000)
  t.ok((await read('get.miner.status', 'summary')).msg.summary['hash-realtime'] > 180)
})

test('values out of range are refused, percent only once it is tuned and as a string', async (t) => {
  const { write, later } = await connected(t)
  t.is((await write('set.miner.power_limit', 9000)).code, -2)
  t.is((await write('set.miner.power_limit', '2500')).code, -2)
  t.is((await write('set.miner.power_limit')).code, -3)
  t.is((await write('set.miner.target_freq', 5)).code, -2)
  t.is((await write('set.miner.power_mode', 'turbo')).code, -2)
  t.is((await write('set.miner.power_percent', { percent: 80, mode: 'fast' })).code, -2)
  t.is((await write('set.miner.power_percent', { percent: '80', mode: 'fast' })).code, 0)
  t.is((await write('set.miner.service', 'restart')).code, 0)
  t.is((await write('set.miner.power_percent', { percent: '90', mode: 'fast' })).code, -1, 'it is still tuning')
  await later(280_000)
  t.is((await write('set.miner.power_percent', { percent: '90', mode: 'fast' })).code, 0)
})

test('a liquid model takes more than 100 percent and has no fans to set', async (t) => {
  const { read, write } = await connected(t, 'M63')
  t.is((await write('set.miner.power_percent', { percent: '110', mode: 'normal' })).code, 0)
  t.is((await read('get.fan.setting')).code, -1)
  t.ok((await read('get.device.info', 'power')).msg.power['liquid-temperature'] > 20)
})

test('a wrong password, account or clock is no permission', async (t) => {
  const { write, farm } = await connected(t)
  t.is((await write('set.miner.fastboot', 'enable', { password: 'wrong' })).code, -4)
  t.is((await write('set.miner.fastboot', 'enable', { account: 'admin' })).code, -4)
  t.is((await write('set.miner.fastboot', 'enable', { offS: -301 })).code, -4)
  t.is((await write('set.miner.fastboot', 'enable', { offS: 200 })).code, 0)
  await farm.setFault(0, { kind: 'refusedWrite' })
  t.is((await write('set.miner.fastboot', 'disable')).code, -4)
})

test('a new password takes a new salt; after a factory reset nothing may be written', async (t) => {
  const { read, write, miner } = await connected(t)
  const salt = (await read('get.device.info', 'salt')).msg.salt
  const change = { account: 'super', old: simulatedPassword, new: 'better_1' }
  t.is((await write('set.user.change_passwd', { ...change, old: 'x' }, { seal: true })).code, -1)
  t.is((await write('set.user.change_passwd', change, { seal: true })).code, 0)
  t.not((await read('get.device.info', 'salt')).msg.salt, salt)
  t.is((await write('set.miner.fastboot', 'enable')).code, -4)
  t.is((await write('set.system.factory_reset', undefined, { password: 'better_1' })).code, 0)
  await miner.later(120_000)
  const again = await line(miner)
  t.teardown(() => again.frames.close(), { order: -1 })
  t.is((await again.read('get.device.info', 'system')).msg.system.apiswitch, '0')
  t.is((await again.write('set.miner.fastboot', 'enable', { password: 'super' })).code, -4)
})

test('a reboot cuts the connection after its answer, and the clock of the miner starts anew', async (t) => {
  const { write, frames, miner } = await connected(t)
  t.is((await write('set.system.reboot')).code, 0)
  await frames.untilClosed()
  await miner.later(60_000)
  const again = await line(miner)
  t.teardown(() => again.frames.close(), { order: -1 })
  t.ok((await again.read('get.miner.status', 'summary')).msg.summary['bootup-time'] <= 60)
})

test('logs and firmware travel on the same connection', async (t) => {
  const { read, write, frames, miner } = await connected(t)
  const { msg } = await read('get.log.download')
  const log = await frames.take(Number(msg.logsize))
  t.ok(log.toString().includes('simulated log line'))
  t.is((await write('set.system.update_firmware')).msg, 'ready')
  const image = Buffer.alloc(100_000, 3)
  const size = Buffer.alloc(4)
  size.writeUInt32LE(image.length)
  frames.raw(size)
  frames.raw(image)
  t.is((await frames.next()).msg, 'ok')
  await miner.later(60_000)
  const again = await line(miner)
  t.teardown(() => again.frames.close(), { order: -1 })
  t.not((await again.read('get.device.info', 'system')).msg.system.fwversion, '20251209.16.Rel2')
})
