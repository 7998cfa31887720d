import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type Assertions } from 'brittle'
import fc from 'fast-check'
import { devices, type Io, identify, observe } from '#devices'
import { SdkError } from '#model'
import { openSessions } from '../../src/devices/sessions.js'
import { FakeClock } from '../support/fake-clock.js'

/** The moment of the captures, ms. */
const now = 1_795_455_600_000
const key = 'secret-key-1'

interface Asked {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}
type Answer = (asked: Asked) => { status?: number; headers?: Record<string, string>; body?: unknown }

/** A service on loopback, and a device of the library that reads it as the account `acme`. */
async function service(t: Assertions, library: string, answer: Answer, more: Partial<Io> = {}) {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    const one = { path: request.url!, headers: request.headers, body }
    asked.push(one)
    const { status = 200, headers = {}, body: reply } = answer(one)
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof reply === 'string' ? reply : JSON.stringify(reply))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.teardown(() => server.close())
  const sessions = openSessions()
  const clock = new FakeClock(now)
  const io: Io = {
    host: 'acme',
    ports: {},
    credentials: [{ username: '', password: key }],
    signal: new AbortController().signal,
    memory: new Map(),
    clock,
    sessions,
    options: { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, gapMs: 0 },
    said: { library },
    ...more,
  }
  const device = devices.find((one) => one.library === library)!
  return { asked, io, device, clock, read: () => observe(device, io, { fresh: true }) }
}

function capture(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(`../fixtures/pools/${name}.json`, import.meta.url), 'utf8'))
}

/** The reply of a capture to a request: by its path, with what tells apart requests to the same one. */
function replay(name: string): Answer {
  const replies = capture(name)
  return ({ path, body }) => {
    const [bare, query = ''] = path.split('?') as [string, string?]
    const page = new URLSearchParams(query).get('page_number')
    const type = body ? (JSON.parse(body) as { type?: string }).type : undefined
    const start = bare.replace(/\/\d{10}$/, '/START')
    const found = [`${bare}?${page}`, `${bare}?${type}`, start, bare].find((one) => Object.hasOwn(replies, one))
    return found ? { body: replies[found] } : { status: 404, body: { message: `no ${bare}` } }
  }
}

const paid = (telemetry: { payments?: { type: string; amountBtc: number }[] }) =>
  telemetry.payments?.map(({ type, amountBtc }) => [type, amountBtc])

test('F2Pool: the account as the pool sees it, asked with its key and name', async (t) => {
  const { read, asked, device, io } = await service(t, 'pool-f2pool', replay('f2pool'))
  t.is((await identify([device], io)).device, device)
  t.is(asked.length, 0, 'to recognise it nobody is asked')
  const { telemetry, missing } = await read()
  t.alike(missing, {})
  t.is(telemetry.hashrateThs, 101_200)
  t.is(telemetry.hashrate24hThs, 99_500)
  t.is(telemetry.staleHashrate1hThs, 120)
  t.is(telemetry.balanceBtc, 0.01234567)
  t.is(telemetry.unsettledBtc, 0.03)
  t.is(telemetry.estimatedTodayBtc, 0.0498)
  t.alike([telemetry.workerCount, telemetry.activeWorkers], [2, 1])
  t.alike(
    telemetry.workers?.map(({ name, online, lastShareAt }) => [name, online, lastShareAt]),
    [
      ['c1x1', true, 1_795_455_000_000],
      ['c1x2', false, 1_795_400_000_000],
    ],
  )
  t.alike(paid(telemetry), [
    ['payout', 0.05],
    ['revenue', 0.0512],
  ])
  t.ok(asked.every(({ headers }) => headers['f2p-api-secret'] === key))
  t.is((JSON.parse(asked[0]!.body) as { mining_user_name: string }).mining_user_name, 'acme')
})

test('F2Pool: an error in a good answer is told with its words', async (t) => {
  const refused = await service(t, 'pool-f2pool', () => ({ body: { code: 5010, msg: 'permission denied' } }))
  await t.exception(refused.read(), { code: 'DEVICE_AUTH', message: /permission denied/ })
  const wrong = await service(t, 'pool-f2pool', () => ({ body: { code: 5001, msg: 'params error' } }))
  await t.exception(wrong.read(), { code: 'DEVICE_REFUSED', message: /params error/ })
})

