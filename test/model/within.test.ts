import { getEventListeners } from 'node:events'
import test from 'brittle'
import { SdkError, within } from '#model'
import { FakeClock } from '../support/fake-clock.js'

const what = 'the work'

async function errorOf(promise: Promise<unknown>): Promise<SdkError> {
  try {
    await promise
  } catch (error) {
    return error as SdkError
  }
  throw new Error('it must reject')
}

test('what ends in time ends as it does, and leaves nothing behind', async (t) => {
  const clock = new FakeClock()
  const cancel = new AbortController()
  const limits = { what, ms: 1_000, signals: [cancel.signal, undefined], clock }
  t.is(await within(limits, () => 3), 3)
  t.is(await within(limits, async () => 4), 4)
  const wrong = new TypeError('wrong')
  t.is(await errorOf(within(limits, () => Promise.reject(wrong))), wrong)
  t.is(
    await errorOf(
      within(limits, () => {
        throw wrong
      }),
    ),
    wrong,
  )
  t.is(clock.pending, 0, 'no timer')
  t.is(getEventListeners(cancel.signal, 'abort').length, 0, 'no listener')
})

test('at the deadline it rejects with TIMEOUT and aborts its signal', async (t) => {
  const clock = new FakeClock()
  let signal: AbortSignal | undefined
  const error = errorOf(
    within({ what, ms: 1_000, signals: [], clock }, (ask) => {
      signal = ask()
      return new Promise(() => {})
    }),
  )
  await clock.advance(999)
  t.absent(signal?.aborted)
  await clock.advance(1)
  t.is((await error).code, 'TIMEOUT')
  t.is((await error).message, 'the work took longer than 1000 ms')
  t.is(signal?.reason, await error)
})

test('a signal that is asked for late has aborted already', async (t) => {
  const clock = new FakeClock()
  let ask: () => AbortSignal = () => new AbortController().signal
  const error = errorOf(
    within({ what, ms: 1_000, signals: [], clock }, (signal) => {
      ask = signal
      return new Promise(() => {})
    }),
  )
  await clock.advance(1_000)
  await error
  t.ok(ask().aborted)
})

test('whoever calls it off ends it: an SdkError as it is, a timeout as TIMEOUT, the rest as CANCELLED', async (t) => {
  const reasons: [unknown, string][] = [
    [undefined, 'CANCELLED'],
    [new Error('enough'), 'CANCELLED'],
    ['enough', 'CANCELLED'],
    [new DOMException('late', 'TimeoutError'), 'TIMEOUT'],
    [new SdkError('UNAVAILABLE'), 'UNAVAILABLE'],
  ]
  for (const [reason, code] of reasons) {
    for (const before of [true, false]) {
      const cancel = new AbortController()
      if (before) cancel.abort(reason)
      const error = errorOf(
        within(
          { what, ms: 1_000, signals: [new AbortController().signal, cancel.signal], clock: new FakeClock() },
          () => new Promise(() => {}),
        ),
      )
      cancel.abort(reason)
      t.is((await error).code, code)
    }
  }
})

test('ten thousand calls leave nothing on the signal they follow', async (t) => {
  const clock = new FakeClock()
  const life = new AbortController().signal
  for (let call = 0; call < 10_000; call++)
    await within({ what, ms: 1_000, signals: [life], clock }, (signal) => signal().aborted)
  t.is(getEventListeners(life, 'abort').length, 0)
  t.is(clock.pending, 0)
})
