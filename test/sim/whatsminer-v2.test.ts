import test from 'brittle'
import { whatsminerCrypto } from '#devices'
import { simulatedPassword } from '#sim'
import { until } from '../support/fake-clock.js'
import { type OneMiner, oneMiner } from './farms.js'
import { capture, differences } from './shape.js'
import { ask, type Json, say } from './talk.js'

/** A client of API v2, only as much as the tests need. */
async function writer({ port }: OneMiner, password = simulatedPassword) {
  const { Msg } = await ask(port('rpc'), { cmd: 'get_token' })
  const session = whatsminerCrypto.openSession(password, Msg)
  const seal = (command: object) => whatsminerCrypto.sealCommand(command, session)
  const open = (text: string): Json => {
    const reply = JSON.parse(text)
    return reply.enc ? JSON.parse(whatsminerCrypto.decrypt(reply.enc, session.aesKey)!) : reply
  }
  return {
    seal,
    open,
    async write(command: object): Promise<Json | undefined> {
      const { text } = await say(port('rpc'), seal(command))
      return text === '' ? undefined : open(text)
    },
  }
}

const read = async (miner: OneMiner, cmd: string): Promise<Json> => ask(miner.port('rpc'), { cmd })

test('reads come in their envelopes, and the connection closes after each answer', async (t) => {
  const miner = await oneMiner(t, 'M50S')
  const summary = await read(miner, 'summary')
  t.alike(Object.keys(summary), ['STATUS', 'SUMMARY', 'id'])
  t.is(summary.STATUS[0].Code, 11)
  const [fields] = summary.SUMMARY
  t.ok(Math.abs(fields['HS RT'] - 126e6) < 3e6, 'MH/s')
  t.is(fields['Power Mode'], 'Normal')
  t.ok(fields.Power > 3000 && fields['Fan Speed In'] > 0 && fields.Accepted > 0)
  const edevs = await read(miner, 'edevs')
  t.is(edevs.DEVS.length, 3)
  t.ok(edevs.DEVS[0]['Effective Chips'] > 130)
  t.is((await read(miner, 'devdetails')).DEVDETAILS[0].Model, 'M50S_VH50')
  t.is((await read(miner, 'pools')).POOLS[0].POOL, 1, 'pools count from 1')
  const version = await read(miner, 'get_version')
  t.alike([version.Code, version.Msg.api_ver], [131, '2.0.5'])
  t.is((await read(miner, 'status')).Msg.mineroff, 'false')
  t.is(typeof (await read(miner, 'get_psu')).Msg.vin, 'string', 'the power supply speaks in strings')
  t.alike((await read(miner, 'get_error_code')).Msg.error_code, [])
})

test('both names of the command key are taken, and a selection of miner info', async (t) => {
  const { port } = await oneMiner(t, 'M50S')
  t.is((await ask(port('rpc'), { command: 'summary' })).STATUS[0].Msg, 'Summary')
  const info = await ask(port('rpc'), { cmd: 'get_miner_info', info: 'mac,hostname' })
  t.alike(Object.keys(info.Msg), ['mac', 'hostname'])
})

test('joined reads come nested, an unknown part fails by itself, get_* cannot be joined', async (t) => {
  const { port } = await oneMiner(t, 'M50S')
  const reply = await ask(port('rpc'), { cmd: 'summary+pools+edevs+status+summary' })
  t.alike(Object.keys(reply), ['summary', 'pools', 'edevs', 'status', 'id'])
  t.is(reply.summary[0].SUMMARY[0]['Power Mode'], 'Normal')
  t.is(reply.edevs[0].DEVS.length, 3)
  t.alike([reply.status[0].STATUS, reply.status[0].Code], ['E', 14])
})

test('an early firmware has the fields of v1 too and ends with a NUL; a v3 one serves fewer, boards in TH/s', async (t) => {
  const old = await oneMiner(t, 'M30S++')
  const { text } = await say(old.port('rpc'), '{"cmd":"summary"}')
  t.ok(text.endsWith('\0'))
  const legacy = JSON.parse(text.slice(0, -1)).SUMMARY[0]
  t.ok(legacy['Firmware Version'].startsWith("'2022"))
  t.is(legacy['Error Code Count'], 0)

  const compat = await oneMiner(t, 'M60S')
  const summary = await read(compat, 'summary')
  t.alike([summary.STATUS, summary.Code, summary.Msg['Hash Stable']], ['S', 131, 'true'])
  t.absent('MHS 5s' in summary.Msg)
  const [board] = (await read(compat, 'edevs')).DEVS
  t.ok(board['HS RT'] > 55 && board['HS RT'] < 70, 'TH/s under a key that says MH/s')
})

