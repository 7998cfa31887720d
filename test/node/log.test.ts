import test from 'brittle'
import fc from 'fast-check'
import { SdkError } from '#model'
import { createLog, type LogOptions } from '#node'

function recorded(options: LogOptions = {}) {
  const lines: string[] = []
  return { log: createLog({ text: false, write: (line) => void lines.push(line), ...options }), lines }
}

test('a line is JSON: level, time, facts and a sentence', (t) => {
  const { log, lines } = recorded()
  const before = Date.now()
  log.child({ service: 'wm' }).info({ devices: 3 }, 'runs')
  const { at, ...rest } = JSON.parse(lines[0]!)
  t.alike(rest, { level: 'info', service: 'wm', devices: 3, message: 'runs' })
  t.ok(at >= before && at <= Date.now())
  t.ok(lines[0]!.endsWith('\n'))
})

test('only what the level lets through is written', (t) => {
  const { log, lines } = recorded({ level: 'warn' })
  log.debug({}, 'a')
  log.info({}, 'b')
  log.warn({}, 'c')
  log.error({}, 'd')
  t.alike(
    lines.map((line) => JSON.parse(line).message),
    ['c', 'd'],
  )
  const { log: quiet, lines: none } = recorded({ level: 'silent' })
  quiet.error({}, 'd')
  t.is(none.length, 0)
})

test('secrets never reach a line, wherever they stand', (t) => {
  const { log, lines } = recorded()
  const secret = 'hunter2'
  const cause = Object.assign(new Error('no'), { password: secret })
  log.child({ token: secret }).error(
    {
      password: secret,
      device: { passwd: secret, list: [{ apiToken: secret }] },
      err: new SdkError('DEVICE_AUTH', 'refused', { details: { pwd: secret }, cause }),
    },
    'broke',
  )
  t.absent(lines.join('').includes(secret))
})

test('an error is written with code, message, stack and cause', (t) => {
  const { log, lines } = recorded()
  log.error({ err: new SdkError('STORE_FAILED', 'no space', { cause: new TypeError('inner') }) }, 'broke')
  const { err } = JSON.parse(lines[0]!)
  t.is(err.code, 'STORE_FAILED')
  t.is(err.message, 'no space')
  t.ok(err.stack.includes('log.test.ts'))
  t.is(err.cause.message, 'inner')
})

test('no fact makes a line longer than a few hundred kilobytes, or breaks it', (t) => {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  const facts: object[] = [
    { text: 'x'.repeat(10_000_000) },
    { list: Array.from({ length: 100_000 }, () => 'x'.repeat(10_000)) },
    { circle },
    {
      n: 3n,
      when: new Date(0),
      bytes: new Uint8Array(1_000_000),
      not: Number.NaN,
      fn: () => 3,
      nothing: undefined,
      map: new Map([[1, 2]]),
    },
    Object.fromEntries(Array.from({ length: 1000 }, (_, key) => [key, { deep: { deeper: { deepest: {} } } }])),
  ]
  for (const each of facts) {
    const { log, lines } = recorded()
    log.info(each, 'told')
    t.is(JSON.parse(lines[0]!).message, 'told')
    t.ok(lines[0]!.length < 300_000, `${lines[0]!.length}`)
  }
  fc.assert(
    fc.property(fc.object({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true }), (each) => {
      const { log, lines } = recorded()
      log.info(each, 'told')
      return JSON.parse(lines[0]!) !== undefined
    }),
  )
})

test('for a person a line is short text', (t) => {
  const { log, lines } = recorded({ text: true })
  log.child({ service: 'wm' }).warn({ failures: 3, err: new SdkError('DEVICE_BUSY', 'takes no more') }, 'broke')
  t.ok(
    /^\d\d:\d\d:\d\d {2}WARN {3}wm {2}broke {2}DEVICE_BUSY: takes no more {2}failures=3\n$/.test(lines[0]!),
    lines[0],
  )
  log.error({ err: new TypeError('x') }, 'broke')
  t.ok(lines[1]!.includes('\n    at '), 'an error from inside comes with its stack')
})
