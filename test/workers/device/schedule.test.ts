import test from 'brittle'
import fc from 'fast-check'
import { SdkError } from '#model'
import { agenda } from '../../../src/workers/device/agenda.js'
import {
  answered,
  backoffOf,
  deadlineOf,
  maxBackoffMs,
  newPace,
  nextPlace,
  tooLate,
} from '../../../src/workers/device/pace.js'
import { openPoller } from '../../../src/workers/device/poller.js'
import { Turns } from '../../../src/workers/device/turns.js'
import { FakeClock } from '../../support/fake-clock.js'
import { deferred } from '../support.js'

test('the agenda hands out what is due in order, whatever was moved or taken out before', (t) => {
  const step = fc.record({
    item: fc.integer({ min: 0, max: 40 }),
    due: fc.integer({ min: 0, max: 1000 }),
    drop: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const plan = agenda<number>()
      const wanted = new Map<number, number>()
      for (const { item, due, drop } of steps) {
        if (drop && due % 3 === 0) {
          plan.delete(item)
          wanted.delete(item)
        } else {
          plan.set(item, due)
          wanted.set(item, due)
        }
      }
      const dues: number[] = []
      const items: number[] = []
      for (let first = plan.first(); first !== Number.POSITIVE_INFINITY; first = plan.first()) {
        if (plan.take(first - 1) !== undefined) return false
        const item = plan.take(first)!
        items.push(item)
        dues.push(first)
        if (wanted.get(item) !== first) return false
      }
      return items.length === wanted.size && dues.every((due, at) => at === 0 || dues[at - 1]! <= due)
    }),
  )
  t.pass()
})

test('places are spread evenly over the interval, and lateness does not add up', (t) => {
  const interval = 10_000
  const paces = Array.from({ length: 1000 }, (_, index) => newPace(index))
  const perTenth = Array.from({ length: 10 }, () => 0)
  for (const pace of paces) perTenth[Math.floor(pace.phase * 10)]!++
  t.ok(Math.max(...perTenth) - Math.min(...perTenth) <= 3, `${perTenth}`)
  const pace = newPace(7)
  const first = nextPlace(pace, 123, interval)
  t.is(nextPlace(pace, first, interval), first + interval, 'exactly one interval on')
  t.is(nextPlace(pace, first + 4000, interval), first + interval, 'also after a late visit')
  t.ok(first > 123 && first <= 123 + interval)
})

test('the deadline follows what the device needs, within one and four times its own', (t) => {
  const pace = newPace(0)
  t.is(deadlineOf(pace, 2000), 2000)
  tooLate(pace)
  t.is(deadlineOf(pace, 2000), 4000)
  for (let again = 0; again < 5; again++) tooLate(pace)
  t.is(deadlineOf(pace, 2000), 8000)
  for (let again = 0; again < 60; again++) answered(pace, 50)
  t.is(deadlineOf(pace, 2000), 2000, 'a quick device is back at its own')
  for (let again = 0; again < 60; again++) answered(pace, 2500)
  t.ok(deadlineOf(pace, 2000) >= 5000, 'a slow one gets room')
  t.ok(deadlineOf(pace, 2000) <= 8000)
})

test('a first failure is looked at soon, a dead device at most once a minute, a hopeless error rarely at once', (t) => {
  const dead = new SdkError('DEVICE_UNREACHABLE')
  t.is(backoffOf(1, dead, 10_000, 0.5), 1000)
  t.is(backoffOf(2, dead, 10_000, 0.5), 2000)
  t.is(backoffOf(5, dead, 10_000, 0.5), 16_000)
  t.is(backoffOf(500, dead, 10_000, 0.5), maxBackoffMs)
  t.is(backoffOf(500, dead, 300_000, 0.5), 300_000, 'never more often than the interval wants')
  t.is(backoffOf(1, new SdkError('DEVICE_NOT_ACCEPTED'), 10_000, 0.5), maxBackoffMs)
  t.ok(backoffOf(3, dead, 10_000, 0) < backoffOf(3, dead, 10_000, 1), 'spread')
})

