import test from 'brittle'
import fc from 'fast-check'
import { check, problemsOf, redact, SdkError, Type, toSdkError, withDeadline } from '#model'

const Shape = Type.Object(
  {
    name: Type.String(),
    mode: Type.Optional(Type.Enum(['low', 'high'])),
    deep: Type.Optional(Type.Object({ n: Type.Integer() }, { additionalProperties: false })),
  },
  { additionalProperties: false },
)

test('a wrong value is refused with its path and what was expected', (t) => {
  t.alike(problemsOf(Shape, { name: 1 }), [{ path: '/name', message: 'must be string' }])
  t.alike(problemsOf(Shape, { name: 'a', mode: 'x' }), [{ path: '/mode', message: 'must be one of "low", "high"' }])
  t.alike(problemsOf(Shape, { name: 'a', nmae: 'b' }), [{ path: '/nmae', message: 'unknown key' }])
  t.alike(problemsOf(Shape, {}), [{ path: '/name', message: 'is required' }])
  t.alike(problemsOf(Shape, { name: 'a', deep: { n: 1.5 } }), [{ path: '/deep/n', message: 'must be integer' }])
})

test('check answers the value itself, or throws the code with all problems', (t) => {
  const value = { name: 'a' }
  t.is(check(Shape, value, 'thing'), value)
  try {
    check(Shape, { mode: 'x', nmae: 1 }, 'thing', 'CONFIG_INVALID')
    t.fail()
  } catch (error) {
    t.ok(error instanceof SdkError)
    t.is((error as SdkError).code, 'CONFIG_INVALID')
    t.is(((error as SdkError).details as { problems: unknown[] }).problems.length, 3)
  }
})

test('problems are found in any wrong value, and never throw', (t) => {
  fc.assert(
    fc.property(fc.anything(), (value) =>
      problemsOf(Shape, value).every(({ path, message }) => typeof path === 'string' && message !== ''),
    ),
  )
  t.pass()
})

test('no secret survives redaction, however deep it lies', (t) => {
  const secret = 'hunter2-very-secret'
  const leaf = fc.constantFrom('password', 'passwd', 'pass', 'token', 'newPwd', 'salt', 'apiToken', 'old_password')
  fc.assert(
    fc.property(leaf, fc.array(fc.constantFrom('a', 'b', 'list'), { maxLength: 5 }), (key, path) => {
      const value = path.reduceRight<unknown>((inner, step) => (step === 'list' ? [inner] : { [step]: inner }), {
        [key]: secret,
      })
      return !JSON.stringify(redact(value)).includes(secret)
    }),
  )
  t.alike(redact({ user: 'acct.worker', url: 'stratum+tcp://pool' }), {
    user: 'acct.worker',
    url: 'stratum+tcp://pool',
  })
})

test('anything thrown becomes an error with a code', (t) => {
  t.is(toSdkError(new Error('x')).code, 'INTERNAL')
  t.is(toSdkError('x', 'DEVICE_BAD_REPLY').code, 'DEVICE_BAD_REPLY')
  t.is(toSdkError(new DOMException('x', 'TimeoutError')).code, 'TIMEOUT')
  t.is(toSdkError(new DOMException('x', 'AbortError')).code, 'CANCELLED')
})

test('a deadline ends a job that does not listen, and the parent ends it too', async (t) => {
  // Timers of ours keep no process alive: the caller's own work does.
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(alive))
  const never = () => new Promise<never>(() => {})
  await t.exception(withDeadline(5, undefined, never, 'DEVICE_TIMEOUT'), /took longer than 5 ms/)
  const parent = new AbortController()
  const running = withDeadline(60_000, parent.signal, never)
  parent.abort(new SdkError('CANCELLED', 'the caller left'))
  await t.exception(running, /the caller left/)
  t.is(await withDeadline(1000, undefined, async () => 7), 7)
})
