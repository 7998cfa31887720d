import test, { type Assertions } from 'brittle'
import { type ErrorCode, SdkError, Type } from '#model'
import { action, type Caller, type Client, client, contract, type Handlers, query, serve, type Transport } from '#rpc'
import { FakeClock, until } from '../support/fake-clock.js'
import { type Way, ways } from './transports.js'

const text = Type.Object({ text: Type.String() }, { additionalProperties: false })

const desk = contract('desk', {
  echo: query({ input: text, output: text }),
  length: query({ input: text, output: Type.Integer() }),
  who: query({ input: Type.Object({}), output: Type.Object({ id: Type.String(), scope: Type.String() }) }),
  anything: query({ input: Type.Object({}), output: Type.Unknown() }),
  forget: action({ input: Type.Object({}), output: Type.Null() }),
  wait: action({ input: Type.Object({}), output: Type.String() }),
})
type Desk = typeof desk.methods

const caller: Caller = { id: 'key:1', scope: 'admin' }

const answers: Handlers<Desk> = {
  echo: (input) => input,
  length: async ({ text }) => text.length,
  who: (_, { caller }) => ({ id: caller.id, scope: caller.scope }),
  anything: () => null,
  forget: () => null,
  wait: () => new Promise(() => {}),
}

type Open = (handlers?: Partial<Handlers<Desk>>) => Promise<Client<Desk>>

/** The same promise, held over each transport. */
function overEach(name: string, body: (t: Assertions, open: Open, clock: FakeClock) => Promise<void>) {
  for (const way of ways) {
    test(`${name} (over ${way.name})`, (t) => {
      const clock = new FakeClock()
      return body(t, async (handlers) => client(desk, await reach(t, way, handlers, clock)), clock)
    })
  }
}

async function reach(
  t: Assertions,
  way: Way,
  handlers: Partial<Handlers<Desk>> = {},
  clock = new FakeClock(),
): Promise<Transport> {
  const { transport, close } = await way.open(serve(desk, { ...answers, ...handlers }, { clock }), caller, clock)
  t.teardown(close)
  return transport
}

async function codeOf(call: Promise<unknown>): Promise<ErrorCode | 'no error' | 'another error'> {
  try {
    await call
    return 'no error'
  } catch (error) {
    return error instanceof SdkError ? error.code : 'another error'
  }
}

overEach('a call brings the answer, typed', async (t, open) => {
  const calls = await open()
  t.alike(await calls.echo({ text: 'grüße ⛏' }), { text: 'grüße ⛏' })
  t.is(await calls.length({ text: 'abc' }), 3)
  t.alike(await calls.who({}), { id: 'key:1', scope: 'admin' })
})

overEach('many calls at once each get their own answer', async (t, open) => {
  const calls = await open({
    async echo(input) {
      await new Promise((resolve) => setImmediate(resolve))
      return input
    },
  })
  const texts = Array.from({ length: 200 }, (_, index) => `call ${index}`)
  const replies = await Promise.all(texts.map((text) => calls.echo({ text })))
  t.alike(
    replies.map(({ text }) => text),
    texts,
  )
})

overEach('an error of a handler arrives with code, message and details', async (t, open) => {
  const calls = await open({
    echo() {
      throw new SdkError('DEVICE_REFUSED', 'no such mode', { details: { mode: 'turbo' } })
    },
    async length() {
      throw new SdkError('RATE_LIMITED')
    },
  })
  try {
    await calls.echo({ text: '' })
    t.fail('it must reject')
  } catch (error) {
    t.ok(error instanceof SdkError)
    t.alike((error as SdkError).toJSON(), {
      code: 'DEVICE_REFUSED',
      message: 'no such mode',
      details: { mode: 'turbo' },
    })
  }
  t.is(await codeOf(calls.length({ text: '' })), 'RATE_LIMITED')
})

overEach('an error that is not ours arrives as INTERNAL, and its own words only', async (t, open) => {
  const calls = await open({
    echo() {
      throw new TypeError('x is not a function')
    },
    length() {
      throw 'a bare string'
    },
  })
  t.is(await codeOf(calls.echo({ text: '' })), 'INTERNAL')
  t.is(await codeOf(calls.length({ text: '' })), 'INTERNAL')
})

overEach('details that cannot travel stay behind, the code arrives', async (t, open) => {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  const calls = await open({
    echo() {
      throw new SdkError('CONFLICT', 'a circle', { details: circle })
    },
    length() {
      throw new SdkError('CONFLICT', 'too much', { details: 'x'.repeat(9 * 1024 * 1024) })
    },
  })
  t.is(await codeOf(calls.echo({ text: '' })), 'CONFLICT')
  t.is(await codeOf(calls.length({ text: '' })), 'CONFLICT')
})

