import test from 'brittle'
import type { DeviceRecord } from '#model'
import { createRing } from '../../src/gateway/stream/ring.js'
import { until } from '../support/fake-clock.js'
import { miner } from './farm.js'
import { listenTo } from './listen.js'
import { openSite, type Site } from './site.js'

function warm({ farm }: Site, name: string, powerW: number): DeviceRecord {
  const known = farm.home.record(`home.wm.${name}`)!
  const record = { ...known, metrics: { ...known.metrics, powerW } }
  farm.home.change({ records: [record] })
  return record
}

const ids = (told: { data: { records: { id: string }[] } }) => told.data.records.map(({ id }) => id).sort()

test('a change is told at once, the next within a second, each device once and as it is then', async (t) => {
  const site = await openSite(t)
  const stream = await listenTo(t, site, '?events=devices')
  t.is(stream.headers['content-type'], 'text/event-stream')
  t.is(stream.headers['cache-control'], 'no-store')
  await site.clock.advance(1000)
  warm(site, 'a', 1)
  await site.clock.advance(0)
  t.alike(ids(await stream.next('devices')), ['home.wm.a'])
  for (let powerW = 2; powerW < 50; powerW++) warm(site, 'a', powerW)
  warm(site, 'b', 7)
  await site.clock.advance(999)
  t.is(stream.told.length, 0)
  await site.clock.advance(1)
  const told = await stream.next('devices')
  t.alike(ids(told), ['home.wm.a', 'home.wm.b'])
  t.is(told.data.records.find(({ id }: DeviceRecord) => id === 'home.wm.a').metrics.powerW, 49)
  t.alike(told.data.removed, [])
  site.farm.home.change({ removed: ['home.wm.b'] })
  await site.clock.advance(1000)
  t.alike((await stream.next('devices')).data, { records: [], removed: ['home.wm.b'] })
})

test('totals follow the devices, commands their progress, and only what was asked for is told', async (t) => {
  const site = await openSite(t)
  const stream = await listenTo(t, site, '?events=fleet,commands')
  const first = await stream.next('fleet')
  t.is(first.data.totals.devices, 5)
  t.alike(Object.keys(first.data), ['site', 'at', 'totals', 'simulated'])
  warm(site, 'a', 1)
  await site.clock.advance(1000)
  t.is((await stream.next('fleet')).data.totals.powerW, 15_001)

  const body = { command: 'reboot', targets: { ids: ['home.wm.a'] } }
  const { id } = (await site.ask('/api/v1/commands', { method: 'POST', body })).json
  await site.clock.advance(1000)
  t.alike(
    (await stream.next('commands')).data.jobs.map((job: { id: string; state: string }) => [job.id, job.state]),
    [[id, 'running']],
  )
  site.farm.jobs.set(id, { ...site.farm.jobs.get(id)!, state: 'done' })
  await until(async () => {
    await site.clock.advance(1000)
    return stream.told.some(({ event }) => event === 'commands')
  }, 'a running command is asked for until it ends')
  t.is((await stream.next('commands')).data.jobs[0].state, 'done')
  t.absent(stream.told.some(({ event }) => event === 'devices'))
})

test('fields cut the records down', async (t) => {
  const site = await openSite(t)
  const stream = await listenTo(t, site, '?events=devices&fields=status')
  warm(site, 'a', 1)
  await site.clock.advance(1000)
  t.alike((await stream.next('devices')).data.records, [{ id: 'home.wm.a', status: 'mining' }])
})

test('who comes back is told what changed meanwhile, as it is now', async (t) => {
  const site = await openSite(t)
  const before = await listenTo(t, site, '?events=devices')
  warm(site, 'a', 1)
  await site.clock.advance(1000)
  const { id } = await before.next('devices')
  before.close()
  warm(site, 'b', 2)
  await site.clock.advance(1000)
  warm(site, 'b', 3)
  site.farm.home.change({ removed: ['home.wm.c'] })
  await site.clock.advance(1000)
  const after = await listenTo(t, site, '?events=devices', { lastEventId: id })
  const told = await after.next('devices')
  t.alike(ids(told), ['home.wm.b'])
  t.is(told.data.records[0].metrics.powerW, 3)
  t.alike(told.data.removed, ['home.wm.c'])
  t.not(after.lastId, id)
})

test('who comes back too late, from another run or with nonsense reads everything anew', async (t) => {
  const site = await openSite(t)
  const { lastId } = await listenTo(t, site, '?events=devices')
  for (const lastEventId of ['nonsense', '', 'abc-1', `${lastId.split('-')[0]}-99`, `${lastId}0000000000000000`]) {
    const stream = await listenTo(t, site, '?events=devices', { lastEventId })
    t.alike((await stream.next('reset')).data, {}, `after ${JSON.stringify(lastEventId)}`)
    stream.close()
  }
})

test('the memory for those who come back has an end', (t) => {
  const ring = createRing('run', { maxRounds: 3, maxNames: 6 })
  const start = ring.lastId
  ring.push(['a'], [])
  const one = ring.lastId
  ring.push(['b'], ['a'])
  ring.push(['a'], [])
  t.alike(ring.since(start), { changed: new Set(['b', 'a']), removed: new Set() })
  t.alike(ring.since(ring.lastId), { changed: new Set(), removed: new Set() })
  ring.push(['c'], [])
  t.absent(ring.since(start), 'a round too many')
  t.ok(ring.since(one))
  ring.push(['d', 'e', 'f', 'g'], [])
  t.absent(ring.since(one), 'too many names')
  t.alike(ring.since(ring.lastId)?.changed, new Set())
})

