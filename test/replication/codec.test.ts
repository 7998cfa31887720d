import { readFileSync } from 'node:fs'
import test from 'brittle'
import fc from 'fast-check'
import { SdkError } from '#model'
import { readNumbers, writeNumbers } from '../../src/replication/ans.js'
import { Reading, Writer } from '../../src/replication/bytes.js'
import { chunkOf, encodeChunk, readChunk, readRollup } from '../../src/replication/chunk.js'
import { emptyRows, type Frame } from '../../src/replication/frame.js'
import { FrameReader, FrameWriter } from '../../src/replication/frames.js'
import { Odds, RangeDecoder, RangeEncoder } from '../../src/replication/range.js'
import { rowOf, shapeOf, withRow } from '../../src/replication/shape.js'
import { Stream } from '../../src/replication/stream.js'
import { record, start } from './support.js'

const decimal = fc
  .tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 8 }))
  .map(([whole, digits]) => whole / 10 ** digits)
const known = fc.oneof(
  { weight: 4, arbitrary: decimal },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 }) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      0,
      1,
      2 ** 49,
      2 ** 50 - 1,
      2 ** 50,
      2 ** 53,
      -(2 ** 50),
      1 - 2 ** 50,
      0.1 + 0.2,
      1e-300,
      1e300,
      1e-8,
    ),
  },
)
const value = fc.oneof({ weight: 6, arbitrary: known }, { weight: 2, arbitrary: fc.constant(Number.NaN) })

/** -0 is 0 to everybody who measures. */
const plain = (values: Iterable<number>) => Array.from(values, (each) => (each === 0 ? 0 : each))

test('the range coder gives every bit back, whatever the odds, in hardly more than their entropy', (t) => {
  const bits = fc.array(fc.record({ index: fc.nat(2), bit: fc.nat(1), plain: fc.nat(65_535), count: fc.nat(16) }), {
    maxLength: 300,
  })
  fc.assert(
    fc.property(bits, (all) => {
      const [to, odds] = [new RangeEncoder(), new Odds(3)]
      for (const { index, bit, plain: number, count } of all) {
        to.bit(odds, index, bit)
        to.plain(number % 2 ** count, count)
      }
      const [from, same] = [new RangeDecoder(to.finish()), new Odds(3)]
      return all.every(
        ({ index, bit, plain: number, count }) =>
          from.bit(same, index) === bit && from.plain(count) === number % 2 ** count,
      )
    }),
    { numRuns: 500 },
  )
  const [to, odds] = [new RangeEncoder(), new Odds(1)]
  let seed = 1
  for (let count = 0; count < 80_000; count++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    to.bit(odds, 0, seed < 2 ** 32 * 0.1 ? 1 : 0)
  }
  const entropy = (80_000 * -(0.1 * Math.log2(0.1) + 0.9 * Math.log2(0.9))) / 8
  t.ok(to.finish().length < entropy * 1.03)
})

const names = ['boards.0.hashrateThs', 'boards.1.hashrateThs', 'powerW', 'uptimeS', 'hashrateThs', 'efficiencyJTh']

test('a stream and its chunk give every sample back exactly, columns alone or together', (t) => {
  const row = fc.tuple(fc.integer({ min: -100_000, max: 100_000 }), fc.array(value, { minLength: 6, maxLength: 6 }))
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), fc.subarray(names), (rows, some) => {
      const stream = new Stream()
      const expected = new Map<number, number[]>()
      let at = start
      for (const [change, values] of rows) {
        at += change
        const reported = names.flatMap((name, index) =>
          Number.isNaN(values[index]!) ? [] : [{ name, value: values[index]! }],
        )
        stream.push(at, {
          shape: shapeOf(reported.map(({ name }) => name)),
          values: reported.map((each) => each.value),
        })
        expected.set(at, plain(values))
      }
      const read = new Map<number, number[]>()
      const columns = names.map((name) => stream.columnOf(name) ?? -1)
      stream.read((time, values) => read.set(time, plain(columns.map((column) => values[column] ?? Number.NaN))))
      if (JSON.stringify([...read]) !== JSON.stringify([...expected])) return false
      const raw = chunkOf(stream)
      const sorted = [...expected].sort(([a], [b]) => a - b)
      for (const wanted of [names, some]) {
        const chunk = readChunk(raw, wanted)
        const back = [...chunk.columns.get('#at')!].map((time, index) => [
          time,
          plain(wanted.map((name) => chunk.columns.get(name)?.[index] ?? Number.NaN)),
        ])
        const whole = sorted.map(([time, values]) => [time, wanted.map((name) => values[names.indexOf(name)])])
        if (JSON.stringify(back) !== JSON.stringify(whole)) return false
      }
      return true
    }),
    { numRuns: 300 },
  )
  t.pass()
})

