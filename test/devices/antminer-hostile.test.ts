import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import test from 'brittle'
import fc from 'fast-check'
import { observe, type Telemetry } from '#devices'
import { SdkError, systemClock } from '#model'
import { parsePools } from '../../src/devices/kit/cgminer-pools.js'
import { antminerStock } from '../../src/devices/miners/antminer.js'
import { parseSummary } from '../../src/devices/miners/antminer-replies.js'
import {
  parseBlink,
  parseConf,
  parseInfo,
  parseMinerType,
  parseNetwork,
} from '../../src/devices/miners/antminer-settings.js'
import { parseStats } from '../../src/devices/miners/antminer-stats.js'
import { AntminerDevice, asS19, capture, type Seen } from './antminer-device.js'
import { flaw } from './fake-miner.js'
import { spoiled, strange } from './strange.js'

const parsers = { parseStats, parseSummary, parsePools, parseConf, parseInfo, parseNetwork, parseMinerType, parseBlink }
const captures = [
  's19_fleet/web_stats.json',
  's19_fleet/web_summary.json',
  's19_fleet/web_get_miner_conf.json',
  's19_fleet/web_get_system_info.json',
  's19_fleet/rpc_pools.json',
  's19pro_v2020/stats.json',
  's19pro_v2020/summary.json',
  's19pro_v2020/pools.json',
  's21proplus/rpc_stats_new_api.json',
  's23_hyd/stats.cgi.json',
  's23_hyd/rpc_stats.json',
].map(capture)

/** Any reply is taken or refused with a code, never with anything else. */
function outcome(parse: (reply: unknown) => unknown, reply: unknown) {
  try {
    return flaw(parse(reply))
  } catch (error) {
    return error instanceof SdkError && error.code.startsWith('DEVICE_') ? undefined : String(error)
  }
}

test('any value at any place of a reply is taken or refused with a code', (t) => {
  const at = fc.record({ which: fc.nat(), steps: fc.array(fc.nat(), { minLength: 1, maxLength: 6 }), value: strange })
  fc.assert(
    fc.property(at, ({ which, steps, value }) => {
      const reply = spoiled(captures[which % captures.length], steps, value)
      return Object.values(parsers).every((parse) => outcome(parse, reply) === undefined)
    }),
    { numRuns: 1500 },
  )
  t.pass()
})

test('any reply at all is taken or refused with a code', (t) => {
  fc.assert(
    fc.property(strange, (reply) => Object.values(parsers).every((parse) => outcome(parse, reply) === undefined)),
    { numRuns: 1000 },
  )
  t.pass()
})

test('the order of fields and boards means nothing', (t) => {
  const stats = capture('s23_hyd/stats.cgi.json') as { STATS: { chain: { index: number }[] }[] }
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled)
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, inner]) => [key, shuffled(inner)])
        .reverse(),
    )
  }
  const mixed = shuffled(stats) as typeof stats
  t.alike(parseStats(mixed), parseStats(stats))
  mixed.STATS[0]!.chain.reverse()
  t.alike(
    parseStats(mixed).chains!.map(({ slot }) => slot),
    [2, 1, 0],
  )
})

test('what a device does not say is absent, never 0', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const empty = { STATUS: { STATUS: 'S' }, INFO: { type: 'Antminer S19' } }
  device.cgi.stats = {
    ...empty,
    STATS: [{ elapsed: '', rate_5s: 'nan', rate_avg: null, fan: ['', -1, 3000], chain: [{}] }],
  }
  device.cgi.summary = { ...empty, SUMMARY: [{}] }
  device.cgi.pools = { ...empty, POOLS: [{}] }
  const { telemetry: now } = await observe(antminerStock, device.io())
  for (const field of [
    'hashrateThs',
    'hashrateAvgThs',
    'miningUptimeS',
    'powerW',
    'hwErrors',
    'acceptedShares',
    'bestShare',
    'boardTempMaxC',
  ] as const)
    t.is(now[field], undefined, field)
  t.alike(now.fans, [{ index: 2, rpm: 3000 }], 'a fan keeps its place')
  t.is(now.boards![0]!.hashrateThs, undefined)
})

test('sensors that measure nothing are no temperatures', (t) => {
  const stats = capture('s23_hyd/stats.cgi.json') as { STATS: { chain: Record<string, unknown>[] }[] }
  stats.STATS[0]!.chain[0]!.temp_pcb = [0, -1, 255, 44]
  t.alike(parseStats(stats).chains![0]!.pcb, [undefined, undefined, undefined, 44])
})

test('the defects of old bmminers are read: no comma between the sections, numbers as text, chains from 6 on', async (t) => {
  const device = await new AntminerDevice().start(t)
  device.rpc.stats =
    '{"STATUS":[{"STATUS":"S","When":1,"Code":70,"Msg":"CGMiner stats"}],"STATS":[{"BMMiner":"2.0.0","Type":"Antminer S9"}{"STATS":0,"Elapsed":100,"GHS 5s":"13543.2","GHS av":13500,"fan_num":2,"fan1":0,"fan3":5880,"fan4":0,"fan5":0,"fan6":4440,"miner_count":3,"temp6":60,"temp2_6":75,"temp7":61,"temp2_7":76,"temp8":62,"temp2_8":77,"chain_acn6":63,"chain_acn7":63,"chain_acn8":63,"chain_rate6":"4500.1","chain_rate7":"4500.2","chain_rate8":""}],"id":1}'
  const { telemetry: now } = await observe(antminerStock, device.io())
  t.is(now.model, 'S9')
  t.is(now.hashrateThs, 13.5432)
  t.alike(
    now.boards!.map(({ slot, chips, boardTempC }) => [slot, chips, boardTempC]),
    [
      [0, 63, 60],
      [1, 63, 61],
      [2, 63, 62],
    ],
  )
  t.is(now.boards![2]!.hashrateThs, undefined)
  t.is(now.chipTempMaxC, 77)
  t.alike(
    now.fans,
    [
      { index: 0, rpm: 5880 },
      { index: 1, rpm: 4440 },
    ],
    'the two places in use of six',
  )
})

