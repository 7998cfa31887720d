import test from 'brittle'
import fc from 'fast-check'
import { modbusKit } from '#devices'
import { SdkError, systemClock } from '#model'
import { ModbusGateway, type ModbusUnit } from '#sim'
import type { Closing } from './plant.js'

const { dataOf, decode, encodeFrame, frameReader, openModbus, readPdu } = modbusKit

const ask = { signal: new AbortController().signal, gapMs: 0 }

/** Answers with its number, the address and how many were asked for. */
const echo = (number: number): ModbusUnit => ({
  read: (_, address, count) => [number, address, count, ...new Array<number>(count).fill(0)].slice(0, count),
  write: () => true,
})

async function start(t: Closing, limits = {}) {
  const gateway = new ModbusGateway(new Map([1, 2, 3].map((number) => [number, echo(number)])))
  await gateway.listen()
  const session = openModbus({ host: '127.0.0.1', port: gateway.listener.port, clock: systemClock }, limits)
  t.teardown(async () => {
    session.close()
    await gateway.close()
  })
  return { gateway, session }
}

const first = (data: Buffer) => [data.readUInt16BE(0), data.readUInt16BE(2)]

test('frames come out whole however the stream is cut', (t) => {
  const frame = fc.record({
    transaction: fc.nat(0xffff),
    unit: fc.nat(255),
    pdu: fc.uint8Array({ minLength: 1, maxLength: 252 }).map((bytes) => Buffer.from(bytes)),
  })
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 5 }), fc.array(fc.integer({ min: 1, max: 40 })), (frames, cuts) => {
      const stream = Buffer.concat(frames.map(encodeFrame))
      const read = frameReader()
      const out = []
      for (let at = 0, cut = 0; at < stream.length; cut++) {
        const length = cuts[cut % Math.max(1, cuts.length)] ?? 1000
        out.push(...read(stream.subarray(at, at + length)))
        at += length
      }
      return out.length === frames.length && out.every((each, index) => each.pdu.equals(frames[index]!.pdu))
    }),
  )
  t.pass()
})

test('hostile bytes are refused with a code or wait for more; they neither hang nor grow without end', (t) => {
  const bytes = fc.uint8Array({ maxLength: 600 }).map((each) => Buffer.from(each))
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 4 }), (chunks) => {
      const read = frameReader()
      try {
        for (const chunk of chunks) read(chunk)
      } catch (error) {
        return error instanceof SdkError && error.code === 'DEVICE_BAD_REPLY'
      }
      return true
    }),
  )
  fc.assert(
    fc.property(bytes, (pdu) => {
      try {
        return dataOf(readPdu(3, 0, 2), pdu).length === 4
      } catch (error) {
        return error instanceof SdkError && error.code.startsWith('DEVICE_')
      }
    }),
  )
  t.pass()
})

test('a register is a number that can be, or not reported', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 10 }),
      fc.constantFrom('u16', 'i16', 'u32', 'i32', 'u64', 'i64', 'f32', 'f64'),
      fc.nat(6),
      fc.constantFrom('high', 'low'),
      fc.constantFrom('never', 'ones', 'sunspec'),
      (bytes, type, at, words, nothing) => {
        const value = decode({ at, type, words }, Buffer.from(bytes), 0, nothing)
        return value === undefined || Number.isFinite(value)
      },
    ),
  )
  t.is(decode({ at: 0, type: 'i16' }, Buffer.of(0xff, 0x9c), 0), -100)
  t.is(decode({ at: 0, type: 'u32', words: 'low' }, Buffer.of(0, 1, 0, 2), 0), 0x20001)
  t.is(decode({ at: 0, type: 'i32' }, Buffer.of(0x7f, 0xff, 0xff, 0xff), 0, 'ones'), undefined)
})

test('many at once go out one after the other, and each gets the reply of its own unit', async (t) => {
  const { gateway, session } = await start(t)
  const jobs = Array.from({ length: 60 }, (_, index) => ({ unit: 1 + (index % 3), at: index }))
  const replies = await Promise.all(jobs.map(({ unit, at }) => session.ask(unit, readPdu(3, at, 2), ask)))
  t.alike(
    replies.map(first),
    jobs.map(({ unit, at }) => [unit, at]),
  )
  t.is(gateway.listener.connections, 1)
})

