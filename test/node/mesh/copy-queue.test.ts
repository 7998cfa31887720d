import { join } from 'node:path'
import test from 'brittle'
import { silentLog } from '#model'
import { createCopyQueue } from '../../../src/node/mesh/copy-queue.js'
import { openServed, type Served } from '../../../src/node/mesh/served.js'
import { FakeClock } from '../../support/fake-clock.js'

const keyOf = (name: number) => name.toString(16).padStart(64, '0')

function begun(clock: FakeClock, served: Pick<Served, 'has' | 'add'> = new Set<string>()) {
  const queue = createCopyQueue(clock, served)
  const names: number[] = []
  return { queue, names, come: (name: number) => queue.take(keyOf(name), () => names.push(name)) }
}

test('a few begin to copy the record at once, a crowd once no more of it come, in the order in which they came', async (t) => {
  const clock = new FakeClock()
  const { queue, names, come } = begun(clock)
  for (let name = 1; name <= 10; name++) come(name)
  t.alike(names, [1, 2], 'those who come first wait for nobody')
  await clock.advance(1_900)
  come(11)
  t.ok(names.length <= 3, 'while others come hardly anybody begins')
  await clock.advance(100 + 9 * 110)
  t.alike(names, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  queue.close()
})

test('while others come and come one after the other has its turn, one that went away never', async (t) => {
  const clock = new FakeClock()
  const { queue, names, come } = begun(clock)
  for (let name = 1; name <= 2; name++) come(name)
  const leave = come(5)
  come(6)
  come(7)
  leave()
  for (let name = 100; name < 200; name++) {
    come(name)
    await clock.advance(200)
  }
  t.alike(names.slice(2, 4), [6, 7])
  t.ok(names.length <= 6, `${names.length - 2} in twenty seconds`)
  queue.close()
  const before = names.length
  await clock.advance(60_000)
  t.is(names.length, before, 'after the end nobody begins')
})

test('who has had the record waits for nobody, also after a restart: what is new in it may be a revocation', async (t) => {
  const path = join(await t.tmp(), 'served.json')
  const all = Array.from({ length: 300 }, (_, index) => index + 1)
  const clock = new FakeClock()
  const served = await openServed(path, silentLog)
  const first = begun(clock, served)
  for (const name of all) first.come(name)
  await clock.advance(2_000 + 300 * 110)
  t.is(first.names.length, 300)
  first.queue.close()
  await served.close()

  const again = await openServed(path, silentLog)
  const after = begun(clock, again)
  for (const name of all) after.come(name)
  t.alike(after.names, all, 'all of them at once')
  for (const name of [301, 302, 303]) after.come(name)
  t.alike(after.names.slice(300), [301, 302], 'those who are new are few, and the third of them waits')
  after.queue.close()
  await again.close()
})