const deadlineMs = 1500

/** What a visit to such a device ends with: what was read, or the code; `late` if it took far longer than it may. */
async function visit(device: AntminerDevice): Promise<Telemetry | string> {
  const started = performance.now()
  const end = await observe(antminerStock, device.io(), { timeoutMs: deadlineMs }).then(
    ({ telemetry }) => telemetry,
    (error: unknown) => (error instanceof SdkError ? error.code : `not ours: ${error}`),
  )
  return performance.now() - started > deadlineMs * 4 ? 'late' : end
}

const floods = 'x'.repeat(65_536)
const web: Record<string, (seen: Seen, response: ServerResponse) => unknown> = {
  'says nothing': () => new Promise(() => {}),
  'cuts the connection': ({ socket }) => void socket.destroy(),
  'sends half an answer': (_, response) => {
    const whole = JSON.stringify(capture('s19_fleet/web_stats.json'))
    response.writeHead(200, { 'content-length': whole.length })
    response.write(whole.slice(0, 700))
    setTimeout(() => response.destroy(), 20)
  },
  'sends half an answer and stays': (_, response) => {
    response.writeHead(200, { 'content-length': 1000 })
    response.write('{"STATS":')
    return new Promise(() => {})
  },
  'never ends': (_, response) =>
    new Promise(() => {
      response.writeHead(200)
      const more = () => {
        while (!response.destroyed && response.write(floods));
      }
      response.on('drain', more)
      more()
    }),
  'answers a page': () => '<html>hello</html>',
  'answers no HTTP': ({ socket }) => {
    socket.end('\u0000\u0001garbage\r\n\r\n')
  },
  'nests without end': () => '['.repeat(500_000),
  fails: (_, response) => void response.writeHead(500).end('oops'),
  'sends elsewhere': (_, response) => void response.writeHead(307, { location: 'https://127.0.0.1/' }).end(),
}

for (const [name, answer] of Object.entries(web)) {
  test(`a web interface that ${name}: an error in time, or the RPC`, async (t) => {
    const device = await new AntminerDevice({ open: true }).start(t)
    for (const cgi of [
      'stats',
      'summary',
      'pools',
      'get_miner_conf',
      'get_system_info',
      'get_network_info',
      'miner_type',
      'get_blink_status',
    ])
      device.cgi[cgi] = answer
    const alone = await visit(device)
    t.ok(typeof alone === 'string' && alone.startsWith('DEVICE_'), String(alone))
    for (const command of ['stats', 'summary', 'pools']) device.rpc[command] = capture(`s19pro_v2020/${command}.json`)
    const both = await visit(device)
    t.is(typeof both === 'string' ? both : both.hashrateThs, 110.56689)
  })
}

const rpc: Record<string, (socket: Socket) => void> = {
  'says nothing': () => {},
  'cuts the connection': (socket) => socket.destroy(),
  'sends half an answer': (socket) => socket.end('{"STATUS":[{"STATUS":"S"}],"STATS":[{"Elap'),
  'never ends': (socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write(floods));
    }
    socket.on('drain', more)
    socket.write('{"a":"')
    more()
  },
  'lost its miner': (socket) => socket.end('Socket connect failed: Connection refused\n'),
  'nests without end': (socket) => socket.end('['.repeat(500_000)),
}

for (const [name, answer] of Object.entries(rpc)) {
  test(`an RPC that ${name}, behind a web that is closed: an error in time`, async (t) => {
    const device = await new AntminerDevice({ open: true }).start(t)
    for (const command of ['stats', 'summary', 'pools']) {
      device.rpc[command] = answer
      device.rpc[`${command} new`] = answer
    }
    await device.stopWeb()
    const seen = await visit(device)
    t.ok(typeof seen === 'string' && seen.startsWith('DEVICE_'), String(seen))
  })
}

test('nobody there: unreachable, at once', async (t) => {
  const device = new AntminerDevice()
  try {
    await observe(antminerStock, { ...device.io(), ports: { http: 1, rpc: 1, engineering: 1 }, clock: systemClock })
    t.fail('nothing was read')
  } catch (error) {
    t.is((error as SdkError).code, 'DEVICE_UNREACHABLE')
  }
})

test('one broken page of many makes only its fields missing', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  device.cgi.get_miner_conf = '{"pools":[{'
  device.cgi.pools = '<html>'
  const { telemetry: now, missing } = await observe(antminerStock, device.io())
  t.is(now.hashrateThs, 88.422)
  t.is(missing.pools?.code, 'DEVICE_BAD_REPLY')
  t.is(missing.fanDutyPct?.code, 'DEVICE_TIMEOUT', 'half an answer')
  t.absent(missing.hashrateThs)
})