/** Frames as a worker would write them: some devices, each with the numbers that it happens to report. */
const tick = fc.record({
  wait: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
    fc.integer({ min: -800_000, max: 800_000 }),
  ),
  rows: fc.uniqueArray(
    fc.record({
      id: fc.nat(4),
      read: fc.boolean(),
      latency: fc.option(fc.nat(5000)),
      values: fc.array(value, { minLength: 6, maxLength: 6 }),
    }),
    { selector: ({ id }) => id, maxLength: 5 },
  ),
  words: fc.boolean(),
})

function frameOf(
  at: number,
  {
    rows: told,
    words,
  }: { rows: readonly { id: number; read: boolean; latency: number | null; values: number[] }[]; words: boolean },
): Frame {
  const rows = emptyRows(told.length)
  told.forEach(({ id, read, latency, values }, row) => {
    rows.ids[row] = `d${id}`
    rows.read[row] = read ? 1 : 0
    if (read) rows.at[row] = at - id
    rows.askedAt[row] = latency === null ? Number.NaN : at - id - latency
    rows.latencyMs[row] = latency ?? Number.NaN
    const reported = names.filter((_, index) => read && !Number.isNaN(values[index]!))
    rows.rows[row] = {
      shape: shapeOf(reported),
      values: reported.map((name) => values[names.indexOf(name)]!),
    }
  })
  const events = words ? [{ at, type: 'status' as const, message: 'Now mining.' }] : []
  const settings = words ? [{ deviceId: 'd0', at, settings: { pools: [] } }] : []
  return { at, rows, records: words ? [record('d0', at)] : [], events, settings }
}

function shown({ rows, ...words }: Frame): string {
  const all = rows.ids.map((id, row) => ({
    id,
    read: rows.read[row],
    times: [rows.at[row], rows.askedAt[row], rows.latencyMs[row]],
    names: rows.rows[row]!.shape.names,
    values: plain(rows.rows[row]!.values),
  }))
  return JSON.stringify([words, all.sort((a, b) => (a.id < b.id ? -1 : 1))])
}

test('frames give their rows, records, events and settings back; after one that is lost, only words, until the next group', (t) => {
  fc.assert(
    fc.property(fc.array(tick, { minLength: 1, maxLength: 30 }), fc.nat(29), (ticks, lost) => {
      const writer = new FrameWriter()
      const [reader, other] = [new FrameReader(), new FrameReader()]
      let at = start
      let hole = false
      return ticks.every((each, index) => {
        at += each.wait
        const frame = frameOf(at, each)
        const [block] = [...writer.encode(frame)]
        if (shown(reader.decode(block!)) !== shown(frame)) return false
        if (index === lost) {
          hole = true
          return true
        }
        const after = other.decode(block!)
        const first = block![1] === 0
        if (first) hole = false
        if (!hole) return shown(after) === shown(frame)
        return (
          after.rows.count === 0 &&
          (after.lost ?? false) === frame.rows.count > 0 &&
          after.records.length === frame.records.length
        )
      })
    }),
    { numRuns: 300 },
  )
  const rows = emptyRows(0)
  const many = {
    at: start,
    rows,
    events: [],
    settings: [],
    records: Array.from({ length: 1200 }, (_, index) => record(`d${index}`, start)),
  }
  const reader = new FrameReader()
  const blocks = [...new FrameWriter().encode(many)].map((block) => reader.decode(block))
  t.is(blocks.length, 12, 'a large tick is several blocks')
  t.alike(
    blocks.flatMap(({ records }) => records),
    many.records,
  )
})

test('a row has every number of metrics and parts, and gives them back to the record', (t) => {
  const parts = {
    boards: [
      { slot: 0, status: 'ok' as const, hashrateThs: 70.5, chips: 111, serial: 'x' },
      { slot: 1, hashrateThs: null, boardTempC: 65 },
    ],
    fans: [{ index: 0, rpm: 5400 }],
    pools: [{ index: 0, url: 'stratum+tcp://a', user: 'b', accepted: 12, active: true }],
  }
  const before = record('a', start, { powerW: 3000, hashrateThs: 140 }, parts)
  const row = rowOf(before)
  t.ok(row.shape.names.includes('boards.1.boardTempC'))
  t.alike(withRow(before, row), before)
  const boards = [
    { ...parts.boards[0]!, hashrateThs: 71 },
    { slot: 1, hashrateThs: 68, boardTempC: null },
  ]
  const later = record('a', start, { powerW: 3100 }, { ...parts, boards })
  t.alike(withRow(before, rowOf(later)), later, 'what was unknown is known, and the other way round')
})