test('one visit at a time for a device, in order, and a bounded line', async (t) => {
  const line = new Turns()
  const gate = deferred()
  const seen: number[] = []
  const jobs = Array.from({ length: 9 }, (_, index) =>
    line.run(async () => {
      if (index === 0) await gate.promise
      seen.push(index)
      if (index === 3) throw new Error('this one failed')
    }),
  )
  jobs[3]!.catch(() => {})
  t.ok(line.busy)
  await t.exception(
    line.run(async () => {}),
    { code: 'DEVICE_BUSY' },
  )
  gate.resolve()
  await Promise.allSettled(jobs)
  t.alike(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8])
  t.absent(line.busy)
})

test('visits are bounded, due ones wait, and a slow one gives its place to the next', async (t) => {
  const clock = new FakeClock()
  const gates = new Map<string, ReturnType<typeof deferred>>()
  const started: string[] = []
  const poller = openPoller<string>({
    clock,
    concurrency: 2,
    spare: 1,
    visit: (item, done) => {
      started.push(item)
      const gate = deferred()
      gates.set(item, gate)
      gate.promise.then(() => done(undefined))
    },
  })
  for (const item of ['a', 'b', 'c', 'd']) poller.at(item, 0)
  t.alike(started, ['a', 'b'], 'two at once')
  await clock.advance(1100)
  t.alike(started, ['a', 'b', 'c'], 'a and b are slow, one of them may wait beside')
  t.is(poller.stats().slow, 1)
  gates.get('c')!.resolve()
  await clock.advance(0)
  t.alike(started, ['a', 'b', 'c', 'd'])
  for (const gate of gates.values()) gate.resolve()
  await clock.advance(0)
  t.is(poller.stats().active, 0)
  t.is(poller.stats().slow, 0)
  poller.close()
})

test('each device is visited at its own times, and two timers are enough for any number of them', async (t) => {
  const clock = new FakeClock()
  const visits = new Map<number, number[]>()
  const poller = openPoller<number>({
    clock,
    concurrency: 10,
    spare: 0,
    visit: (item, done) => {
      visits.set(item, [...(visits.get(item) ?? []), clock.hr()])
      done(clock.hr() + 1000)
    },
  })
  for (let item = 0; item < 100; item++) poller.at(item, item * 10)
  await clock.advance(3500)
  t.ok(clock.pending <= 2, 'one for the next visit, one for those that become slow')
  t.ok([...visits.values()].every((times) => times.length >= 3 && times.length <= 4))
  const wakeUps = new Set([...visits.values()].flat())
  t.ok(wakeUps.size <= 36, `100 devices a second are visited in ${wakeUps.size} goes in 3.5 s`)
  t.is(visits.size, 100)
  poller.drop(5)
  const before = visits.get(5)!.length
  await clock.advance(3000)
  t.is(visits.get(5)!.length, before, 'a dropped one is visited no more')
  poller.close()
  t.is(clock.pending, 0)
})

test('any number of visits that end at once are made one after the other', (t) => {
  const clock = new FakeClock()
  let visits = 0
  const poller = openPoller<number>({
    clock,
    concurrency: 1,
    spare: 0,
    visit: (_, done) => {
      visits++
      done(undefined)
    },
  })
  poller.hold(true)
  for (let item = 0; item < 50_000; item++) poller.at(item, 0)
  poller.hold(false)
  t.is(visits, 50_000)
  poller.close()
})

test('a visit that is wanted during a visit follows it, and a held poller starts none', async (t) => {
  const clock = new FakeClock()
  let visits = 0
  const gate = deferred()
  const poller = openPoller<string>({
    clock,
    concurrency: 1,
    spare: 0,
    visit: (_, done) => {
      const isFirst = visits++ === 0
      const end = () => done(clock.hr() + 10_000)
      if (isFirst) gate.promise.then(end)
      else end()
    },
  })
  poller.at('a', 0)
  poller.soon('a')
  gate.resolve()
  await clock.advance(1)
  t.is(visits, 2)
  poller.hold(true)
  await clock.advance(20_000)
  t.is(visits, 2)
  t.is(poller.stats().overdueMs, 10_001, 'how late it is stands in the figures')
  poller.hold(false)
  await clock.advance(1)
  t.is(visits, 3)
  t.ok(poller.stats().latePolls! >= 1, 'and it says that it was late')
  poller.close()
})