overEach('an input that does not fit is refused before the handler sees it', async (t, open) => {
  let seen = 0
  const calls = await open({
    echo(input) {
      seen++
      return input
    },
  })
  for (const input of [{}, { text: 3 }, { text: 'a', more: 1 }, null, undefined, 'text', []]) {
    t.is(await codeOf(calls.echo(input as never)), 'BAD_REQUEST')
  }
  t.is(seen, 0)
})

overEach('an output that does not fit or cannot travel fails as INTERNAL', async (t, open) => {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  const wrong: [string, unknown][] = [
    ['not a number', Number.NaN],
    ['infinite', Number.POSITIVE_INFINITY],
    ['a fraction', 1.5],
    ['nothing', undefined],
    ['a function', () => 3],
  ]
  for (const [what, value] of wrong) {
    const calls = await open({ length: () => value as number })
    t.is(await codeOf(calls.length({ text: '' })), 'INTERNAL', what)
  }
  for (const [what, value] of [
    ['a bigint', { n: 3n }],
    ['a circle', circle],
  ] as const) {
    const calls = await open({ anything: () => value })
    t.is(await codeOf(calls.anything({})), 'INTERNAL', what)
  }
})

overEach('what is handed over is a copy', async (t, open) => {
  const kept = { text: 'mine' }
  const calls = await open({ echo: () => kept })
  const reply = await calls.echo({ text: '' })
  reply.text = 'changed'
  t.is(kept.text, 'mine')
})

overEach('an answer or a request that is too large is refused as TOO_LARGE', async (t, open) => {
  const large = 'x'.repeat(8 * 1024 * 1024)
  const calls = await open({ echo: () => ({ text: large }) })
  t.is(await codeOf(calls.echo({ text: '' })), 'TOO_LARGE')
  t.is(await codeOf(calls.echo({ text: large })), 'TOO_LARGE')
  t.is(await calls.length({ text: 'still' }), 5)
})

overEach('a call ends at its deadline with TIMEOUT, and the handler is told', async (t, open, clock) => {
  let began = false
  let told: unknown
  const calls = await open({
    wait(_, { signal }) {
      began = true
      signal.addEventListener('abort', () => {
        told = signal.reason
      })
      return new Promise(() => {})
    },
  })
  const code = codeOf(calls.wait({}, { timeoutMs: 5_000 }))
  await until(() => began, 'the handler begins')
  await clock.advance(4_999)
  t.is(told, undefined, 'not before')
  await clock.advance(1)
  t.is((told as SdkError).code, 'TIMEOUT')
  t.is(await code, 'TIMEOUT')
  t.is(clock.pending, 0, 'no timer is left')
})

overEach('nothing runs longer than ten minutes, whatever the caller asks for', async (t, open, clock) => {
  let began = false
  const calls = await open({
    wait() {
      began = true
      return new Promise(() => {})
    },
  })
  const code = codeOf(calls.wait({}, { timeoutMs: 10 ** 9 }))
  await until(() => began, 'the handler begins')
  await clock.advance(600_000)
  t.is(await code, 'TIMEOUT')
})

overEach('a handler that heeds no signal holds up nobody, and its late answer goes nowhere', async (t, open, clock) => {
  let answer: (text: string) => void = () => {}
  const calls = await open({
    wait: () =>
      new Promise((resolve) => {
        answer = resolve
      }),
  })
  const code = codeOf(calls.wait({}, { timeoutMs: 1_000 }))
  await until(() => clock.pending > 0, 'the far end waits')
  await clock.advance(1_000)
  t.is(await code, 'TIMEOUT')
  answer('late')
  t.alike(await calls.echo({ text: 'next' }), { text: 'next' })
})

overEach('a cancelled call ends with CANCELLED, and the handler is told', async (t, open) => {
  const cancel = new AbortController()
  let told: (reason: unknown) => void = () => {}
  const reason = new Promise((resolve) => {
    told = resolve
  })
  const calls = await open({
    wait(_, { signal }) {
      signal.addEventListener('abort', () => told(signal.reason))
      cancel.abort()
      return new Promise(() => {})
    },
  })
  t.is(await codeOf(calls.wait({}, { signal: cancel.signal })), 'CANCELLED')
  t.is(((await reason) as SdkError).code, 'CANCELLED')
  t.is(
    await codeOf(calls.echo({ text: '' }, { signal: cancel.signal })),
    'CANCELLED',
    'a call that was cancelled before it began',
  )
})

for (const way of ways) {
  test(`a method the far side does not have is METHOD_NOT_FOUND (over ${way.name})`, async (t) => {
    const newer = contract('desk', { ...desk.methods, later: query({ input: Type.Object({}), output: Type.Null() }) })
    t.is(await codeOf(client(newer, await reach(t, way)).later({})), 'METHOD_NOT_FOUND')
  })

  test(`an answer that is not of the contract is refused by the near side (over ${way.name})`, async (t) => {
    const older = contract('desk', { echo: query({ input: text, output: Type.Object({ text: Type.Number() }) }) })
    t.is(await codeOf(client(older, await reach(t, way)).echo({ text: 'a' })), 'INTERNAL')
  })
}