test('bytes that are no block are refused with a code, whatever they are', (t) => {
  const told = [0, 1, 2].map((id) => ({ id, read: true, latency: 14, values: [70.1, 70.2, 3000, 5, 140.3, 21.38] }))
  const frames = [0, 1].map((index) => frameOf(start + index, { rows: told, words: true }))
  const writer = new FrameWriter()
  const [first, second] = frames.map((frame) => [...writer.encode(frame)][0]!)
  const stream = new Stream()
  for (let sample = 0; sample < 20; sample++) stream.push(start + sample, frames[0]!.rows.rows[0]!)
  const raw = chunkOf(stream)
  const long = encodeChunk({
    at: Float64Array.from({ length: 200 }, (_, row) => start + row * 10_000),
    columns: names.map((name, place) => ({
      name,
      values: Float64Array.from({ length: 200 }, (_, row) => (row === 50 ? Number.NaN : 70 + ((row * place) % 7))),
    })),
  })
  const attempt = (read: () => unknown) => {
    try {
      read()
      return true
    } catch (error) {
      return error instanceof SdkError
    }
  }
  const both = (bytes: Uint8Array) =>
    attempt(() => new FrameReader().decode(bytes)) && attempt(() => readChunk(bytes, names))
  const versioned = fc.tuple(fc.constantFrom(1, 2, 3, 4), fc.uint8Array({ maxLength: 200 }))
  fc.assert(
    fc.property(versioned, ([version, bytes]) => both(Uint8Array.of(version, ...bytes))),
    { numRuns: 500 },
  )
  for (const whole of [first!, second!, raw, long]) {
    const mutation = fc.tuple(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length))
    const damagedAt = ([place, byte, length]: [number, number, number]) => {
      const bytes = whole.slice(0, length)
      bytes[place] = byte
      const reader = new FrameReader()
      if (whole === second) reader.decode(first!)
      return attempt(() => reader.decode(bytes)) && attempt(() => readChunk(bytes, names))
    }
    fc.assert(fc.property(mutation, damagedAt), { numRuns: 500 })
    const newer = whole.slice()
    newer[0] = 99
    t.exception(() => new FrameReader().decode(newer), /version 99/)
    t.exception(() => readChunk(newer, names), /version 99/)
  }
})

test('whole numbers come back from few bits, whatever they are', (t) => {
  const number = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: -20, max: 20 }) },
    { weight: 2, arbitrary: fc.integer({ min: -(2 ** 31), max: 2 ** 31 }) },
    { weight: 1, arbitrary: fc.constantFrom(2 ** 51 - 1, 1 - 2 ** 51, 2 ** 31, -(2 ** 31), 2 ** 32, 7, 8, -8) },
  )
  fc.assert(
    fc.property(fc.array(number, { minLength: 1, maxLength: 400 }), (all) => {
      const out = new Writer()
      writeNumbers(out, all)
      const found = new Float64Array(all.length)
      readNumbers(new Reading(out.view().slice()), found)
      return all.every((each, at) => found[at] === each)
    }),
    { numRuns: 500 },
  )
  const steady = Array.from({ length: 20_000 }, (_, at) => (at % 10 === 0 ? 1 : 0))
  const out = new Writer()
  writeNumbers(out, steady)
  t.ok(out.length < ((20_000 * 0.469) / 8) * 1.03, 'hardly more than their entropy')
})

test('long chunks give every value back exactly: gaps, leaps, sums of others, numbers that are no decimals', (t) => {
  const walk = fc.record({
    rows: fc.integer({ min: 90, max: 400 }),
    seed: fc.integer(),
    gap: fc.integer({ min: 0, max: 60 }),
    leap: fc.option(fc.tuple(fc.nat(89), known)),
    alone: fc.subarray(names, { minLength: 1 }),
  })
  fc.assert(
    fc.property(walk, ({ rows, seed, gap, leap, alone }) => {
      let state = seed
      const chance = () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
        return state / 2 ** 32
      }
      const at = Float64Array.from({ length: rows }, (_, row) => start + row * 10_000 + Math.floor(chance() * 9))
      const columns = names.map((name) => ({ name, values: new Float64Array(rows) }))
      for (let row = 0; row < rows; row++) {
        const [one, two] = [70 + chance(), 70 + chance()].map((each) => Math.round(each * 1000) / 1000) as [
          number,
          number,
        ]
        const sum = Math.round((one + two) * 1000) / 1000
        const all = [one, two, 3000 + Math.floor(one * 9), row * 10, sum, Math.round((3000 / sum) * 100) / 100]
        all.forEach((each, column) => {
          columns[column]!.values[row] = gap > 0 && chance() < 1 / gap ? Number.NaN : each
        })
      }
      if (leap) columns[leap[0] % names.length]!.values[leap[0]] = leap[1]
      const block = encodeChunk({ at, columns })
      return [names, alone].every((wanted) => {
        const read = readChunk(block, wanted)
        return (
          plain(read.columns.get('#at')!).join() === plain(at).join() &&
          wanted.every((name) => {
            const { values } = columns.find((each) => each.name === name)!
            return plain(read.columns.get(name)!).join() === plain(values).join()
          })
        )
      })
    }),
    { numRuns: 150 },
  )
  t.pass()
})

