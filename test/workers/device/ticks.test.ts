import test from 'brittle'
import { type Event, SdkError } from '#model'
import type { Tick } from '#replication'
import { throwIfBroken } from '../../../src/workers/device/service.js'
import { openTicks } from '../../../src/workers/device/ticks.js'
import { FakeClock } from '../../support/fake-clock.js'
import { deferred, record } from '../support.js'

const event = (message: string): Event => ({ at: 1, type: 'status', message })

/** A store that can be slow and can fail, as a disk can. */
function disk() {
  const written: Tick[] = []
  const state = { failing: false, gate: undefined as Promise<void> | undefined, written }
  return {
    state,
    async append(tick: Tick) {
      await state.gate
      if (state.failing) throw new SdkError('STORE_FAILED', 'the disk is full')
      written.push(tick)
    },
  }
}

test('samples of a second travel in one block, events do not wait for it', async (t) => {
  const clock = new FakeClock()
  const store = disk()
  const ticks = openTicks(store, { clock })
  ticks.add({ record: record({ id: 'a' }) })
  await clock.advance(500)
  ticks.add({ record: record({ id: 'b' }) })
  t.is(store.state.written.length, 0)
  await clock.advance(500)
  t.alike(
    store.state.written.map(({ records }) => records.map(({ id }) => id)),
    [['a', 'b']],
  )
  ticks.add({ record: record({ id: 'c' }), events: [event('x')] })
  await clock.advance(100)
  t.is(store.state.written.length, 2)
  await ticks.close()
  t.is(clock.pending, 0)
})

test('a slow store gets the newest sample of each device, and every event in order', async (t) => {
  const clock = new FakeClock()
  const store = disk()
  const gate = deferred()
  store.state.gate = gate.promise
  const ticks = openTicks(store, { clock })
  ticks.add({ record: record({ id: 'a', at: 1 }), events: [event('1')] })
  await clock.advance(100)
  for (let at = 2; at <= 5; at++) ticks.add({ record: record({ id: 'a', at }), events: [event(String(at))] })
  gate.resolve()
  await clock.advance(2000)
  t.is(store.state.written.length, 2)
  t.alike(
    store.state.written[1]!.records.map(({ at }) => at),
    [5],
  )
  t.alike(
    store.state.written.flatMap(({ events = [] }) => events.map(({ message }) => message)),
    ['1', '2', '3', '4', '5'],
  )
  t.is(ticks.stats().replaced, 3)
  await ticks.close()
})

test('a store that fails loses nothing: it is said, tried again, and order is kept', async (t) => {
  const clock = new FakeClock()
  const store = disk()
  let said = 0
  const ticks = openTicks(store, { clock, onState: () => said++ })
  store.state.failing = true
  ticks.add({ record: record({ id: 'a', at: 1 }), events: [event('1')], settings: { at: 1, settings: {} } })
  ticks.add({ record: record({ id: 'b', at: 1 }) })
  await clock.advance(150)
  t.is(ticks.trouble, 'the disk is full')
  t.is(said, 1)
  ticks.add({ record: record({ id: 'a', at: 2 }), events: [event('2')] })
  t.absent(ticks.broken, 'once is not for ever')
  t.execution(() => throwIfBroken({ ticks }))
  await clock.advance(20_000)
  t.is(store.state.written.length, 0)
  t.ok(ticks.broken)
  t.exception(() => throwIfBroken({ ticks }), { code: 'STORE_FAILED' }, 'the service begins anew')
  t.ok(ticks.stats().failed! >= 4 && ticks.stats().failed! <= 10, 'tried again, less and less often')
  store.state.failing = false
  await clock.advance(10_000)
  t.is(ticks.trouble, null)
  t.absent(ticks.broken)
  t.is(said, 2)
  t.is(store.state.written.length, 1)
  const [tick] = store.state.written
  t.alike(
    tick?.records.map(({ id, at }) => [id, at]),
    [
      ['a', 2],
      ['b', 1],
    ],
  )
  t.alike(
    tick?.events?.map(({ message }) => message),
    ['1', '2'],
  )
  t.is(tick?.settings?.length, 1)
  await ticks.close()
})

test('when too much waits it says so, and what a removed device sampled is dropped', async (t) => {
  const clock = new FakeClock()
  const store = disk()
  const ticks = openTicks(store, { clock })
  store.state.failing = true
  ticks.add({ record: record({ id: 'a' }), events: Array.from({ length: 20_000 }, (_, index) => event(String(index))) })
  t.ok(ticks.full)
  ticks.drop('a')
  store.state.failing = false
  await ticks.close()
  t.is(store.state.written[0]?.records.length, 0)
  t.is(store.state.written[0]?.events?.length, 20_000)
  t.absent(ticks.full)
})
