import test from 'brittle'
import fc from 'fast-check'
import { type DeviceRecord, type Event, isLive, silentLog } from '#model'
import { type Change, type DeviceQuery, type FleetView, fleetView, type Reader } from '#replication'
import { FakeClock } from '../support/fake-clock.js'
import { open, record, start } from './support.js'

const sixMinutes = 360_000

/** A feed that says what it is told: the part of a reader that a view listens to, without a store behind it. */
class Feed implements Reader {
  readonly worker: string
  readonly site: string
  readonly intervalMs = 10_000
  readonly #records = new Map<string, DeviceRecord>()
  readonly #listeners = new Set<(change: Change) => void>()
  readonly #events: Event[] = []

  constructor(worker: string, records: readonly DeviceRecord[] = [], site = 'home') {
    this.worker = worker
    this.site = site
    for (const each of records) this.#records.set(each.id, each)
  }

  put(...records: DeviceRecord[]): void {
    for (const each of records) this.#records.set(each.id, each)
    for (const listener of this.#listeners) listener({ records, removed: [], events: [] })
  }

  remove(id: string): void {
    this.#records.delete(id)
    for (const listener of this.#listeners) listener({ records: [], removed: [id], events: [] })
  }

  say(...events: Event[]): void {
    this.#events.push(...events)
    for (const listener of this.#listeners) listener({ records: [], removed: [], events })
  }

  get listeners(): number {
    return this.#listeners.size
  }

  records = () => [...this.#records.values()]
  record = (id: string) => this.#records.get(id)
  watch(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  history = () => Promise.reject(new Error('has no history'))
  events = (): Promise<Event[]> => Promise.resolve(this.#events)
  settings = () => Promise.resolve([])
}

function viewOf(feeds: readonly Reader[], clock = new FakeClock(start)): FleetView {
  return fleetView({ readers: () => feeds }, { clock })
}

const id = (index: number) => `d${String(index).padStart(5, '0')}`

test('a device is stale when its poller is late, and then counts in no sum', async (t) => {
  const clock = new FakeClock(start)
  const feed = new Feed('wm', [
    record('a', start, { hashrateThs: 100, powerW: 3000 }),
    record('b', start - 25_000, { hashrateThs: 50, powerW: 1500 }),
    record('gone', start - 90_000, { hashrateThs: 7 }, { status: 'offline', askedAt: start }),
    record('new', null, {}, { status: 'unknown', health: 'unknown' }),
  ])
  const view = viewOf([feed], clock)
  t.is(view.totals().hashrateThs, 150)
  t.is(view.totals().efficiencyJTh, 30)
  await clock.advance(5000)
  t.is(view.device('b')?.status, 'stale')
  t.is(view.device('b')?.health, 'unknown')
  t.is(view.device('b')?.metrics.hashrateThs, 50, 'its last values stay to be seen')
  t.is(view.totals().hashrateThs, 100)
  t.alike(view.totals().byStatus, { mining: 1, stale: 1, offline: 1, unknown: 1 })
  t.alike(
    view.match({ status: ['stale'] }).map((each) => each.id),
    ['b'],
  )
  feed.put(record('b', start + 5000, { hashrateThs: 60 }))
  t.is(view.totals().hashrateThs, 160)
  t.alike(view.totals().reporting, { hashrateThs: 2, powerW: 1 })
  t.is(view.totals().efficiencyJTh, 30, 'of those that report both')
  await clock.advance(25_000)
  t.is(view.device('gone')?.status, 'offline', 'it is asked rarely, so it is not late yet')
  await clock.advance(sixMinutes)
  t.is(view.device('gone')?.status, 'offline', 'what is not live counts in no sum anyway, and its own reason says more')
  t.is(view.totals().hashrateThs, null, 'nobody reports: unknown, not 0')
  t.is(view.totals().live, 0)
})

test('totals are the naive sums, whatever changes', async (t) => {
  const reading = fc.option(fc.integer({ min: 0, max: 5000 }), { nil: null })
  const change = fc.record({
    device: fc.nat(12),
    status: fc.constantFrom('mining', 'offline', 'sleeping', 'unknown', 'error' as const),
    hashrateThs: reading,
    powerW: reading,
    age: fc.integer({ min: 0, max: 60_000 }),
    removed: fc.boolean(),
    wait: fc.integer({ min: 0, max: 20_000 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 40 }), async (changes) => {
      const clock = new FakeClock(start)
      const feeds = [new Feed('one'), new Feed('two', [], 'north')]
      const view = viewOf(feeds, clock)
      for (const { device, status, hashrateThs, powerW, age, removed, wait } of changes) {
        await clock.advance(wait)
        const feed = feeds[device % 2]!
        if (removed) feed.remove(id(device))
        else feed.put(record(id(device), clock.now() - age, { hashrateThs, powerW }, { status, site: feed.site }))
        const live = feeds
          .flatMap((each) => each.records())
          .filter((each) => isLive(each.status) && clock.now() - each.askedAt! < 30_000)
        for (const filter of [undefined, { site: ['north'] }]) {
          const counted = live.filter((each) => !filter || filter.site.includes(each.site))
          for (const name of ['hashrateThs', 'powerW'] as const) {
            const known = counted.map(({ metrics }) => metrics[name]).filter((value) => value != null)
            const sum = known.length === 0 ? null : known.reduce((total, value) => total + value, 0)
            if (view.totals(filter)[name] !== sum)
              throw new Error(`${name}: ${view.totals(filter)[name]} instead of ${sum}`)
          }
          if (view.totals(filter).live !== counted.length) throw new Error('live')
        }
      }
      view.close()
    }),
    { numRuns: 100 },
  )
  t.pass()
})

test('cursors show everything exactly once while values change and devices come and go', (t) => {
  for (const sort of ['id', '-hashrateThs', 'hashrateThs', 'status', '-rack']) {
    const records = Array.from({ length: 500 }, (_, index) =>
      record(id(index), start, index % 5 ? { hashrateThs: index % 50 } : {}, {
        location: index % 3 ? { rack: index % 7 } : {},
      }),
    )
    const feed = new Feed('wm', records)
    const view = viewOf([feed])
    const seen: string[] = []
    let cursor: string | undefined
    for (let page = 0; page < 1000; page++) {
      const query: DeviceQuery = { sort, limit: 37, ...(cursor === undefined ? {} : { cursor }) }
      const { data, nextCursor, total } = view.devices(query)
      t.is(total, 500)
      seen.push(...data.map((each) => each.id))
      // Everything changes its place; some are removed, some are new.
      for (let index = 0; index < 500; index += 3)
        feed.put(record(id(index), start, { hashrateThs: (index * 7 + page * 13) % 50 }))
      feed.remove(id(page))
      feed.put(record(`new${page}`, start, { hashrateThs: 25 }))
      view.devices({ sort })
      if (nextCursor === null) break
      cursor = nextCursor
    }
    t.is(new Set(seen).size, seen.length, `${sort}: nothing twice`)
    const missing = records.map((each) => each.id).filter((each) => !seen.includes(each) && feed.record(each))
    t.alike(missing, [], `${sort}: nothing left out`)
  }
})

test('a cursor goes on in another view, as after a restart of the gateway', (t) => {
  const feed = new Feed(
    'wm',
    Array.from({ length: 100 }, (_, index) => record(id(index), start, index % 4 ? { powerW: index % 10 } : {})),
  )
  for (const sort of ['-powerW', 'powerW', 'id']) {
    const seen: string[] = []
    let cursor: string | undefined
    for (let clock = start; ; clock++) {
      const page = viewOf([feed], new FakeClock(clock)).devices({
        sort,
        limit: 7,
        ...(cursor === undefined ? {} : { cursor }),
      })
      seen.push(...page.data.map((each) => each.id))
      if (page.nextCursor === null) break
      cursor = page.nextCursor
    }
    t.alike(
      [...seen].sort(),
      feed.records().map((each) => each.id),
      sort,
    )
    t.is(seen.length, 100)
  }
})

test('unknown values sort last both ways; a sort or cursor that is none is refused', (t) => {
  const view = viewOf([
    new Feed('wm', [
      record('a', start, { powerW: 1 }),
      record('b', start),
      record('c', start, { powerW: 2 }),
      record('d', start, { powerW: 0 }),
    ]),
  ])
  const order = (sort: string) =>
    view
      .devices({ sort })
      .data.map((each) => each.id)
      .join('')
  t.is(order('powerW'), 'dacb')
  t.is(order('-powerW'), 'cadb')
  t.exception(() => view.devices({ sort: 'toString' }), /cannot be sorted/)
  for (const cursor of ['', 'x', Buffer.from('[1]').toString('base64url'), Buffer.from('{}').toString('base64url')]) {
    t.exception(() => view.devices({ cursor }), /not one of ours/)
  }
  const { nextCursor } = view.devices({ sort: 'powerW', limit: 1 })
  t.exception(() => view.devices({ sort: '-powerW', cursor: nextCursor! }), /another query/)
})

test('filters: all conditions, any of a list, words over what names a device', (t) => {
  const view = viewOf([
    new Feed('wm', [
      record('a', start, {}, { tags: ['row-a', 'hot'], location: { container: 'c1', rack: 2 }, mac: 'C4:11:AA' }),
      record('b', start, {}, { model: 'M30S', location: { container: 'c1', rack: '3' }, status: 'sleeping' }),
    ]),
    new Feed('am', [record('c', start, {}, { worker: 'am', model: 'S21', kind: 'miner', name: 'Corner' })]),
  ])
  const found = (filter: DeviceQuery['filter']) =>
    view
      .match(filter ?? {})
      .map((each) => each.id)
      .join('')
  t.is(found({}), 'abc')
  t.is(found({ model: ['M30S', 'S21'] }), 'bc')
  t.is(found({ container: ['c1'], rack: ['2'] }), 'a')
  t.is(found({ tag: ['hot'] }), 'a')
  t.is(found({ status: ['mining'], worker: ['am'] }), 'c')
  t.is(found({ q: 'c4:11' }), 'a')
  t.is(found({ q: ' corner ' }), 'c')
  t.is(found({ status: [] }), '', 'an empty list has no alternative that fits')
})

test('groups; racks are told apart by container, devices without a place have the group ""', (t) => {
  const view = viewOf([
    new Feed('wm', [
      record('a', start, { powerW: 1 }, { location: { container: 'c1', rack: 1 }, tags: ['x', 'y'] }),
      record('b', start, { powerW: 2 }, { location: { container: 'c2', rack: 1 }, tags: ['x'] }),
    ]),
    new Feed('wm', [record('c', start, { powerW: 4 }, { site: 'north' })], 'north'),
  ])
  const powers = (by: Parameters<FleetView['groups']>[0]) =>
    Object.fromEntries(view.groups(by).map(({ key, totals }) => [key, totals.powerW]))
  t.alike(powers('site'), { home: 3, north: 4 })
  t.alike(powers('rack'), { '': 4, 'c1/1': 1, 'c2/1': 2 })
  t.alike(powers('tag'), { '': 4, x: 3, y: 1 })
  t.alike(powers('worker'), { wm: 7 })
})

test('a feed speaks for the devices of its own site alone', (t) => {
  const view = viewOf([
    new Feed('wm', [record('a', start, { powerW: 1 })]),
    new Feed(
      'wm',
      [record('a', start + 1, { powerW: 9 }, { site: 'north' }), record('b', start, { powerW: 5 })],
      'north',
    ),
  ])
  t.is(view.device('a')?.metrics.powerW, 1, 'nobody takes over a device by its id')
  t.absent(view.device('b'))
  t.is(view.totals().powerW, 1)
})

test("listeners hear from a feed of nothing that is another site's: no record, no removal, no event", async (t) => {
  const home = new Feed('wm', [record('a', start, { powerW: 1 })])
  const north = new Feed('wm', [record('c', start, {}, { site: 'north' })], 'north')
  const view = viewOf([home, north])
  const heard: string[] = []
  view.watch(({ records, removed, events }) =>
    heard.push(
      ...records.map(({ id, site }) => `${site} ${id}`),
      ...removed.map((gone) => `-${gone}`),
      ...events.map(({ message }) => message),
    ),
  )
  const event = (deviceId: string, message: string): Event => ({ at: start, type: 'status', deviceId, message })
  north.put(record('a', start + 1, {}, { site: 'north' }), record('b', start + 1, {}, { site: 'home' }))
  north.remove('a')
  north.say(event('a', 'north speaks of a'))
  t.alike(heard, [])
  t.alike(
    (await view.events({})).map(({ message }) => message),
    [],
  )
  north.put(record('c', start + 1, {}, { site: 'north' }))
  north.say(event('c', 'north speaks of c'))
  home.remove('a')
  t.alike(heard, ['north c', 'north speaks of c', '-a'])
  t.alike(
    (await view.events({})).map(({ message }) => message),
    ['north speaks of a', 'north speaks of c'],
    'once home speaks of it no more, what others said of it is told',
  )
})

test('how current each feed is stands beside it', (t) => {
  const clock = new FakeClock(start + 5000)
  const view = viewOf([new Feed('wm', [record('a', start), record('b', start + 1000)], 'north'), new Feed('am')], clock)
  t.alike(view.feeds(), [
    { worker: 'am', site: 'home', devices: 0, at: null, ageMs: null, connections: null, behind: 0 },
    { worker: 'wm', site: 'north', devices: 2, at: start + 1000, ageMs: 4000, connections: null, behind: 0 },
  ])
})

test('readers come and go; what they leave is let go of', (t) => {
  const one = new Feed('one', [record('a', start)])
  const two = new Feed('two', [record('b', start)])
  const readers: Reader[] = [one]
  let tell = () => {}
  const view = fleetView(
    {
      readers: () => readers,
      watch(listener) {
        tell = listener
        return () => {}
      },
    },
    { clock: new FakeClock(start) },
  )
  const heard: string[] = []
  view.watch(() => {
    throw new Error('mine alone')
  })
  view.watch(({ records }) => heard.push(...records.map((each) => each.id)))
  readers.push(two)
  tell()
  two.put(record('b2', start))
  t.alike(heard, ['b2'], 'a new reader is heard without being asked')
  t.is(view.totals().devices, 3)
  readers.shift()
  t.is(view.totals().devices, 2)
  t.absent(view.device('a'))
  t.is(one.listeners, 0)
  view.close()
  t.is(two.listeners, 0)
})

test('a device stays with the feed that first had it, and goes to another once that one lets go of it', (t) => {
  const warned: string[] = []
  const log = { ...silentLog, warn: ({ worker }: { worker?: string }) => warned.push(worker ?? '') }
  const feeds = ['one', 'two', 'three'].map((name) => new Feed(name)) as [Feed, Feed, Feed]
  const [one, two, three] = feeds
  const readers: Reader[] = [...feeds]
  const view = fleetView({ readers: () => readers }, { clock: new FakeClock(start), log })
  const heard: string[] = []
  view.watch(({ records }) => heard.push(...records.map((each) => each.worker)))
  const put = (feed: Feed, at: number, ...ids: string[]) =>
    feed.put(...ids.map((each) => record(each, at, {}, { worker: feed.worker })))
  const at = (id: string) => [view.device(id)?.worker, (view.readerOf(id) as Feed | undefined)?.worker]
  put(one, start, 'a', 'b')
  put(three, start + 10, 'a', 'b')
  put(two, start + 20, 'a')
  put(three, start + 30, 'a', 'b')
  t.alike(at('a'), ['one', 'one'], 'a newer word of another does not count')
  t.alike(heard, ['one', 'one'], 'nor is it told')
  t.is(view.contested, 2)
  t.alike(warned, ['three', 'two'], 'and each that claims it is noted once')

  readers.splice(0, 1)
  t.alike(at('a'), ['three', 'three'])
  readers.push(one)
  t.alike(at('a'), ['one', 'one'], 'its feed comes back, as after a restart of its service, and has it again')
  readers.splice(0, 3, two)
  two.remove('a')
  t.alike(at('a'), [undefined, undefined])
  readers.push(three)
  t.alike(at('a'), ['three', 'three'])
  readers.push(one)
  t.alike(at('a'), ['one', 'one'], 'also when nobody had it meanwhile')

  one.remove('a')
  t.alike(at('a'), ['three', 'three'], 'it let go of it')
  put(one, start + 40, 'a')
  t.alike(at('a'), ['three', 'three'])
  three.remove('b')
  two.remove('a')
  t.is(view.contested, 1)
  view.close()
})

test('an interval that is not over shows no dip while some of its devices are still to be asked', async (t) => {
  for (const [step, length] of [
    ['1m', 60_000],
    ['5m', 300_000],
  ] as const) {
    const first = Math.floor(start / length) * length
    const clock = new FakeClock(first + length + 20_000)
    const store = await open(t, await t.tmp())
    const view = fleetView({ readers: () => [store] }, { clock })
    const say = (id: string, at: number) =>
      store.append({ at, records: [record(id, at, { hashrateThs: 100, powerW: 3000 })] })
    const metrics = ['hashrateThs', 'efficiencyJTh'] as const
    const shown = async () => {
      const [all] = await view.groupHistory({ metrics, from: first, to: first + 2 * length, step })
      return all!.series.series
    }
    await say('a', first + 1000)
    t.alike(await shown(), { hashrateThs: [100, null], efficiencyJTh: [30, null] }, 'nobody has spoken yet')
    await say('b', first + 2000)
    await say('a', first + length + 1000)
    t.alike(
      await shown(),
      { hashrateThs: [200, null], efficiencyJTh: [30, 30] },
      `${step}: one of two; a ratio does not dip`,
    )
    await say('b', first + length + 2000)
    t.alike(await shown(), { hashrateThs: [200, 200], efficiencyJTh: [30, 30] }, `${step}: both`)
    view.close()
    const later = await open(t, await t.tmp())
    for (const [id, at] of [
      ['a', first],
      ['b', first],
      ['a', first + length],
    ] as const)
      await later.append({ at, records: [record(id, at, { hashrateThs: 100 })] })
    await clock.advance(length)
    const past = fleetView({ readers: () => [later] }, { clock })
    const [all] = await past.groupHistory({ metrics: ['hashrateThs'], from: first, to: first + 2 * length, step })
    t.alike(all?.series.series.hashrateThs, [200, 100], `${step}: once it is over it is shown as it is`)
    past.close()
  }
})

test('history of groups: sums, means, highest; efficiency of those that report both; gaps stay gaps', async (t) => {
  const clock = new FakeClock(start)
  const store = await open(t, await t.tmp())
  const other = await open(t, await t.tmp(), {}, { worker: 'am' })
  const minute = Math.floor(start / 60_000) * 60_000
  await store.append({
    at: minute,
    records: [
      record('a', minute, { hashrateThs: 100, powerW: 3000, chipTempMaxC: 80, fanDutyPct: 50 }),
      record('b', minute, { hashrateThs: 10 }),
    ],
  })
  await other.append({
    at: minute,
    records: [
      record('c', minute, { hashrateThs: 200, powerW: 5000, chipTempMaxC: 70, fanDutyPct: 100 }, { worker: 'am' }),
    ],
  })
  await other.append({
    at: minute + 120_000,
    records: [record('c', minute + 120_000, { hashrateThs: 202 }, { worker: 'am' })],
  })
  const view = fleetView({ readers: () => [store, other] }, { clock })
  const query = {
    metrics: ['hashrateThs', 'powerW', 'chipTempMaxC', 'fanDutyPct', 'efficiencyJTh'],
    from: minute,
    to: minute + 180_000,
    step: '1m',
  } as const
  const [all] = await view.groupHistory(query)
  t.is(all?.key, 'all')
  t.alike(all?.series.series, {
    hashrateThs: [310, null, 202],
    powerW: [8000, null, null],
    chipTempMaxC: [80, null, null],
    fanDutyPct: [75, null, null],
    efficiencyJTh: [8000 / 300, null, null],
  })
  const byWorker = await view.groupHistory({ ...query, groupBy: 'worker', metrics: ['hashrateThs'] })
  t.alike(
    byWorker.map(({ key, series }) => [key, series.series.hashrateThs]),
    [
      ['am', [200, null, 202]],
      ['wm', [110, null, null]],
    ],
  )
  t.alike(
    (await view.history({ deviceId: 'c', metrics: ['hashrateThs'], from: minute, to: minute, step: 'raw' })).series
      .hashrateThs,
    [200],
  )
  await other.deleteEntry('c')
  t.alike(
    (await view.history({ deviceId: 'c', metrics: ['hashrateThs'], from: minute, to: minute, step: 'raw' })).series
      .hashrateThs,
    [200],
    'also of a device that is gone',
  )
  await t.exception(
    view.history({ deviceId: 'x', metrics: ['hashrateThs'], from: minute, to: minute, step: 'raw' }),
    /no device x/,
  )
  view.close()
})

test('events and settings of all feeds, newest first', async (t) => {
  const stores = await Promise.all(['one', 'two'].map(async (worker) => open(t, await t.tmp(), {}, { worker })))
  for (let index = 0; index < 10; index++) {
    const events: Event[] = [
      { at: start + index, type: 'status', deviceId: `d${index % 2}`, message: `event ${index}` },
    ]
    await stores[index % 2]!.append({
      at: start + index,
      records: [record(`d${index % 2}`, start + index)],
      events,
      settings: [{ deviceId: `d${index % 2}`, at: start + index, settings: index }],
    })
  }
  const view = viewOf(stores)
  t.alike(
    (await view.events({ limit: 4 })).map(({ message }) => message),
    ['event 9', 'event 8', 'event 7', 'event 6'],
  )
  t.alike(
    (await view.events({ deviceId: 'd0', to: start + 5 })).map(({ message }) => message),
    ['event 4', 'event 2', 'event 0'],
  )
  t.alike(await view.settings('d1', 1), [{ at: start + 9, settings: 9 }])
})

test('what miners draw is counted once: containers and meters see the same power again', async (t) => {
  const store = await open(t, await t.tmp())
  const records = [
    record('m1', start, { powerW: 3000, hashrateThs: 100 }),
    record('c1', start, { powerW: 3500, hashrateThs: 101 }, { kind: 'container', status: 'running' }),
    record('p1', start, { powerW: 3600, sitePowerW: 3600 }, { kind: 'powermeter', status: 'running' }),
    record('p2', start, { powerW: 3550 }, { kind: 'powermeter', status: 'running' }),
    record('s1', start, { hashrateThs: 98 }, { kind: 'pool', status: 'running' }),
  ]
  await store.append({ at: start, records })
  const view = viewOf([store])
  const { powerW, hashrateThs, containerPowerW, sitePowerW, efficiencyJTh } = view.totals()
  t.alike(
    { powerW, hashrateThs, containerPowerW, sitePowerW, efficiencyJTh },
    {
      powerW: 3000,
      hashrateThs: 100,
      containerPowerW: 3500,
      sitePowerW: 3600,
      efficiencyJTh: 30,
    },
  )
  t.is(view.totals({ kind: ['container', 'powermeter'] }).powerW, 3500, 'without miners their container')
  const [all] = await view.groupHistory({
    metrics: ['powerW', 'sitePowerW'],
    from: start,
    to: start + 60_000,
    step: '1m',
  })
  t.alike(all?.series.series, { powerW: [3000], sitePowerW: [3600] })
})