test('what format 2 wrote is read', (t) => {
  const stored = JSON.parse(readFileSync('test/fixtures/feed-v2.json', 'utf8')) as {
    chunk: string
    rollup: string
    frames: string[]
  }
  const { rows, columns } = readChunk(Buffer.from(stored.chunk, 'base64'))
  t.is(rows, 120)
  t.is(columns.get('powerW')?.[8], 5501)
  t.is(columns.get('hashrateThs')?.[3], Math.round((200 + Math.sin(3) + Math.cos(3)) * 100) / 100)
  t.ok(Number.isNaN(columns.get('hashrateThs')?.[7]))
  t.is(readRollup(Buffer.from(stored.rollup, 'base64'), ['powerW']).columns.get('powerW#')?.[0], 30)
  const reader = new FrameReader()
  const frames = stored.frames.map((block) => reader.decode(Buffer.from(block, 'base64')))
  const seen = frames.map(({ rows }) =>
    rows.ids.map((id, row) => [id, rows.read[row], ...plain(rows.rows[row]!.values)].join(' ')),
  )
  t.alike(seen, [
    ['a 1 5400 5500 80 70 205.17', 'b 1 5500 81 70 206.17', 'c 1 3200'],
    ['a 1 5430 5503 80.1 70.1 205.42', 'b 0', 'c 1 3201'],
    ['a 1 5460 5506 80.2 70.2 205.67', 'b 1 5506 81.2 70.2 206.67', 'c 1 3202'],
  ])
  t.is(frames[0]!.rows.rows[0]!.shape.names[0], 'fans.0.rpm')
})

test('frames of version 3, which say nothing of columns that stand still, are read', (t) => {
  const { frames } = JSON.parse(readFileSync('test/fixtures/feed-v3.json', 'utf8')) as { frames: string[] }
  const reader = new FrameReader()
  const seen = frames.map((block) => {
    const { rows } = reader.decode(Buffer.from(block, 'base64'))
    return rows.ids.map((id, row) => [id, rows.read[row], ...plain(rows.rows[row]!.values)].join(' '))
  })
  t.alike(seen, [
    ['a 1 5400 5500 80 70 205.17', 'b 1 5500 81 70 206.17', 'c 1 3200'],
    ['a 1 5430 5503 80.1 70 205.42', 'b 0', 'c 1 3200'],
    ['a 1 5460 5506 80.2 70.2 205.67', 'b 1 5500 81.2 70 206.17', 'c 1 3200'],
  ])
})

test('what format 1 wrote is read', (t) => {
  const stored = JSON.parse(readFileSync('test/fixtures/feed-v1.json', 'utf8')) as Record<
    'frame' | 'chunk' | 'rollup',
    string
  >
  const reader = new FrameReader()
  const { rows, ...words } = reader.decode(Buffer.from(stored.frame, 'base64'))
  t.alike(words, {
    at: start,
    records: [record('a', start, { hashrateThs: 205.17 })],
    events: [{ at: start, type: 'status', message: 'Now mining.' }],
    settings: [{ deviceId: 'a', at: start, settings: { pools: [] } }],
  })
  // Device 4 is `b`; those of numbers 0 and 1 were met in frames before it.
  t.alike(rows.ids, ['b'])
  t.is(rows.askedAt[0], start + 6)
  t.is(rows.read[0], 0)
  const chunk = readChunk(Buffer.from(stored.chunk, 'base64'), ['hashrateThs', 'powerW'])
  t.is(chunk.rows, 40)
  t.is(chunk.columns.get('hashrateThs')?.[3], Math.round((200 + Math.sin(3)) * 100) / 100)
  t.is(chunk.columns.get('powerW')?.[4], 5504)
  const rollup = readRollup(Buffer.from(stored.rollup, 'base64'), ['powerW'])
  t.is(rollup.columns.get('powerW#')?.[0], 20)
})