test('OCEAN: numbers that are text, satoshis, no key', async (t) => {
  const { read, asked } = await service(t, 'pool-ocean', replay('ocean'), { host: 'bc1qacme', credentials: [] })
  const { telemetry, missing } = await read()
  t.alike(missing, {})
  t.is(telemetry.hashrateThs, 205.1)
  t.is(telemetry.hashrate24hThs, 200)
  t.alike([telemetry.workerCount, telemetry.activeWorkers], [2, 1])
  t.alike(
    telemetry.workers?.map(({ name, online }) => [name, online]),
    [
      ['rig1', true],
      ['rig2', false],
    ],
  )
  t.is(telemetry.revenue24hBtc, 0.00005, 'of the last day alone')
  t.alike(paid(telemetry), [
    ['revenue', 0.00005],
    ['payout', 0.011],
    ['revenue', 0.00004],
  ])
  t.absent(asked.some(({ headers }) => JSON.stringify(headers).includes(key)))
})

test('Luxor: all pages, only bitcoin is added up', async (t) => {
  const { read, asked } = await service(t, 'pool-luxor', replay('luxor'))
  const { telemetry, missing } = await read()
  t.alike(missing, {})
  t.is(telemetry.hashrateThs, 101_200)
  t.is(telemetry.poolUptimePct, 98.5)
  t.is(telemetry.revenue24hBtc, 0.0512)
  t.is(telemetry.balanceBtc, 0.0123)
  t.alike([telemetry.workerCount, telemetry.activeWorkers], [2, 480])
  t.alike(
    telemetry.workers?.map(({ name, online }) => [name, online]),
    [
      ['c1x1', true],
      ['c1x2', false],
    ],
  )
  t.alike(paid(telemetry), [
    ['payout', 0.05],
    ['revenue', 0.0512],
  ])
  t.ok(asked.every(({ path, headers }) => path.includes('subaccount_names=acme') && headers.authorization === key))
})

test('Luxor: a list without end is read so far and no further', async (t) => {
  const endless = { transactions: [], workers: [], pagination: { next_page_url: '/more' } }
  const { read, asked } = await service(t, 'pool-luxor', () => ({ body: endless }))
  await read()
  t.ok(asked.length <= 21, `${asked.length} calls`)
})

test('Braiins Pool: rates in the unit that it names', async (t) => {
  const { read, asked } = await service(t, 'pool-braiins', replay('braiins'))
  const { telemetry, missing } = await read()
  t.alike(missing, {})
  t.is(telemetry.hashrateThs, 101_200)
  t.is(telemetry.hashrate24hThs, 99_500)
  t.is(telemetry.balanceBtc, 0.01234567)
  t.alike([telemetry.workerCount, telemetry.activeWorkers], [500, 480])
  t.is(telemetry.workers?.[0]?.hashrateThs, 205)
  t.alike(paid(telemetry), [['revenue', 0.0512]])
  t.ok(asked.every(({ headers }) => headers['pool-auth-token'] === key))
})

test('mempool: the network, and what a terahash earns in it', async (t) => {
  const { read } = await service(t, 'network-mempool', replay('mempool'), { credentials: [] })
  const { telemetry, missing } = await read()
  t.alike(missing, {})
  t.is(telemetry.blockHeight, 925_000)
  t.is(telemetry.difficulty, 1.5e14)
  t.is(telemetry.networkHashrateThs, 1.06e9)
  t.alike([telemetry.nextAdjustmentPct, telemetry.blocksToAdjustment], [-1.52, 1121])
  t.alike([telemetry.feeFastSatVb, telemetry.feeHourSatVb, telemetry.feeMinimumSatVb], [6, 3, 1])
  t.is(telemetry.priceUsd, 98_000)
  t.is(telemetry.blockRewardBtc, 3.14)
  t.is(Number(telemetry.hashpriceSatThDay?.toFixed(3)), 42.111)
})

