import test, { type Assertions } from 'brittle'
import { type Device, type Io, identify, miners, observe } from '#devices'
import type { SdkError } from '#model'
import { FakeClock } from '../support/fake-clock.js'
import { BtminerDevice, fixture, ioTo, type V2Options, V3Device } from './whatsminer-device.js'

const whatsminer = miners.find(({ make, family }) => make === 'MicroBT' && family === 'stock') as Device
const whatsminerV3 = miners.find(({ make, family }) => make === 'MicroBT' && family === 'stock-v3') as Device
const admin = [{ username: 'admin', password: 'admin' }]

const ok = { STATUS: [{ STATUS: 'S', When: 1, Code: 11, Msg: '', Description: '' }] }
const api = (Msg: unknown) => ({ STATUS: 'S', When: 1, Code: 131, Msg, Description: '' })
const refused = (Code: number, Msg: string) => ({ STATUS: 'E', When: 1, Code, Msg, Description: '' })

function healthy() {
  return {
    summary: {
      ...ok,
      SUMMARY: [{ 'HS RT': 100e6, 'MHS av': 99e6, Power: 3300, Elapsed: 500, Uptime: 900, 'Factory GHS': 100000 }],
    },
    edevs: { ...ok, DEVS: [0, 1, 2].map((Slot) => ({ Slot, 'MHS av': 33e6, Temperature: 70, Status: 'Alive' })) },
    pools: { ...ok, POOLS: [{ POOL: 1, URL: 'stratum+tcp://a:1', User: 'w', Status: 'Alive' }] },
    devdetails: { ...ok, DEVDETAILS: [{ Model: 'M30S+VE40' }] },
    status: api({ mineroff: 'false', power_mode: 'normal' }),
    get_error_code: api({ error_code: [] }),
    get_miner_info: api({ hostname: 'a', mac: 'C4:11:04:01:02:03', ledstat: 'auto' }),
    get_version: api({ api_ver: '2.0.5', fw_ver: '20230803.11.REL' }),
    get_psu: api({ vin: '22400', iin: '8718' }),
  } as Record<string, unknown>
}

async function v2(t: Assertions, replies = healthy(), options: V2Options = {}) {
  return new BtminerDevice(replies, options).start(t)
}

test('the first visit asks everything, each next one is one connection with one joined request', async (t) => {
  const device = await v2(t)
  const io = ioTo({ rpc: device.port }, admin)
  const first = await observe(whatsminer, io)
  t.is(device.connections, 6)
  t.alike(
    device.asked.map(({ cmd }) => cmd),
    ['summary+edevs+pools+devdetails', 'status', 'get_error_code', 'get_miner_info', 'get_version', 'get_psu'],
  )
  const second = await observe(whatsminer, io, { previous: first.replies })
  t.is(device.connections, 7)
  t.is(device.asked.at(-1)?.cmd, 'summary+edevs+pools')
  t.is(second.telemetry.hashrateThs, 100)
  t.is(second.telemetry.model, 'M30S+', 'slow reads stand until they are asked again')
})

test('state is asked again after 30 s, identity after 10 minutes', async (t) => {
  const device = await v2(t)
  const clock = new FakeClock()
  const io: Io = { ...ioTo({ rpc: device.port }, admin), clock }
  let { replies } = await observe(whatsminer, io)
  device.asked.length = 0
  await clock.advance(30_000)
  replies = (await observe(whatsminer, io, { previous: replies })).replies
  t.alike(
    device.asked.map(({ cmd }) => cmd),
    ['summary+edevs+pools', 'status', 'get_error_code'],
  )
  device.asked.length = 0
  await clock.advance(600_000)
  await observe(whatsminer, io, { previous: replies })
  t.is(device.asked.length, 6)
})

