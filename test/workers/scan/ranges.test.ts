import test from 'brittle'
import fc from 'fast-check'
import { addresses, countOf, parseRanges } from '../../../src/workers/scan/ranges.js'

const all = (...texts: string[]) => [...addresses(parseRanges(texts))]

test('an address, a CIDR, a range and a short range give their addresses in order', (t) => {
  t.alike(all('10.0.0.7'), ['10.0.0.7'])
  t.alike(all('10.0.0.4/30'), ['10.0.0.4', '10.0.0.5', '10.0.0.6', '10.0.0.7'])
  t.alike(all('10.0.0.6/30'), all('10.0.0.4/30'), 'any address of the net names it')
  t.alike(all('10.0.0.254-10.0.1.1'), ['10.0.0.254', '10.0.0.255', '10.0.1.0', '10.0.1.1'])
  t.alike(all('10.0.0.10-12'), ['10.0.0.10', '10.0.0.11', '10.0.0.12'])
  t.alike(all(' 10.0.0.10 - 12 '), all('10.0.0.10-12'))
  t.is(countOf(parseRanges(['10.0.0.0/22'])), 1024)
  t.alike(all('255.255.255.255/32'), ['255.255.255.255'])
})

test('ranges that overlap or touch give each address once', (t) => {
  t.alike(all('10.0.0.2-4', '10.0.0.1-2', '10.0.0.5'), ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'])
  t.alike(parseRanges(['10.0.0.0/24', '10.0.1.0/24']).length, 1)
})

test('what is no range is refused with its text, and more than a /16 is too much', async (t) => {
  for (const text of [
    '',
    'x',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.1/33',
    '10.0.0.1/',
    '10.0.0.01',
    '10.0.0.1-',
    '1.2.3.4-5-6',
    '10.0.0.1-300',
    '::1',
    '1.2.3.4/8/8',
  ]) {
    await t.exception(() => parseRanges([text]), { code: 'BAD_REQUEST' }, JSON.stringify(text))
  }
  await t.exception(() => parseRanges(['10.0.0.9-3']), { code: 'BAD_REQUEST' })
  await t.exception(() => parseRanges(['10.0.0.0/15']), { code: 'TOO_LARGE' })
  await t.exception(() => parseRanges(['10.0.0.0/16', '10.2.0.0']), { code: 'TOO_LARGE' })
  await t.execution(() => parseRanges(['10.0.0.0/16', '10.0.3.0/24']))
})

const octet = fc.integer({ min: 0, max: 255 })
const address = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join('.'))

test('any text is a range or BAD_REQUEST or TOO_LARGE, never anything else', (t) => {
  const texts = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789./- ') }), address)
  fc.assert(
    fc.property(fc.array(texts, { minLength: 1, maxLength: 4 }), (list) => {
      try {
        return countOf(parseRanges(list)) <= 65_536
      } catch (error) {
        return ['BAD_REQUEST', 'TOO_LARGE'].includes((error as { code: string }).code)
      }
    }),
  )
  t.pass()
})

test('a CIDR holds its own address and as many as its size, each once', (t) => {
  fc.assert(
    fc.property(address, fc.integer({ min: 20, max: 32 }), (base, bits) => {
      const list = all(`${base}/${bits}`)
      return list.length === 2 ** (32 - bits) && new Set(list).size === list.length && list.includes(base)
    }),
    { numRuns: 50 },
  )
  t.pass()
})
