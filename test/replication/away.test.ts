import test, { type Assertions } from 'brittle'
import { fleetView, followFeed, type Keep, type Reader, type RemoteReader, type Store } from '#replication'
import { FakeClock } from '../support/fake-clock.js'
import { connect, until } from './connection.js'
import { intervalMs, open, record, start, tidy } from './support.js'

const hour = 3_600_000
const week = 7 * 24 * hour
const limits = { segmentMs: hour, wholeRecordMs: 4 * hour, foldSteps: 2, foldLeast: 1 }

async function follow(t: Assertions, store: Store, keep: Keep, clock: FakeClock): Promise<RemoteReader> {
  const reader = await followFeed({
    path: await t.tmp(),
    feed: store.feed,
    worker: 'wm',
    site: 'home',
    intervalMs,
    keep,
    clock,
    limits: { blockMs: 300, retryMs: 20 },
  })
  t.teardown(() => reader.close())
  return reader
}

/** Two devices, read every hour. */
async function hours(store: Store, from: number, count: number): Promise<void> {
  for (let index = from; index < from + count; index++) {
    const at = start + index * hour
    const records = ['a', 'b'].map((id) => record(id, at, { powerW: index, hashrateThs: 100 }))
    await store.append({ at, records, events: [{ at, type: 'status', deviceId: 'a', message: `hour ${index}` }] })
    await tidy(store, 4)
  }
}

/** Lets a little of the clock's time pass in the time of the machine, but not so much that anything grows old. */
function soonBy(clock: FakeClock) {
  let last = performance.now()
  return (so: () => boolean | Promise<boolean>) => async () => {
    if (performance.now() - last > 50) {
      last = performance.now()
      await clock.advance(20)
    }
    return so()
  }
}

async function powers(reader: Pick<Reader, 'history'>, to = start + 3 * week) {
  const query = { deviceId: 'a', metrics: ['powerW'] as const, from: start, to, step: 'raw' as const }
  const { series, missing } = await reader.history(query)
  return { known: (series.powerW ?? []).filter((value) => value !== null), missing }
}
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

for (const keep of ['live', '7d', 'all'] as const) {
  test(`a monitor that was away for a week catches up with all of it (keeps ${keep})`, {
    timeout: 120_000,
  }, async (t) => {
    const clock = new FakeClock(start)
    const store = await open(t, await t.tmp(), limits, { clock })
    await hours(store, 0, 5)
    const reader = await follow(t, store, keep, clock)
    const cut = connect(store, reader)
    await until('it has the first hours', () => reader.record('a')?.metrics.powerW === 4)
    await cut()
    await clock.advance(week)
    await hours(store, 5, 24 * 7)
    const view = fleetView({ readers: () => [reader] }, { clock })
    t.teardown(() => view.close())
    t.is(view.totals().live, 0, 'meanwhile nothing is live')
    t.is(view.device('a')?.status, 'stale')
    t.is(view.feeds()[0]?.ageMs, week - 4 * hour)

    const total = 5 + 24 * 7
    await clock.advance((total - 1) * hour - week)
    connect(store, reader)
    // What did not come in time is asked for again by this clock.
    const soon = soonBy(clock)
    await until(
      'it has the newest',
      soon(() => reader.record('b')?.metrics.powerW === total - 1),
    )
    t.is(view.totals().live, 2)
    t.is(view.totals().hashrateThs, 200)
    const whole = async () => {
      const { known, missing } = await powers(reader)
      return known.length === total && missing === undefined
    }
    await until('and the whole week', soon(whole))
    t.alike((await powers(reader)).known, upTo(total))
    const events = await reader.events({ limit: 1000 })
    t.alike(
      events.map(({ message }) => message),
      upTo(total)
        .reverse()
        .map((index) => `hour ${index}`),
    )
    const daily = {
      deviceId: 'a',
      metrics: ['powerW'] as const,
      from: start,
      to: start + 8 * 24 * hour,
      step: '1d' as const,
    }
    t.alike(await reader.history(daily), await store.history(daily))
  })
}

test('a clock that jumps back and forth loses and doubles nothing, here and with who follows', {
  timeout: 60_000,
}, async (t) => {
  const path = await t.tmp()
  let store = await open(t, path, limits)
  const clock = new FakeClock(start)
  const reader = await follow(t, store, 'all', clock)
  connect(store, reader)
  /** Set back by an hour, by a day, ahead by a year (a dead battery, then NTP), and right again. */
  const jumps = [0, 10_000, -hour, 20_000, 365 * 24 * hour, 30_000, -24 * hour, -24 * hour + 10_000, 40_000]
  for (const [index, offset] of jumps.entries()) {
    const at = start + offset
    await store.append({ at, records: [record('a', at, { powerW: index })] })
    await tidy(store, 4)
  }
  const query = {
    deviceId: 'a',
    metrics: ['powerW'] as const,
    from: start - 2 * 24 * hour,
    to: start + 366 * 24 * hour,
    step: 'raw' as const,
  }
  const expected = [...jumps.entries()].sort(([, a], [, b]) => a - b)
  const samples = async (from: Pick<Reader, 'history'>) => {
    const { at, series } = await from.history(query)
    return at.flatMap((time, index) => (series.powerW?.[index] == null ? [] : [[series.powerW[index], time - start]]))
  }
  t.alike(await samples(store), expected)
  t.is(store.record('a')?.metrics.powerW, 8, 'the last word is the last that was said, whatever time it names')
  const soon = soonBy(clock)
  await until(
    'who follows has it',
    soon(async () => {
      return (await samples(reader)).length === jumps.length
    }),
  )
  t.alike(await samples(reader), expected)
  t.is(reader.record('a')?.metrics.powerW, 8)
  await store.close()
  store = await open(t, path, limits)
  t.alike(await samples(store), expected, 'after a restart, too')
  t.is(store.record('a')?.metrics.powerW, 8)
})
