import test from 'brittle'
import fc from 'fast-check'
import { errorCodes, SdkError, Type } from '#model'
import {
  contract,
  decodeReply,
  decodeRequest,
  encodeError,
  encodeRequest,
  encodeValue,
  guard,
  maxMessageBytes,
  mayAt,
  methodOf,
  query,
  serve,
} from '#rpc'

const any = contract('any', { take: query({ input: Type.Unknown(), output: Type.Unknown() }) })
const endpoint = guard(any, serve(any, { take: (input) => input }), mayAt('home'))
const caller = { id: 'key:1', scope: 'read' } as const

const name = fc
  .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
  .filter((text) => Buffer.byteLength(text) <= 128)

/** What the function throws, as its code; anything that is not ours fails the property. */
function outcome<T>(call: () => T): T | SdkError {
  try {
    return call()
  } catch (error) {
    if (error instanceof SdkError) return error
    throw error
  }
}

test('a request comes out as it went in', (t) => {
  fc.assert(
    fc.property(name, fc.jsonValue(), fc.option(fc.nat(600_000), { nil: undefined }), (method, input, timeoutMs) => {
      const request = { method, input, ...(timeoutMs === undefined ? {} : { timeoutMs }) }
      const bytes = encodeRequest(request)
      return methodOf(bytes) === method && JSON.stringify(decodeRequest(bytes)) === JSON.stringify(request)
    }),
  )
  t.pass()
})

test('an answer comes out as it went in', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => JSON.stringify(decodeReply(encodeValue(value))) === JSON.stringify(value)),
  )
  t.pass()
})

test('every error code comes out as it went in', (t) => {
  for (const code of Object.keys(errorCodes) as (keyof typeof errorCodes)[]) {
    const error = outcome(() => decodeReply(encodeError({ code, message: 'why', details: { at: 3 } })))
    t.alike(error instanceof SdkError && error.toJSON(), { code, message: 'why', details: { at: 3 } })
  }
})

test('an unknown code of a newer peer is INTERNAL, its message is kept', (t) => {
  const reply = Buffer.from(JSON.stringify({ error: { code: 'NEWER_THAN_US', message: 'why' } }))
  const error = outcome(() => decodeReply(reply))
  t.alike(error instanceof SdkError && error.toJSON(), { code: 'INTERNAL', message: 'why' })
})

test('a reply whose error is misshapen is an error of ours, never a value', (t) => {
  for (const error of [null, 3, 'text', [], {}, { code: 3 }, { code: 'TIMEOUT', message: 3 }, { code: '__proto__' }]) {
    t.ok(outcome(() => decodeReply(Buffer.from(JSON.stringify({ error })))) instanceof SdkError, JSON.stringify(error))
  }
})

test('any bytes at all are answered with a code, by both ends', async (t) => {
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    // The head of a real request with anything behind it, cut anywhere.
    fc.tuple(fc.uint8Array({ maxLength: 60 }), fc.nat(80)).map(([tail, cut]) => {
      const whole = Buffer.concat([encodeRequest({ method: 'take', input: {} }).subarray(0, 6), tail])
      return new Uint8Array(whole.subarray(0, cut))
    }),
    fc.string({ maxLength: 200 }).map((text) => new TextEncoder().encode(text)),
  )
  await fc.assert(
    fc.asyncProperty(hostile, async (bytes) => {
      outcome(() => decodeReply(bytes))
      outcome(() => decodeRequest(bytes))
      return (await endpoint(bytes, caller)) instanceof Uint8Array
    }),
    { numRuns: 500 },
  )
  t.pass()
})

test('hostile requests are refused with a code', async (t) => {
  const head = (method: string, body: string | Uint8Array) => {
    const bytes = Buffer.from(method)
    return new Uint8Array(
      Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes, Buffer.from(body)]),
    )
  }
  const cases: [string, Uint8Array, string][] = [
    ['nothing', new Uint8Array(), 'BAD_REQUEST'],
    ['a length without a name', new Uint8Array([0, 9]), 'BAD_REQUEST'],
    ['a name of no length', new Uint8Array([0, 0, 123, 125]), 'BAD_REQUEST'],
    ['a name longer than allowed', head('x'.repeat(129), '{}'), 'BAD_REQUEST'],
    ['a name that is not UTF-8', new Uint8Array([0, 2, 0xff, 0xfe, 123, 125]), 'BAD_REQUEST'],
    ['a name of the prototype', head('constructor', '{"input":{}}'), 'METHOD_NOT_FOUND'],
    ['another name of the prototype', head('__proto__', '{"input":{}}'), 'METHOD_NOT_FOUND'],
    ['no JSON', head('take', '{"input":'), 'BAD_REQUEST'],
    ['a list instead of a message', head('take', '[]'), 'BAD_REQUEST'],
    ['a number instead of a message', head('take', '3'), 'BAD_REQUEST'],
    ['a body that is not UTF-8', head('take', new Uint8Array([0x7b, 0xff, 0x7d])), 'BAD_REQUEST'],
  ]
  for (const [what, bytes, code] of cases) {
    const reply = JSON.parse(new TextDecoder().decode(await endpoint(bytes, caller)))
    t.is(reply.error?.code, code, what)
  }
})

test('a body nested a million deep harms nobody', async (t) => {
  const depth = 1_000_000
  const body = Buffer.from(`{"input":${'['.repeat(depth)}${']'.repeat(depth)}}`)
  const bytes = new Uint8Array(Buffer.concat([Buffer.from([0, 4]), Buffer.from('take'), body]))
  const reply = JSON.parse(new TextDecoder().decode(await endpoint(bytes, caller)))
  t.is(reply.error?.code, 'INTERNAL', 'it cannot be written down again, and that is all')
})

test('larger than allowed is refused in both directions', (t) => {
  const large = new Uint8Array(maxMessageBytes + 1024)
  const code = (call: () => unknown) => {
    const error = outcome(call)
    return error instanceof SdkError ? error.code : 'no error'
  }
  t.is(
    code(() => decodeRequest(large)),
    'TOO_LARGE',
  )
  t.is(
    code(() => decodeReply(large)),
    'TOO_LARGE',
  )
  t.is(
    code(() => encodeValue('x'.repeat(maxMessageBytes))),
    'TOO_LARGE',
  )
  t.is(
    code(() => encodeRequest({ method: 'take', input: 'x'.repeat(maxMessageBytes) })),
    'TOO_LARGE',
  )
  t.ok(encodeError({ code: 'INTERNAL', message: 'x'.repeat(maxMessageBytes) }).length < 10_000, 'a message is cut')
})

test('a deadline that makes no sense counts as none given', (t) => {
  for (const timeoutMs of ['5', null, -1, {}]) {
    const bytes = Buffer.concat([
      Buffer.from([0, 4]),
      Buffer.from('take'),
      Buffer.from(JSON.stringify({ input: {}, timeoutMs })),
    ])
    t.alike(decodeRequest(new Uint8Array(bytes)), { method: 'take', input: {} })
  }
})