test('a firmware that does not join is asked command by command, and not tried again for a while', async (t) => {
  const device = await v2(t, healthy(), { joins: false })
  const clock = new FakeClock()
  const io: Io = { ...ioTo({ rpc: device.port }, admin), clock }
  const first = await observe(whatsminer, io)
  t.is(first.telemetry.hashrateThs, 100)
  t.is(first.telemetry.boards?.length, 3)
  const joined = () => device.asked.filter(({ cmd }) => String(cmd).includes('+')).length
  t.is(joined(), 1)
  await observe(whatsminer, io, { previous: first.replies })
  await observe(whatsminer, io, { previous: first.replies })
  t.ok(joined() <= 2, 'at most once more, without the command that is suspected first')
  const before = joined()
  await observe(whatsminer, io, { previous: first.replies })
  t.is(joined(), before)
})

test('a device that closes on devdetails while it sleeps is still read', async (t) => {
  const replies: Record<string, unknown> = {
    ...healthy(),
    devdetails: () => undefined,
    status: api({ mineroff: 'true' }),
  }
  const device = await v2(t, replies)
  const answer = device.replies.summary
  const { telemetry, missing } = await observe(whatsminer, ioTo({ rpc: device.port }, admin))
  t.ok(answer)
  t.is(telemetry.hashrateThs, 100)
  t.is(telemetry.asleep, true)
  t.is(missing.model?.code, 'DEVICE_BAD_REPLY')
})

test('a miner that was put to sleep keeps its model, and its dead boards are no finding', async (t) => {
  const device = await v2(t)
  const clock = new FakeClock()
  const io: Io = { ...ioTo({ rpc: device.port }, admin), clock }
  const awake = await observe(whatsminer, io)
  const dead = [0, 1, 2].map((Slot) => ({ Slot, 'MHS av': 0, 'HS RT': 0, Status: 'Dead' }))
  Object.assign(device.replies, {
    devdetails: refused(132, 'command error'),
    status: api({ mineroff: 'true' }),
    edevs: { ...ok, DEVS: dead },
  })
  await clock.advance(700_000)
  const { telemetry, model } = await observe(whatsminer, io, { previous: awake.replies })
  t.is(telemetry.asleep, true)
  t.is(telemetry.model, 'M30S+')
  t.is(model?.chips, 156)
  t.alike(
    telemetry.boards?.map(({ status }) => status),
    ['ok', 'ok', 'ok'],
  )
  t.alike(telemetry.errors, [])
})

test('a part that is refused in a joined reply leaves the others alone', async (t) => {
  const device = await v2(t, { ...healthy(), edevs: refused(132, 'command error') })
  const { telemetry, missing } = await observe(whatsminer, ioTo({ rpc: device.port }, admin))
  t.is(telemetry.hashrateThs, 100)
  t.is(telemetry.boards, undefined)
  t.is(missing.boards?.code, 'DEVICE_REFUSED')
  t.ok(missing.boards?.message.includes('command error'))
})

test('what a firmware does not have is not reported, and not missing', async (t) => {
  const replies = healthy()
  for (const name of ['get_error_code', 'get_psu', 'status']) delete replies[name]
  const device = await v2(t, replies)
  const { telemetry, missing } = await observe(whatsminer, ioTo({ rpc: device.port }, admin))
  t.is(telemetry.asleep, undefined)
  t.is(telemetry.psuInputVoltageV, undefined)
  t.alike(missing, {})
})

test('a connection that stays open after the answer does not hold up the visit', async (t) => {
  const device = await v2(t, healthy(), { staysOpen: true })
  const started = performance.now()
  const { telemetry } = await observe(whatsminer, ioTo({ rpc: device.port }, admin))
  t.is(telemetry.hashrateThs, 100)
  t.ok(performance.now() - started < 3_000)
})

test('over max connect is busy, not broken', async (t) => {
  const busy = refused(136, 'over max connect')
  const device = await v2(t, Object.fromEntries(Object.keys(healthy()).map((name) => [name, busy])), { joins: false })
  const error = await failure(observe(whatsminer, ioTo({ rpc: device.port }, admin)))
  t.is(error.code, 'DEVICE_BUSY')
})

test('a device that is not there is unreachable after one attempt', async (t) => {
  const error = await failure(observe(whatsminer, ioTo({}, admin)))
  t.is(error.code, 'DEVICE_UNREACHABLE')
})