test('strays, single bytes and both together change nothing', async (t) => {
  const { gateway, session } = await start(t)
  for (const faults of [['stray'], ['split'], ['stray', 'split']] as const) {
    for (const kind of faults) await gateway.faults.set({ kind })
    t.alike(first(await session.ask(2, readPdu(3, 77, 2), ask)), [2, 77], faults.join(' and '))
    await gateway.faults.clear()
  }
  t.is(session.stats.strays, 2)
})

test('a reply that is too late is a stray: the next request gets its own', async (t) => {
  const { gateway, session } = await start(t, { replyMs: 100 })
  await gateway.faults.set({ kind: 'slow', ms: 130 })
  await t.exception(session.ask(1, readPdu(3, 1, 2), ask), { code: 'DEVICE_TIMEOUT' })
  await gateway.faults.clear()
  t.alike(first(await session.ask(2, readPdu(3, 2, 2), ask)), [2, 2])
})

test('who gives up keeps its turn on the wire: the one behind waits and is answered right', async (t) => {
  const { gateway, session } = await start(t)
  await gateway.faults.set({ kind: 'slow', ms: 60 })
  const impatient = new AbortController()
  const gone = session.ask(1, readPdu(3, 1, 2), { signal: impatient.signal, gapMs: 0 })
  const behind = session.ask(3, readPdu(3, 9, 2), ask)
  setTimeout(() => impatient.abort(new SdkError('DEVICE_TIMEOUT')), 15)
  await t.exception(gone, { code: 'DEVICE_TIMEOUT' })
  t.alike(first(await behind), [3, 9])
  t.is(session.stats.strays, 0)
})

test('an exception is said in words; a unit that is not there is unreachable, not silent', async (t) => {
  const { session } = await start(t)
  await t.exception(session.ask(9, readPdu(3, 0, 2), ask), { code: 'DEVICE_UNREACHABLE' })
  t.exception(() => readPdu(3, 0, 126), { code: 'BAD_REQUEST' })
})

test('after a lost connection the next request makes a new one; one that fails is not tried at once again', async (t) => {
  const { gateway, session } = await start(t, { backoffMs: 60 })
  await session.ask(1, readPdu(3, 0, 2), ask)
  gateway.listener.drop()
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.alike(first(await session.ask(1, readPdu(3, 5, 2), ask)), [1, 5])
  await gateway.faults.set({ kind: 'dead' })
  await new Promise((resolve) => setTimeout(resolve, 20))
  await t.exception(session.ask(1, readPdu(3, 0, 2), ask), { code: 'DEVICE_UNREACHABLE' })
  const { connects } = session.stats
  await t.exception(session.ask(2, readPdu(3, 0, 2), ask), /tried again in/)
  t.is(session.stats.connects, connects, 'the other units do not knock as well')
  await gateway.faults.clear()
  await new Promise((resolve) => setTimeout(resolve, 70))
  t.alike(first(await session.ask(2, readPdu(3, 4, 2), ask)), [2, 4])
})

test('a gateway that falls silent costs each request its time and then the connection; garbage ends it at once', async (t) => {
  const { gateway, session } = await start(t, { replyMs: 40 })
  await session.ask(1, readPdu(3, 0, 2), ask)
  await gateway.faults.set({ kind: 'silent' })
  const outcomes = await Promise.allSettled([1, 2, 3, 1, 2].map((unit) => session.ask(unit, readPdu(3, 0, 2), ask)))
  t.ok(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason.code === 'DEVICE_TIMEOUT'))
  t.is(gateway.asked.length, 4, 'those behind were not sent any more')
  await gateway.faults.clear()
  await gateway.faults.set({ kind: 'garbage' })
  await t.exception(session.ask(1, readPdu(3, 0, 2), ask))
  await gateway.faults.clear()
  t.alike(first(await session.ask(1, readPdu(3, 6, 2), ask)), [1, 6])
})

test('the queue is bounded, and closing ends all that waits', async (t) => {
  const { gateway, session } = await start(t, { queue: 3 })
  await gateway.faults.set({ kind: 'slow', ms: 5000 })
  await gateway.faults.set({ kind: 'silent' })
  const outcomes = Array.from({ length: 6 }, () => session.ask(1, readPdu(3, 0, 2), ask).catch((error) => error.code))
  session.close()
  const codes = await Promise.all(outcomes)
  t.is(codes.filter((code) => code === 'DEVICE_BUSY').length, 3)
  t.is(codes.filter((code) => code === 'CANCELLED').length, 3)
})