test('the replies have every key of the captures, in the same types', async (t) => {
  const captured: [model: string, set: string, cmd: string, file: string][] = [
    ['M50S', 'm50s_vh50', 'summary', 'summary'],
    ['M50S', 'm50s_vh50', 'pools', 'pools'],
    ['M50S', 'm50s_vh50', 'status', 'status'],
    ['M50S', 'm50s_vh50', 'get_version', 'get_version'],
    ['M50S', 'm50s_vh50', 'get_miner_info', 'get_miner_info'],
    ['M50S', 'm50s_vh50', 'get_psu', 'get_psu'],
    ['M30S++', 'm30sp_ve40_apidoc205', 'summary', 'summary'],
    ['M30S++', 'm30sp_ve40_apidoc205', 'edevs', 'edevs'],
    ['M30S++', 'm30sp_ve40_apidoc205', 'devdetails', 'devdetails'],
    ['M30S++', 'm30sp_ve40_apidoc205', 'get_psu', 'get_psu'],
    ['M30S++', 'm30sp_ve40_apidoc205', 'get_version', 'get_version'],
  ]
  for (const [model, set, cmd, file] of captured) {
    const miner = await oneMiner(t, model)
    t.alike(differences(capture(`whatsminer-v2/${set}/${file}.json`), await read(miner, cmd)), [], `${model} ${cmd}`)
  }
})

test('bad requests are answered with their codes', async (t) => {
  const { port } = await oneMiner(t, 'M50S')
  const code = async (text: string) => JSON.parse((await say(port('rpc'), text)).text).Code
  t.is(await code('{"cmd":"nonsense"}'), 14)
  t.is(await code('hello'), 23)
  t.is(await code('{"cmd": nonsense}'), 23)
  t.is(await code('{"cmd":"constructor"}'), 14)
  t.is(await code('{"cmd":"reboot"}'), 45, 'a write in plain text')
  t.is(await code('{"enc":1,"data":"%%%"}'), 137)
  t.is(await code('{"enc":1,"data":"AAAA"}'), 23)
  t.is(await code(`{"cmd":"${'x'.repeat(20_000)}`), 23, 'a request without an end')
})

test('a connection that says nothing is dropped after ten seconds', async (t) => {
  const { clock, port, later } = await oneMiner(t, 'M50S')
  const before = clock.pending
  const silent = say(port('rpc'), '')
  const half = say(port('rpc'), '{"cmd":')
  await until(() => clock.pending === before + 2, 'the miner counts the time of both connections')
  await later(10_001)
  t.is((await silent).ending, 'end')
  t.is((await half).ending, 'end')
})

test('a sealed command changes what later reads return', async (t) => {
  const miner = await oneMiner(t, 'M50S')
  const { write } = await writer(miner)
  const pools = {
    pool1: 'stratum+tcp://new.example:3333',
    worker1: 'me.1',
    passwd1: 'p',
    pool2: '',
    worker2: '',
    passwd2: '',
    pool3: '',
    worker3: '',
    passwd3: '',
  }
  t.is((await write({ cmd: 'update_pools', ...pools }))?.Code, 131)
  const { POOLS } = await read(miner, 'pools')
  t.alike([POOLS.length, POOLS[0].URL, POOLS[0].User], [1, pools.pool1, 'me.1'])

  t.is(await write({ cmd: 'set_low_power' }), undefined, 'a mode is taken without a word')
  await miner.later(600_000)
  const low = (await read(miner, 'summary')).SUMMARY[0]
  t.is(low['Power Mode'], 'Low')
  t.ok(low['HS RT'] < 110e6 && low['HS RT'] > 95e6)

  t.is((await write({ cmd: 'set_led', color: 'red', period: 200, duration: 100, start: 0 }))?.Code, 131)
  t.is((await read(miner, 'get_miner_info')).Msg.ledstat, '0,200,100,0 ')
  t.is((await write({ cmd: 'set_led', param: 'auto' }))?.Code, 131)
  t.is((await read(miner, 'get_miner_info')).Msg.ledstat, 'auto')

  t.is((await write({ cmd: 'adjust_power_limit', power_limit: '2500' }))?.Code, 131)
  t.is((await read(miner, 'summary')).SUMMARY[0]['Power Limit'], 2500)
  t.is((await write({ cmd: 'set_hostname', hostname: 'row-a-7' }))?.Code, 131)
  t.is((await read(miner, 'get_miner_info')).Msg.hostname, 'row-a-7')
  t.is((await write({ cmd: 'enable_btminer_fast_boot' }))?.Code, 131)
  t.is((await read(miner, 'summary')).SUMMARY[0]['Btminer Fast Boot'], 'enable')
})

