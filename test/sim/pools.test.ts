import test from 'brittle'
import fc from 'fast-check'
import { Machine, whatsminers } from '#sim'
import { FakeClock } from '../support/fake-clock.js'

const row = whatsminers[1]!

function machine() {
  const clock = new FakeClock()
  return {
    clock,
    machine: new Machine(
      row,
      { vendorMac: '06:00:00', hostname: 'm' },
      { clock, seed: 3, address: '127.0.0.1', elapsedS: 36_000 },
    ),
  }
}

test('shares come with the work, about one every six seconds, and never fall', async (t) => {
  const { clock, machine: it } = machine()
  const start = it.pools.read()[0]!.accepted
  let last = start
  for (let step = 0; step < 100; step++) {
    await clock.suspend(60_000)
    const { accepted } = it.pools.read()[0]!
    if (accepted < last) t.fail('a counter fell')
    last = accepted
  }
  const perMinute = (last - start) / 100
  t.ok(perMinute > 6 && perMinute < 15, `${perMinute} shares a minute`)
  t.ok(it.pools.read()[0]!.rejected > 0 && it.pools.read()[0]!.rejected < last * 0.01, 'a few are rejected')
  t.ok(it.pools.read()[0]!.lastShareAgoS! < 60)
})

test('the first living pool gets the work, the others keep what they had', async (t) => {
  const { clock, machine: it } = machine()
  const first = it.pools.read()[0]!.accepted
  it.break({ kind: 'poolDead', index: 0 })
  await clock.suspend(600_000)
  const [a, b] = it.pools.read()
  t.is(a!.accepted, first, 'the dead one gets nothing more')
  t.alike([a!.alive, a!.active, b!.alive, b!.active], [false, false, true, true])
  t.ok(b!.accepted > 30, 'the next one gets it')
  it.heal('poolDead')
  await clock.suspend(600_000)
  t.ok(it.pools.read()[0]!.accepted > first, 'and back again')
  t.is(it.pools.read()[1]!.accepted, b!.accepted)
})

test('without a living pool it has no work and stops hashing', async (t) => {
  const { clock, machine: it } = machine()
  it.setPools([{ url: 'stratum+tcp://nowhere.invalid:3333', user: 'u', pass: '' }], 'restart')
  await clock.suspend(600_000)
  t.is(it.physics.read().rateThs, 0)
  it.setPools([{ url: 'stratum+tcp://pool.example:3333', user: 'u', pass: '' }], 'restart')
  await clock.suspend(600_000)
  t.ok(it.physics.read().rateThs > row.nominalThs * 0.9)
  t.is(it.pools.read().length, 1)
})

test('counters start anew with the mining process, and only then', async (t) => {
  const { clock, machine: it } = machine()
  it.change({ powerPct: 80 })
  t.ok(it.pools.read()[0]!.accepted > 1000)
  it.restart()
  t.is(it.pools.read()[0]!.accepted, 0)
  await clock.suspend(900_000)
  t.ok(it.pools.read()[0]!.accepted > 0)
})

test('faults may come and go in any order: afterwards it is as before', async (t) => {
  const fault = fc.oneof(
    fc.constant({ kind: 'overheated' as const }),
    fc.record({ kind: fc.constant('boardLost' as const), slot: fc.integer({ min: 0, max: 5 }) }),
    fc.record({ kind: fc.constant('fanStopped' as const), index: fc.integer({ min: 0, max: 5 }) }),
    fc.record({ kind: fc.constant('poolDead' as const), index: fc.integer({ min: 0, max: 2 }) }),
  )
  const property = fc.asyncProperty(fc.array(fault, { maxLength: 6 }), async (faults) => {
    const { clock, machine: it } = machine()
    for (const each of faults) {
      it.break(each)
      await clock.suspend(30_000)
      const { rateThs } = it.physics.read()
      if (!(rateThs >= 0)) throw new Error('no rate')
    }
    it.heal()
    await clock.suspend(3_600_000)
    const { rateThs, boards } = it.physics.read()
    if (boards.length !== row.boards || rateThs < row.nominalThs * 0.95) throw new Error('it did not heal')
  })
  await fc.assert(property, { numRuns: 50 })
  t.pass()
})