test('what one call cannot tell is missing with the reason; the rest is there', async (t) => {
  const replies = replay('f2pool')
  const { read } = await service(t, 'pool-f2pool', (asked) =>
    asked.path.includes('balance') ? { status: 502, body: 'bad gateway' } : replies(asked),
  )
  const { telemetry, missing } = await read()
  t.is(telemetry.hashrateThs, 101_200)
  t.is(telemetry.balanceBtc, undefined)
  t.is(missing.balanceBtc?.code, 'DEVICE_BAD_REPLY')
  t.ok(missing.balanceBtc?.message.includes('502'))
})

test('who says "too many requests" is left in peace for as long as it wants, by all accounts of the worker', async (t) => {
  const replies = replay('f2pool')
  const { read, asked, clock, io, device } = await service(t, 'pool-f2pool', (one) =>
    one.path.includes('balance') ? { status: 429, headers: { 'retry-after': '120' }, body: {} } : replies(one),
  )
  const { telemetry, missing } = await read()
  t.is(telemetry.hashrateThs, 101_200)
  t.is(missing.balanceBtc?.code, 'DEVICE_BUSY')
  t.is(missing.workers?.code, 'DEVICE_BUSY', 'nothing more is asked in this visit')
  const before = asked.length
  await t.exception(read(), { code: 'DEVICE_BUSY' })
  await t.exception(observe(device, { ...io, host: 'another', memory: new Map() }), { code: 'DEVICE_BUSY' })
  t.is(asked.length, before, 'nobody asked')
  await clock.advance(121_000)
  await read()
  t.ok(asked.length > before, 'later it is asked again')
})

test('the pause between two calls is kept, over accounts', async (t) => {
  const times: number[] = []
  const replies = replay('ocean')
  const { io, device, clock } = await service(
    t,
    'pool-ocean',
    (one) => {
      times.push(clock.hr())
      return replies(one)
    },
    { host: 'bc1qacme', credentials: [] },
  )
  const paced = { ...io, options: { ...io.options, gapMs: 1000 } }
  const both = Promise.all([
    observe(device, paced, { timeoutMs: 60_000 }),
    observe(device, { ...paced, memory: new Map() }, { timeoutMs: 60_000 }),
  ])
  let done = false
  both.then(() => {
    done = true
  })
  while (!done) {
    await clock.advance(100)
    await new Promise((next) => setImmediate(next))
  }
  const gaps = times.slice(1).map((time, at) => time - times[at]!)
  t.is(times.length, 6)
  t.ok(
    gaps.every((gap) => gap >= 900),
    `${gaps}`,
  )
})

test('a key is never sent in the open, and never stands in an error or a record', async (t) => {
  const { asked, io, device } = await service(t, 'pool-luxor', () => ({
    status: 403,
    body: { message: `no ${'x'.repeat(10)}` },
  }))
  const error = await observe(device, io).catch((error: SdkError) => error)
  t.ok(error instanceof SdkError && error.code === 'DEVICE_AUTH')
  t.absent(JSON.stringify(error).includes(key) || String((error as Error).stack).includes(key))
  const before = asked.length
  const open = { ...io, sessions: openSessions(), options: { baseUrl: 'http://pool.example.com', gapMs: 0 } }
  await t.exception(observe(device, open), { code: 'CONFIG_INVALID', message: /https only/ })
  const keyless = { ...io, sessions: openSessions(), credentials: [] }
  await t.exception(observe(device, keyless), { code: 'DEVICE_AUTH', message: /needs the key/ })
  t.is(asked.length, before, 'without a key nobody is asked')
})

test('whatever a service answers, nothing but a value or a reason comes of it', async (t) => {
  const json = fc.jsonValue({ maxDepth: 4 })
  for (const library of ['pool-f2pool', 'pool-ocean', 'pool-luxor', 'pool-braiins', 'network-mempool']) {
    let reply: unknown
    const { read } = await service(t, library, () => ({ body: reply }))
    await fc.assert(
      fc.asyncProperty(json, async (value) => {
        reply = value ?? {}
        const outcome = await read().catch((error: unknown) => error)
        if (outcome instanceof SdkError) return true
        const { telemetry } = outcome as { telemetry: Record<string, unknown> }
        return Object.values(telemetry).every((value) => typeof value !== 'number' || Number.isFinite(value))
      }),
      { numRuns: 40 },
    )
    t.pass(library)
  }
})