test('power off means off, power on means on', async (t) => {
  const miner = await oneMiner(t, 'M56S')
  const { write } = await writer(miner)
  t.is((await write({ cmd: 'power_off' }))?.Code, 132, 'it insists on respbefore')
  t.is((await write({ cmd: 'power_off', respbefore: 'true' }))?.Code, 131)
  const { Msg } = await read(miner, 'status')
  t.alike([Msg.mineroff, Msg.mineroff_reason], ['true', 'api power_off'])
  const off = (await read(miner, 'summary')).SUMMARY[0]
  t.alike([off['HS RT'], off['MHS av'], off.Elapsed], [0, 0, 0])
  t.is((await read(miner, 'devdetails')).Code, 132, 'nobody there who knows the boards')
  t.is((await write({ cmd: 'pre_power_on' }))?.Msg.complete, 'false')
  await miner.later(1_500_000)
  t.is((await write({ cmd: 'pre_power_on' }))?.Msg.complete, 'true')
  t.is((await write({ cmd: 'power_on' }))?.Code, 131)
  await miner.later(600_000)
  t.ok((await read(miner, 'summary')).SUMMARY[0]['HS RT'] > 200e6)
})

test('what is out of range is refused and changes nothing', async (t) => {
  const miner = await oneMiner(t, 'M50S')
  const { write } = await writer(miner)
  const before = (await read(miner, 'summary')).SUMMARY[0]
  const refused = [
    { cmd: 'set_power_pct_v2', percent: '101' },
    { cmd: 'set_power_pct_v2', percent: 80 },
    { cmd: 'adjust_power_limit', power_limit: '9000' },
    { cmd: 'set_target_freq', percent: '10' },
    { cmd: 'set_temp_offset', temp_offset: '5' },
    { cmd: 'update_pools', pool1: 'stratum+tcp://a.example:1' },
    { cmd: 'set_hostname', hostname: 'not a name' },
    { cmd: 'update_pwd', old: 'wrong', new: 'better' },
    { cmd: 'set_led', color: 'blue', period: 1, duration: 1, start: 0 },
  ]
  for (const command of refused) t.is((await write(command))?.Code, 132, command.cmd)
  const after = (await read(miner, 'summary')).SUMMARY[0]
  t.alike([after['Power Limit'], after['Target MHS']], [before['Power Limit'], before['Target MHS']])
})

test('a wrong password, a spoilt token and an old one are refused, each with its code', async (t) => {
  const miner = await oneMiner(t, 'M50S')
  t.is((await (await writer(miner, 'wrong')).write({ cmd: 'power_on' }))?.Code, 23)
  const { write, seal } = await writer(miner)
  const { text } = await say(miner.port('rpc'), seal({ cmd: 'power_on', token: 'somebody else' }))
  t.is(JSON.parse(text).Code, 135)
  t.is((await write({ cmd: 'power_on' }))?.Code, 131)
  await miner.later(30 * 60_000 + 1)
  t.is((await write({ cmd: 'power_on' }))?.Code, 135, 'a token lives half an hour')
})

test('reads may be sealed too, writes that do not exist are refused', async (t) => {
  const miner = await oneMiner(t, 'M56S')
  const { write } = await writer(miner)
  t.is((await write({ cmd: 'summary' }))?.SUMMARY.length, 1)
  t.is((await write({ cmd: 'make_coffee' }))?.Code, 14)
})

test('a new password makes the token void and opens with the new one only', async (t) => {
  const miner = await oneMiner(t, 'M50S')
  const { write } = await writer(miner)
  t.is((await write({ cmd: 'update_pwd', old: simulatedPassword, new: 'better_1' }))?.Code, 131)
  t.is((await write({ cmd: 'power_on' }))?.Code, 23)
  t.is((await (await writer(miner)).write({ cmd: 'power_on' }))?.Code, 23)
  t.is((await (await writer(miner, 'better_1')).write({ cmd: 'power_on' }))?.Code, 131)
})