test('a client limited to sites hears only of them, and not even the name of what was removed', async (t) => {
  const site = await openSite(t)
  const stream = await listenTo(t, site, '', { token: await site.tokenOf('read', ['north']) })
  t.is((await stream.next('fleet')).data.totals.devices, 1)
  warm(site, 'a', 1)
  site.farm.north.change({ records: [miner('north.am.x', 'north', 'am', 5)] })
  await site.clock.advance(1000)
  t.alike(ids(await stream.next('devices')), ['north.am.x'])
  site.farm.home.change({ removed: ['home.wm.a'] })
  await site.clock.advance(1000)
  await stream.next('reset')
  t.absent(JSON.stringify(stream.told).includes('home.wm'))
})

test('a heartbeat every 15 seconds; it ends with the token', async (t) => {
  const site = await openSite(t)
  const token = await site.tokenOf('read')
  const stream = await listenTo(t, site, '', { token })
  await site.clock.advance(15_000)
  await until(() => stream.comments.length > 0, 'a heartbeat')
  t.is(stream.comments[0], 'heartbeat')
  await site.ask(`/api/v1/tokens/${token.split('_')[1]}`, { method: 'DELETE' })
  await site.clock.advance(15_000)
  await until(() => stream.ended, 'the end')
  t.pass()
})

test('a client that reads nothing is not buffered for: it hears the newest when it reads again, and is cut if it never does', async (t) => {
  const site = await openSite(t)
  const many = Array.from({ length: 500 }, (_, at) =>
    miner(`home.wm.many-${at}`, 'home', 'wm', site.clock.now(), { hostname: 'x'.repeat(2000) }),
  )
  const change = (round: number) =>
    site.farm.home.change({
      records: many.map((record) => ({ ...record, askedAt: site.clock.now(), metrics: { uptimeS: round } })),
    })
  const slow = await listenTo(t, site, '?events=devices')
  const quick = await listenTo(t, site, '?events=devices')
  slow.pause()
  const before = process.memoryUsage().rss
  for (let round = 1; round <= 20; round++) {
    change(round)
    await site.clock.advance(1000)
    let seen = 0
    while (seen < many.length) seen += (await quick.next('devices')).data.records.length
  }
  const grownMb = (process.memoryUsage().rss - before) / 2 ** 20
  t.ok(grownMb < 150, `10,000 records of some 3 kB grew the process by ${Math.round(grownMb)} MB`)
  slow.resume()
  const newest = new Set<string>()
  await until(() => {
    for (const { data } of slow.told)
      for (const record of data.records) if (record.metrics.uptimeS === 20) newest.add(record.id)
    return newest.size === many.length
  }, 'the newest of every device')
  const heard = slow.told.reduce((sum, { data }) => sum + data.records.length, 0)
  t.ok(heard < 20 * many.length, `${heard} of ${20 * many.length} records were sent to the slow one`)

  slow.pause()
  let stalled = 0
  await until(async () => {
    change(100 + stalled++)
    await site.clock.advance(15_000)
    const services = (await site.ask('/api/v1/services')).json.data
    return services.find((one: { name: string }) => one.name === 'api').stats.streams === 1
  }, 'the slow one to be cut')
  t.absent(quick.ended, 'the quick one stays')
})

test('a device whose worker fell silent is told as stale, and leaves the totals', async (t) => {
  const site = await openSite(t)
  const stream = await listenTo(t, site, '?events=devices,fleet&fields=status')
  t.is((await stream.next('fleet')).data.totals.live, 4)
  await site.clock.advance(60_000)
  t.alike((await stream.next('devices')).data.records.map(({ status }: DeviceRecord) => status).slice(0, 3), [
    'stale',
    'stale',
    'stale',
  ])
  await until(() => stream.told.some(({ data }) => data.totals?.live === 0), 'no live device')
})

test('streams are counted: too many of one caller are refused, closed ones do not count', async (t) => {
  const site = await openSite(t)
  const token = await site.tokenOf('read')
  const open = await Promise.all(Array.from({ length: 20 }, () => listenTo(t, site, '', { token })))
  t.is((await listenTo(t, site, '', { token })).status, 429)
  t.is((await listenTo(t, site)).status, 200, 'another caller')
  open[0]!.close()
  await until(async () => {
    const again = await listenTo(t, site, '', { token })
    return again.status === 200
  }, 'a place')
  t.pass()
})

test('streams need a token, and wrong queries are refused before anything is streamed', async (t) => {
  const site = await openSite(t)
  t.is((await site.ask('/api/v1/stream', { token: null })).status, 401)
  const wrong = await site.ask('/api/v1/stream?events=weather')
  t.alike([wrong.status, wrong.json.problems[0].path], [400, '/events/0'])
  t.is((await site.ask('/api/v1/stream', { method: 'HEAD' })).status, 404, 'no stream for who asks for the head')
})
