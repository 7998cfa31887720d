import test from 'brittle'
import { budget } from '../../../src/workers/scan/budget.js'
import { freeSockets, isOutOfSockets, parseLimits } from '../../../src/workers/sockets.js'

test('never more sockets are spent than there are, and everyone gets his turn', async (t) => {
  const sockets = budget(3)
  let used = 0
  let most = 0
  const jobs = Array.from({ length: 20 }, (_, index) => {
    const cost = (index % 3) + 1
    return sockets.spend(cost, async () => {
      used += cost
      most = Math.max(most, used)
      await Promise.resolve()
      used -= cost
    })
  })
  await Promise.all(jobs)
  t.is(most, 3)
  t.is(used, 0)
})

test('a job that needs more than all gets all, a failed one gives back what it had', async (t) => {
  const sockets = budget(2)
  await t.exception(
    sockets.spend(5, () => Promise.reject(new Error('no'))),
    /no/,
  )
  t.is(await sockets.spend(5, async () => 'yes'), 'yes')
})

test('the limit of open files is read, what is open and the reserve are left', (t) => {
  const text =
    'Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 524288               files\n'
  t.is(parseLimits(text), 1024)
  t.is(
    parseLimits('Max open files            unlimited            unlimited            files'),
    Number.MAX_SAFE_INTEGER,
  )
  t.is(parseLimits('nothing'), undefined)
  t.is(freeSockets(100, 512, 40), 372)
  t.is(freeSockets(100, 64, 40), 8, 'a little always')
})

test('our own lack of sockets is told from a silent device, however deep it is wrapped', (t) => {
  const bare = Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' })
  t.ok(isOutOfSockets(bare))
  t.ok(isOutOfSockets(new Error('outer', { cause: new Error('inner', { cause: bare }) })))
  t.ok(isOutOfSockets(new AggregateError([new Error('x'), bare])))
  t.absent(isOutOfSockets(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })))
  t.absent(isOutOfSockets(undefined))
})
