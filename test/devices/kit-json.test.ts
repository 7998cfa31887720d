import test from 'brittle'
import fc from 'fast-check'
import { SdkError } from '#model'
import { bool, num, parseCutJson, parseJson, rows, str } from '../../src/devices/kit/json.js'

const defects: readonly [what: string, text: string, value: unknown][] = [
  ['plain', '{"a":1}', { a: 1 }],
  ['a NUL at the end', '{"a":1}\0\0', { a: 1 }],
  ['something after the NUL', '{"a":1}\0{"b":2}', { a: 1 }],
  ['raw line ends in values', '{"a":"x\ny"}', { a: 'x y' }],
  ['a comma too many', '{"a":[1,2,],}', { a: [1, 2] }],
  ['a comma too few', '{"a":[{"b":1}{"c":2}]}', { a: [{ b: 1 }, { c: 2 }] }],
  ['a comma at the start of a list', '{"a":[,{"b":1}]}', { a: [{ b: 1 }] }],
  ['a comma too few between fields', '{"vendor":"1""temp0":"33"}', { vendor: '1', temp0: '33' }],
  ['bare nan and inf', '{"a":nan,"b":-inf,"c":[NaN,Infinity]}', { a: null, b: null, c: [null, null] }],
  ['a reply without its beginning', ',"id":1}', { id: 1 }],
  ['codes in a list', '{"Msg":{"error_code":["329":"x"]}}', { Msg: { error_code: { 329: 'x' } } }],
  ['several at once', '{"a":nan,}\0', { a: null }],
]

test('known defects of firmwares are repaired', (t) => {
  for (const [what, text, value] of defects) t.alike(parseJson(text), value, what)
})

function codeOf(call: () => unknown): string {
  try {
    call()
    return 'none'
  } catch (error) {
    return error instanceof SdkError ? error.code : String(error)
  }
}

test('half an answer, nothing and nonsense are told apart', (t) => {
  t.is(
    codeOf(() => parseJson('{"a":[1,2')),
    'DEVICE_TIMEOUT',
  )
  t.is(
    codeOf(() => parseJson('')),
    'DEVICE_BAD_REPLY',
  )
  t.is(
    codeOf(() => parseJson('\0')),
    'DEVICE_BAD_REPLY',
  )
  t.is(
    codeOf(() => parseJson('Socket connect failed: Connection refused\n')),
    'DEVICE_BAD_REPLY',
  )
})

test('of a list that was cut off, what arrived is read', (t) => {
  const cut = '{"STATUS":"S","Msg":{"error_code":[{"218":"a"},{"110":"b"},{"6'
  t.alike(parseCutJson(cut), { STATUS: 'S', Msg: { error_code: [{ 218: 'a' }, { 110: 'b' }] } })
  t.is(
    codeOf(() => parseCutJson('{"a')),
    'DEVICE_TIMEOUT',
  )
})

test('valid JSON is never changed by the repairs', (t) => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      t.alike(parseJson(text), JSON.parse(text))
    }),
    { numRuns: 50 },
  )
})

test('any text parses or fails with a code, in time', (t) => {
  const noise = fc.array(
    fc.constantFrom('{', '}', '[', ']', '"', ',', ':', 'nan', 'error_code', '\\', '\n', '\0', '1', ' '),
    {
      maxLength: 300,
    },
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        noise.map((parts) => parts.join('')),
      ),
      (text) => ['none', 'DEVICE_BAD_REPLY', 'DEVICE_TIMEOUT'].includes(codeOf(() => parseCutJson(text))),
    ),
    { numRuns: 500 },
  )
  const long = ['"error_code":[', '{', ',   ', '}{', '""a', '[,'].map((part) => part.repeat(100_000))
  const started = performance.now()
  for (const text of long) codeOf(() => parseCutJson(text))
  t.ok(performance.now() - started < 5_000)
})

test('fields are read from whatever form they come in, and missing is undefined', (t) => {
  t.alike([1.5, '1.5', ' 7 ', '-3', '1e3', '.5'].map(num), [1.5, 1.5, 7, -3, 1000, 0.5])
  t.alike(
    ['', 'nan', 'inf', 'Infinity', 'N/A', null, true, {}, [], undefined, Number.NaN, '1:30'].map(num),
    Array(12).fill(undefined),
  )
  t.alike(['a ', 5, '', '  ', null, {}].map(str), ['a', '5', undefined, undefined, undefined, undefined])
  t.alike([true, 'true', '1', 1, 'enable', 'Y'].map(bool), Array(6).fill(true))
  t.alike([false, 'false', '0', 0, 'disable', 'N'].map(bool), Array(6).fill(false))
  t.alike(['', 'maybe', 2, null].map(bool), Array(4).fill(undefined))
  t.alike(rows([{ a: 1 }, null, 3, [], { b: 2 }]), [{ a: 1 }, { b: 2 }])
  t.alike(rows('x'), [])
})