test('a slow side read does not cost the readings', async (t) => {
  const device = await v2(t, { ...healthy(), get_miner_info: () => new Promise(() => {}) })
  device.replies.get_miner_info = (_: unknown, socket: { pause(): void }) => {
    socket.pause()
    return ' '
  }
  device.options.staysOpen = true
  const { telemetry, missing } = await observe(whatsminer, ioTo({ rpc: device.port }, admin))
  t.is(telemetry.hashrateThs, 100)
  t.is(missing.hostname?.code, 'DEVICE_TIMEOUT')
  t.is(missing.psu?.code, 'DEVICE_TIMEOUT', 'a device that hangs is not asked on')
})

test('sentinels and empty values are not reported, never 0', async (t) => {
  const summary = {
    ...ok,
    SUMMARY: [
      {
        'HS RT': 'nan',
        'MHS av': '',
        Power: -1,
        'Env Temp': '',
        'Chip Temp Max': 0,
        Elapsed: 'inf',
        'Factory GHS': 0,
        'Power Limit': 0,
        'Fan Speed In': -1,
      },
    ],
  }
  const edevs = { ...ok, DEVS: [{ Slot: 0, Temperature: -273, 'MHS av': null, 'Effective Chips': 'x' }] }
  const device = await v2(t, { ...healthy(), summary, edevs, get_psu: api({ vin: '', iin: '-1', temp0: '255' }) })
  const { telemetry } = await observe(whatsminer, ioTo({ rpc: device.port }, admin))
  for (const field of [
    'powerW',
    'ambientTempC',
    'chipTempMaxC',
    'miningUptimeS',
    'expectedHashrateThs',
    'powerLimitW',
    'psuInputVoltageV',
    'psuInputCurrentA',
    'psuTempC',
    'fans',
    'fanMaxRpm',
    'boardTempMaxC',
  ] as const)
    t.is(telemetry[field], undefined, field)
  t.is(telemetry.hashrateThs, undefined)
  t.is(telemetry.boards?.[0]?.hashrateThs, null)
})

test('v3: the pools are asked alone when an idle miner refuses them together', async (t) => {
  const info = fixture('whatsminer-v3/m30spp_vh70_apidoc', 'get_device_info.json')
  const fine = (msg: unknown) => ({ code: 0, when: 1, msg, desc: 'get.miner.status' })
  const device = await new V3Device({
    'get.device.info': info,
    'get.miner.status summary+pools+edevs': { code: -1, when: 1, msg: 'fail', desc: 'get.miner.status' },
    'get.miner.status summary': fine({ summary: { 'hash-realtime': 0, elapsed: 5 } }),
    'get.miner.status edevs': fine({ edevs: [] }),
    'get.miner.status pools': { code: -1, when: 1, msg: 'fail', desc: 'get.miner.status' },
  }).start(t)
  const { telemetry, missing } = await observe(whatsminerV3, ioTo({ v3: device.port }, []))
  t.is(telemetry.hashrateThs, 0, 'measured zero')
  t.is(missing.pools?.code, 'DEVICE_REFUSED')
  t.is(telemetry.asleep, true)
})

test('v3: heartbeats and reports between question and answer are passed over', async (t) => {
  const report = { code: 0, msg: {}, desc: 'get.miner.report' }
  const answer = { code: 0, when: 1, msg: { summary: { 'hash-realtime': 5 } }, desc: 'get.miner.status' }
  const { frame } = await import('./whatsminer-device.js')
  const stray = Buffer.concat([Buffer.alloc(4), frame(report), Buffer.alloc(4), frame(answer)])
  const device = await new V3Device({ 'get.miner.status': () => stray }).start(t)
  const { telemetry } = await observe(whatsminerV3, ioTo({ v3: device.port }, []))
  t.is(telemetry.hashrateThs, 5)
})

