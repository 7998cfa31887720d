import test from 'brittle'
import fc from 'fast-check'
import { DeviceFilterSchema, matches, SdkError, Type } from '#model'
import { stepMs } from '#replication'
import { coerce, filterOf, parseSpan, parseTime, rollupFor, stepFor } from '../../src/gateway/query.js'

const Query = Type.Object(
  {
    ...DeviceFilterSchema.properties,
    limit: Type.Optional(Type.Integer()),
    ratio: Type.Optional(Type.Number()),
    on: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)
const word = fc.stringMatching(/^[a-z0-9_-]{1,12}$/)

test('a list means the same, repeated or separated by commas', (t) => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 8 }), (words) => {
      const repeated = coerce(Query, { tag: words.length === 1 ? words[0] : words })
      const joined = coerce(Query, { tag: words.join(',') })
      const spaced = coerce(Query, { tag: `,${words.join(' , ')},` })
      return [repeated, joined, spaced].every((query) => JSON.stringify(query) === JSON.stringify({ tag: words }))
    }),
  )
  t.alike(coerce(Query, { tag: '' }), {}, 'an empty list is no condition')
  t.alike(coerce(Query, { q: 'a,b' }), { q: 'a,b' }, 'text keeps its commas')
})

test('numbers and booleans are read, and what is none is left for the check to name', (t) => {
  fc.assert(fc.property(fc.integer(), (limit) => coerce(Query, { limit: String(limit) }).limit === limit))
  fc.assert(
    fc.property(fc.string(), (text) => {
      const { limit } = coerce(Query, { limit: text })
      return typeof limit === 'number' ? /^-?\d/.test(text) : limit === text
    }),
  )
  t.alike(
    ['1', 'true', '', '0', 'false', 'maybe'].map((on) => coerce(Query, { on }).on),
    [true, true, true, false, false, 'maybe'],
  )
})

test('whatever a query string holds, reading it never throws and never makes a wrong value right', (t) => {
  const raw = fc.dictionary(
    fc.oneof(fc.constantFrom(...Object.keys(Query.properties), '__proto__', 'constructor'), fc.string()),
    fc.oneof(fc.string(), fc.array(fc.string(), { maxLength: 4 })),
  )
  fc.assert(
    fc.property(raw, (query) => {
      const read = coerce(Query, query)
      return !matches(Query, read) || matches(DeviceFilterSchema, filterOf(read as never))
    }),
  )
  t.pass()
})

const now = 1_800_000_000_000

test('times: ms, ISO and relative ones say the same', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), (at) => {
      const texts = [String(at), new Date(at).toISOString(), new Date(at).toISOString().replace('Z', '+00:00')]
      return texts.every((text) => parseTime(text, now, 'from') === at)
    }),
  )
  t.is(parseTime('now', now, 'from'), now)
  t.is(parseTime('-90m', now, 'from'), now - 90 * 60_000)
  t.is(parseTime('-2w', now, 'from'), now - 14 * 86_400_000)
  t.is(
    parseTime('2026-11-23T10:00:00 02:00', now, 'from'),
    Date.parse('2026-11-23T08:00:00Z'),
    'a + that became a space',
  )
})

test('times: anything else is refused by the name of its parameter', (t) => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        return Number.isFinite(parseTime(text, now, 'from'))
      } catch (error) {
        return error instanceof SdkError && error.code === 'BAD_REQUEST' && error.message.startsWith('from ')
      }
    }),
  )
  for (const text of [
    '',
    '-',
    '-1',
    '-1y',
    '1h',
    '+1h',
    '99999999999999999',
    '2026-13-01',
    'NaN',
    'Infinity',
    '1e3',
    '0x10',
  ]) {
    t.exception(() => parseTime(text, now, 'to'), { code: 'BAD_REQUEST' }, text)
  }
})

test('the step gives a chart some hundred points, whatever the span', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 700 * 86_400_000 }), (ms) => {
      const span = { from: now - ms, to: now }
      const rollup = rollupFor(span)
      const step = stepFor(span)
      return ms / stepMs[rollup] <= 750 && (step === 'raw' ? ms <= 7_200_000 : step === rollup)
    }),
  )
  t.alike(parseSpan({}, now), { from: now - 86_400_000, to: now })
  t.alike(parseSpan({ to: '-1d' }, now), { from: now - 2 * 86_400_000, to: now - 86_400_000 })
  t.exception(() => parseSpan({ from: 'now' }, now), { code: 'BAD_REQUEST' })
})
