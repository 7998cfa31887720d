import test from 'brittle'
import fc from 'fast-check'
import { findFault } from '../../src/node/json.js'

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** JSON.parse takes these; a person who writes them has made a mistake. */
const ours = (message: string) => message.endsWith('is given twice') || message === 'nested too deeply'

test('what JSON.parse takes has no fault, however it is laid out', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 1, 2, '\t', '\r\n '), (value, indent) => {
      return findFault(JSON.stringify(value, null, indent)) === undefined
    }),
  )
  t.pass()
})

test('what JSON.parse refuses has a fault, at a place in the text', (t) => {
  const broken = fc.tuple(
    fc.json(),
    fc.nat(),
    fc.nat(3),
    fc.constantFrom('', '"', ',', ':', '{', '}', '[', ']', '\\', '\n', '0', '-', '.', 'e', 'nul', '/', '\u0000'),
  )
  const texts = fc.oneof(
    fc.string({ maxLength: 30 }),
    broken.map(([text, at, cut, more]) => {
      const place = at % (text.length + 1)
      return text.slice(0, place) + more + text.slice(place + cut)
    }),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const fault = findFault(text)
      if (isJson(text)) return fault === undefined || ours(fault.message)
      const lines = text.split('\n')
      return fault !== undefined && fault.line <= lines.length && fault.column <= lines[fault.line - 1]!.length + 1
    }),
    { numRuns: 3_000 },
  )
  t.pass()
})

test('the same key twice in one object is a fault, in two objects it is none', (t) => {
  t.alike(findFault('{"a": 1,\n "b": {"a": 2},\n "a": 3}'), {
    line: 3,
    column: 2,
    message: 'the key "a" is given twice',
  })
  t.is(findFault('[{"a": 1}, {"a": 1}]'), undefined)
})

test('a text nested without end, or with a string without end, harms nobody', (t) => {
  t.is(findFault('['.repeat(1_000_000))?.message, 'nested too deeply')
  t.ok(findFault(`"${'a'.repeat(5_000_000)}`))
  t.is(findFault(`"${'a'.repeat(5_000_000)}"`), undefined)
})