test('v3: share counters come from API v2 where it is open', async (t) => {
  const old = await v2(t, {
    pools: { ...ok, POOLS: [{ URL: 'stratum+tcp://a:1', User: 'w', Accepted: 12, Rejected: 1, Stale: 0 }] },
  })
  const device = await new V3Device({
    'get.miner.status': {
      code: 0,
      when: 1,
      msg: {
        summary: { 'hash-realtime': 5 },
        pools: [{ url: 'stratum+tcp://a:1', account: 'w', status: 'alive' }],
        edevs: [],
      },
      desc: 'get.miner.status',
    },
  }).start(t)
  const { telemetry } = await observe(whatsminerV3, ioTo({ v3: device.port, rpc: old.port }, []))
  t.is(telemetry.acceptedShares, 12)
  t.is(telemetry.rejectedShares, 1)
  t.is(telemetry.staleShares, 0)
  t.is(telemetry.pools?.[0]?.accepted, 12)
})

test('both generations are told apart by what they answer, and nothing else is taken for one', async (t) => {
  const old = await v2(t)
  const seenOld = await identify(miners, ioTo({ rpc: old.port, http: 1 }, []))
  t.is(seenOld.device?.family, 'stock')
  t.is(seenOld.device?.make, 'MicroBT')
  t.is(`${seenOld.match?.model} ${seenOld.match?.variant}`, 'M30S+ VE40')
  t.is(seenOld.match?.firmware, '20230803.11.REL')

  const info = fixture('whatsminer-v3/m30spp_vh70_apidoc', 'get_device_info.json')
  const both = await new V3Device({ 'get.device.info': info }).start(t)
  const seenBoth = await identify(miners, ioTo({ rpc: old.port, v3: both.port, http: 1 }, []))
  t.is(seenBoth.device?.family, 'stock-v3')
  t.is(seenBoth.match?.mac, 'CA:01:14:00:04:EB')

  const foreign = await v2(t, {
    get_version: { STATUS: [{ STATUS: 'E', Code: 14, Msg: 'Invalid command', Description: 'cgminer 1.0.0' }] },
  })
  const seenForeign = await identify([whatsminer, whatsminerV3], ioTo({ rpc: foreign.port }, []))
  t.is(seenForeign.device, undefined)
  t.ok(seenForeign.seen.length > 0, 'what was seen is said')
})

test('a sleeping btminer that names only its firmware is still recognised', async (t) => {
  const device = await v2(t, {
    get_version: api({ api_ver: '2.0.5', fw_ver: '20230803.11.REL' }),
    devdetails: refused(132, 'command error'),
  })
  const { device: found, match } = await identify([whatsminer, whatsminerV3], ioTo({ rpc: device.port }, []))
  t.is(found, whatsminer)
  t.is(match?.model, undefined, 'no model is guessed')
})

async function failure(promise: Promise<unknown>): Promise<SdkError> {
  try {
    await promise
  } catch (error) {
    return error as SdkError
  }
  throw new Error('it did not fail')
}

test('v3: after one silence of the second port the shares are asked again soon, after several or a refusal only rarely', async (t) => {
  const device = await new V3Device({
    'get.miner.status summary': { code: 0, when: 1, msg: { summary: { 'hash-realtime': 100 } } },
  }).start(t)
  const side = await v2(t)
  const half = () => '{"STATUS":'
  const clock = new FakeClock()
  const io: Io = { ...ioTo({ v3: device.port, rpc: side.port }, admin), clock }
  let replies: Awaited<ReturnType<typeof observe>>['replies'] | undefined
  const visit = async () => {
    await clock.advance(30_000)
    replies = (await observe(whatsminerV3, io, { previous: replies })).replies
    return replies.shares?.error?.code
  }
  side.replies.pools = half
  t.is(await visit(), 'DEVICE_TIMEOUT')
  side.replies.pools = healthy().pools
  t.is(await visit(), undefined, 'there half a minute later')
  side.replies.pools = half
  t.is(await visit(), 'DEVICE_TIMEOUT')
  t.is(await visit(), 'DEVICE_TIMEOUT')
  t.is(await visit(), 'DEVICE_UNSUPPORTED', 'silent again and again')
  const { length } = side.asked
  await visit()
  t.is(side.asked.length, length, 'and left alone')
})
