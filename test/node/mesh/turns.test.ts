import test from 'brittle'
import { createTurns } from '../../../src/node/mesh/turns.js'
import { FakeClock } from '../../support/fake-clock.js'

function begun(clock: FakeClock) {
  const turns = createTurns(clock)
  const names: number[] = []
  return { turns, names, come: (name: number) => turns.take(() => names.push(name)) }
}

test('a few begin to copy the record at once, a crowd when no more of it come, in the order in which they came', async (t) => {
  const clock = new FakeClock()
  const { turns, names, come } = begun(clock)
  for (let name = 1; name <= 10; name++) come(name)
  t.alike(names, [1, 2, 3, 4], 'those who come first wait for nobody')
  await clock.advance(1_000)
  come(11)
  t.is(names.length, 4, 'while others come nobody begins')
  await clock.advance(1_000 + 10 * 110)
  t.alike(names, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  turns.close()
})

test('who waits while others come and come has its turn after half a minute, one that went away never', async (t) => {
  const clock = new FakeClock()
  const { turns, names, come } = begun(clock)
  for (let name = 1; name <= 4; name++) come(name)
  const leave = come(5)
  come(6)
  leave()
  for (let s = 0; s < 140; s++) {
    come(100 + s)
    await clock.advance(200)
  }
  t.absent(names.includes(5))
  t.absent(names.includes(6), 'the crowd has not ended')
  for (let s = 0; s < 15; s++) {
    come(300 + s)
    await clock.advance(200)
  }
  t.ok(names.includes(6))
  turns.close()
})