test('with the fault of refused writes and after a factory reset it takes no write', async (t) => {
  const miner = await oneMiner(t, 'M50S')
  const { write } = await writer(miner)
  await miner.farm.setFault(0, { kind: 'refusedWrite' })
  const refused = await write({ cmd: 'set_high_power' })
  t.alike([refused?.Code, refused?.Msg], [45, "can't access write cmd"])
  t.is((await read(miner, 'summary')).SUMMARY[0]['Power Mode'], 'Normal')
  await miner.farm.clearFault(0, 'refusedWrite')
  t.is((await write({ cmd: 'factory_reset' }))?.Code, 131)
  await miner.later(120_000)
  t.is(
    (await (await writer(miner, 'admin')).write({ cmd: 'power_on' }))?.Code,
    45,
    'the factory password writes nothing',
  )
})

test('it gives out 32 tokens to a client and serves 16 clients', async (t) => {
  const { port, later } = await oneMiner(t, 'M50S')
  const token = (localAddress?: string) => ask(port('rpc'), { cmd: 'get_token' }, localAddress ? { localAddress } : {})
  for (let n = 0; n < 32; n++) t.is((await token()).Code, 134)
  const over = await token()
  t.alike([over.Code, over.Msg], [136, 'over max connect'])
  if (process.platform === 'linux') {
    for (let client = 2; client <= 16; client++) t.is((await token(`127.0.0.${client}`)).Code, 134)
    t.is((await token('127.0.0.17')).Code, 136, 'the 17th client')
  }
  await later(30 * 60_000 + 1)
  t.is((await token()).Code, 134, 'after their time there is room again')
})

test('a reboot cuts, refuses, comes back and starts its time anew', async (t) => {
  const miner = await oneMiner(t, 'M50S')
  const { write } = await writer(miner)
  t.is(await write({ cmd: 'reboot' }), undefined)
  t.is((await say(miner.port('rpc'), '{"cmd":"summary"}')).ending, 'reset')
  await miner.later(60_000)
  t.ok((await read(miner, 'summary')).SUMMARY[0].Uptime <= 60)
})

test('logs come as bytes behind the sealed header', async (t) => {
  const miner = await oneMiner(t, 'M50S')
  const { seal, open } = await writer(miner)
  const { text } = await say(miner.port('rpc'), seal({ cmd: 'download_logs' }))
  const end = text.indexOf('}') + 1
  const { Msg } = open(text.slice(0, end))
  t.is(text.length - end, Number(Msg.logfilelen))
  t.ok(text.slice(end).includes('simulated log line 199'))
})

test('firmware is taken on the same connection, and it reboots into the new version', async (t) => {
  const miner = await oneMiner(t, 'M50S')
  const { seal } = await writer(miner)
  const image = Buffer.alloc(200_000, 7)
  const size = Buffer.alloc(4)
  size.writeUInt32LE(image.length)
  const { text } = await say(miner.port('rpc'), seal({ cmd: 'update_firmware' }), { waitMs: 300 })
  t.ok(text.startsWith('{"enc"'), 'it says that it is ready, and waits')
  const before = (await read(miner, 'get_version')).Msg.fw_ver
  const whole = Buffer.concat([Buffer.from(seal({ cmd: 'update_firmware' })), size, image])
  t.is((await say(miner.port('rpc'), whole)).text.match(/"enc"/g)?.length, 2)
  await miner.later(60_000)
  t.not((await read(miner, 'get_version')).Msg.fw_ver, before)
})

test('what is broken has its error codes', async (t) => {
  const miner = await oneMiner(t, 'M50S')
  await miner.farm.setFault(0, { kind: 'boardLost', slot: 1 })
  await miner.farm.setFault(0, { kind: 'fanStopped', index: 1 })
  await miner.farm.setFault(0, { kind: 'overheated' })
  const { Msg } = await read(miner, 'get_error_code')
  t.alike(
    Msg.error_code.flatMap((each: object) => Object.keys(each)),
    ['531', '111', '350'],
  )
  t.alike(
    (await read(miner, 'edevs')).DEVS.map((board: Json) => board.Slot),
    [0, 2],
  )
  t.is((await read(miner, 'summary')).SUMMARY[0]['Fan Speed Out'], 0)
})
