import test from 'brittle'
import fc from 'fast-check'
import { metricNames, SdkError } from '#model'
import { chunkOf, readChunk } from '../../src/replication/chunk.js'
import { decodeFrame, emptyRows, encodeFrame } from '../../src/replication/frame.js'
import { rowWidth, Stream } from '../../src/replication/stream.js'
import { decodeTable, encodeTable } from '../../src/replication/table.js'
import { record, start } from './support.js'

const decimal = fc
  .tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 8 }))
  .map(([whole, digits]) => whole / 10 ** digits)
const value = fc.oneof(
  { weight: 4, arbitrary: decimal },
  { weight: 2, arbitrary: fc.constant(Number.NaN) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 2 ** 49, 2 ** 53, -(2 ** 50), 0.1 + 0.2, 1e-300, 1e300) },
)

/** -0 is 0 to everybody who measures. */
const plain = (values: Iterable<number>) => Array.from(values, (each) => (each === 0 ? 0 : each))

test('a table gives every value back exactly, unknown stays unknown', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value), { maxLength: 50 }), (pairs) => {
      const columns = [0, 1].map((index) => ({
        name: `c${index}`,
        values: Float64Array.from(pairs, (pair) => pair[index]!),
      }))
      const table = decodeTable(encodeTable(pairs.length, columns))
      for (const { name, values } of columns) {
        const back = table.columns.get(name) ?? new Float64Array(pairs.length).fill(Number.NaN)
        if (JSON.stringify(plain(back)) !== JSON.stringify(plain(values))) return false
      }
      return table.rows === pairs.length
    }),
    { numRuns: 500 },
  )
  t.pass()
})

test('a stream and its chunk give every sample back exactly', (t) => {
  const row = fc.tuple(fc.integer({ min: -100_000, max: 100_000 }), fc.array(value, { minLength: 4, maxLength: 4 }))
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (rows) => {
      const stream = new Stream()
      const expected = new Map<number, number[]>()
      let at = start
      for (const [change, known] of rows) {
        at += change
        const values = new Float64Array(rowWidth).fill(Number.NaN)
        values.set(known, 2)
        stream.push(at, values)
        expected.set(at, plain(known))
      }
      const read: [number, number[]][] = []
      stream.read((time, values) => read.push([time, plain(values.slice(2, 6))]))
      const chunk = readChunk(chunkOf(stream).raw, metricNames)
      const times = [...chunk.columns.get('#at')!]
      const sorted = [...expected].sort(([a], [b]) => a - b)
      const columns = metricNames.slice(2, 6).map((name) => chunk.columns.get(name))
      const chunked = times.map((time, index) => [time, plain(columns.map((column) => column?.[index] ?? Number.NaN))])
      return (
        JSON.stringify(new Map(read)) === JSON.stringify(expected) && JSON.stringify(sorted) === JSON.stringify(chunked)
      )
    }),
    { numRuns: 300 },
  )
  t.pass()
})

test('a frame gives its rows, records, events and settings back', (t) => {
  const rows = emptyRows(2)
  rows.device.set([0, 1])
  rows.at.set([start, start + 5])
  rows.read.set([1, 0])
  rows.values.set([205.1, 0], 0)
  const frame = {
    at: start,
    base: 3,
    ids: ['a', 'b'],
    rows,
    records: [record('a', start)],
    events: [{ at: start, type: 'status' as const, message: 'Now mining.' }],
    settings: [{ deviceId: 'a', at: start, settings: { pools: [] } }],
  }
  t.alike(encodeFrame(frame).map(decodeFrame), [frame])
  const many = { ...frame, records: Array.from({ length: 1200 }, (_, index) => record(`d${index}`, start)) }
  const blocks = encodeFrame(many).map(decodeFrame)
  t.is(blocks.length, 3, 'a large tick is several blocks')
  t.alike(
    blocks.flatMap(({ records }) => records),
    many.records,
  )
  t.is(blocks.flatMap(({ events }) => events).length, 1, 'and says nothing twice')
})

test('bytes that are no block are refused with a code, whatever they are', (t) => {
  const rows = emptyRows(3)
  rows.values.fill(12.5)
  const [whole] = encodeFrame({
    at: start,
    base: 0,
    ids: ['a'],
    rows,
    records: [record('a', start)],
    events: [],
    settings: [],
  })
  const attempt = (bytes: Uint8Array) => {
    try {
      decodeFrame(bytes)
      return true
    } catch (error) {
      return error instanceof SdkError
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt), { numRuns: 500 })
  const mutation = fc.tuple(
    fc.nat(whole!.length - 1),
    fc.integer({ min: 0, max: 255 }),
    fc.integer({ min: 0, max: whole!.length }),
  )
  fc.assert(
    fc.property(mutation, ([place, byte, length]) => {
      const bytes = whole!.slice(0, length)
      bytes[place] = byte
      return attempt(bytes)
    }),
    { numRuns: 500 },
  )
  const newer = whole!.slice()
  newer[0] = 99
  t.exception(() => decodeFrame(newer), /version 99/)
})
