import test from 'brittle'
import fc from 'fast-check'
import { SdkError } from '#model'
import { createScope } from '#node'
import { FakeClock, settle } from '../support/fake-clock.js'

function fresh() {
  const clock = new FakeClock()
  const errors: unknown[] = []
  return { clock, errors, scope: createScope({ clock, onError: (error) => errors.push(error) }) }
}

test('what was opened is closed in reverse order, each once, one after the other', async (t) => {
  const { scope } = fresh()
  const closed: string[] = []
  scope.defer(() => closed.push('first'))
  scope.use({
    async close() {
      await settle()
      closed.push('second')
    },
  })
  scope.use({ destroy: () => closed.push('third') })
  scope.use({ [Symbol.dispose]: () => void closed.push('fourth') })
  scope.use({
    async [Symbol.asyncDispose]() {
      await settle()
      closed.push('fifth')
    },
  })
  t.absent(scope.signal.aborted)
  const ending = scope.end()
  t.ok(scope.signal.aborted, 'the signal aborts at once')
  await ending
  t.alike(closed, ['fifth', 'fourth', 'third', 'second', 'first'])
  await scope.end()
  t.is(closed.length, 5, 'ending twice closes once')
})

test('use answers the resource it was given', async (t) => {
  const { scope } = fresh()
  const resource = { close() {}, port: 3 }
  t.is(scope.use(resource).port, 3)
  try {
    scope.use({} as never)
    t.fail('it must throw')
  } catch (error) {
    t.ok((error as Error).message.startsWith('nothing to close it with'))
  }
  await scope.end()
})

test('errors while closing are collected, and keep nothing else from being closed', async (t) => {
  const { scope } = fresh()
  const closed: string[] = []
  scope.defer(() => closed.push('first'))
  scope.defer(() => {
    throw new Error('second')
  })
  scope.defer(() => Promise.reject(new Error('third')))
  scope.defer(() => closed.push('fourth'))
  try {
    await scope.end()
    t.fail('it must reject')
  } catch (error) {
    t.ok(error instanceof AggregateError)
    t.alike(
      (error as AggregateError).errors.map(({ message }) => message),
      ['third', 'second'],
    )
  }
  t.alike(closed, ['fourth', 'first'])
})

test('after the deadline nothing is waited for, but everything is still closed', async (t) => {
  const { scope, clock } = fresh()
  const closed: string[] = []
  scope.defer(() => closed.push('first'))
  scope.defer(() => new Promise(() => {}))
  scope.defer(() => closed.push('third'))
  const ending = scope.endWithin(1_000)
  await clock.advance(999)
  t.alike(closed, ['third'])
  await clock.advance(1)
  t.alike(await ending, { errors: [], late: true })
  t.alike(closed, ['third', 'first'])
})

test('what is given to a scope that has ended is closed at once, and the giver is told', async (t) => {
  const { scope } = fresh()
  await scope.end(new SdkError('UNAVAILABLE'))
  let closed = 0
  try {
    scope.use({ close: () => closed++ })
    t.fail('it must throw')
  } catch (error) {
    t.is(error, scope.signal.reason)
  }
  await settle()
  t.is(closed, 1)
})

test('every runs at once, then again so long after its end, and never beside itself', async (t) => {
  const { scope, clock } = fresh()
  let running = 0
  let most = 0
  let runs = 0
  scope.every(1_000, async () => {
    runs++
    most = Math.max(most, ++running)
    await new Promise<void>((resolve) => clock.after(5_000, resolve))
    running--
  })
  await clock.advance(0)
  t.is(runs, 1, 'at once')
  await clock.advance(5_000)
  t.is(runs, 1)
  await clock.advance(1_000)
  t.is(runs, 2, 'a second after the end of the first')
  await clock.advance(60_000)
  t.is(runs, 12)
  t.is(most, 1)
  const ended = scope.end()
  await clock.advance(10_000)
  await ended
  t.is(runs, 12, 'not after the end')
  t.is(clock.pending, 0)
})

test('the end waits for a running job before it closes what the job uses', async (t) => {
  const { scope, clock } = fresh()
  const order: string[] = []
  scope.defer(() => order.push('store closed'))
  scope.every(1_000, async (signal) => {
    await new Promise<void>((resolve) => clock.after(500, resolve))
    order.push(signal.aborted ? 'job saw the end' : 'job')
  })
  await clock.advance(0)
  const ended = scope.end()
  await clock.advance(500)
  await ended
  t.alike(order, ['job saw the end', 'store closed'])
})

test('a job that is stopped does not run again; one that was stopped before its first run never runs', async (t) => {
  const { scope, clock } = fresh()
  let runs = 0
  const stop = scope.every(1_000, () => runs++)
  const stopEarly = scope.every(1_000, () => {
    runs += 100
  })
  stopEarly()
  await clock.advance(3_000)
  t.is(runs, 4)
  stop()
  await clock.advance(3_000)
  t.is(runs, 4)
  t.is(clock.pending, 0)
  await scope.end()
})

test('an error of a job is told and ends the job; that it was aborted is no error', async (t) => {
  const { scope, clock, errors } = fresh()
  let runs = 0
  scope.every(1_000, () => {
    runs++
    throw new Error('broke')
  })
  await clock.advance(5_000)
  t.is(runs, 1)
  t.is((errors[0] as Error).message, 'broke')
  scope.every(
    1_000,
    (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  )
  await clock.advance(0)
  await scope.end()
  t.is(errors.length, 1)
})

test('a child ends with its parent, or before it, and is then forgotten', async (t) => {
  const { scope } = fresh()
  const closed: string[] = []
  scope.defer(() => closed.push('parent'))
  const early = scope.child()
  early.defer(() => closed.push('early'))
  const late = scope.child()
  late.defer(() => closed.push('late'))
  await early.end()
  t.alike(closed, ['early'])
  t.absent(scope.signal.aborted)
  const ended = scope.end()
  t.ok(late.signal.aborted, 'at once with its parent')
  await ended
  t.alike(closed, ['early', 'late', 'parent'])
})

test("errors of a child that closes with its parent are the parent's", async (t) => {
  const { scope } = fresh()
  scope.child().defer(() => {
    throw new Error('of the child')
  })
  const { errors } = await scope.endWithin(1_000)
  t.is(errors.length, 1)
  t.is(((errors[0] as AggregateError).errors[0] as Error).message, 'of the child')
})

test('whatever is opened, and wherever it fails: all is closed once, in reverse', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ fails: fc.boolean(), slow: fc.boolean() }), { maxLength: 30 }),
      async (resources) => {
        const { scope } = fresh()
        const closed: number[] = []
        for (const [index, { fails, slow }] of resources.entries()) {
          scope.defer(async () => {
            closed.push(index)
            if (slow) await Promise.resolve()
            if (fails) throw new Error(String(index))
          })
        }
        const { errors, late } = await scope.endWithin(1_000)
        const expected = resources.map((_, index) => index).reverse()
        return (
          !late && errors.length === resources.filter(({ fails }) => fails).length && closed.join() === expected.join()
        )
      },
    ),
  )
  t.pass()
})
