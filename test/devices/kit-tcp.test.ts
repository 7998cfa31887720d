import { AsyncLocalStorage } from 'node:async_hooks'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import test, { type Assertions } from 'brittle'
import fc from 'fast-check'
import { SdkError } from '#model'
import { converse } from '../../src/devices/kit/conversation.js'
import { exchange, jsonEnd, jsonScanner } from '../../src/devices/kit/tcp.js'

async function listen(t: Assertions, serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    serve(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

function ask(port: number, options: { timeoutMs?: number; maxBytes?: number } = {}) {
  const { timeoutMs = 10_000, ...rest } = options
  return exchange({ host: '127.0.0.1', port, payload: '{"cmd":"a"}', signal: AbortSignal.timeout(timeoutMs), ...rest })
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'none'
  } catch (error) {
    return error instanceof SdkError ? error.code : String(error)
  }
}

test('an exchange ends with a NUL, with the end of the JSON, or with the stream, whichever comes first', async (t) => {
  const replies: ((socket: Socket) => void)[] = [
    (socket) => socket.write('{"a":1}\0'),
    (socket) => socket.write('{"a":[{"b":"}"}]}'),
    (socket) => socket.end('{"a":1'),
  ]
  const texts: string[] = []
  for (const reply of replies) {
    const port = await listen(t, (socket) => socket.once('data', () => reply(socket)))
    texts.push((await ask(port)).toString())
  }
  t.alike(texts, ['{"a":1}\0', '{"a":[{"b":"}"}]}', '{"a":1'])
})

test('a refused connection is unreachable, silence and half an answer are timeouts', async (t) => {
  t.is(await codeOf(ask(1)), 'DEVICE_UNREACHABLE')
  const silent = await listen(t, () => {})
  t.is(await codeOf(ask(silent, { timeoutMs: 100 })), 'DEVICE_TIMEOUT')
  const half = await listen(t, (socket) => socket.write('{"a":'))
  t.is(await codeOf(ask(half, { timeoutMs: 200 })), 'DEVICE_TIMEOUT')
})

test('a reply that never ends is refused at the cap', async (t) => {
  const port = await listen(t, (socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write('{"a":['.padEnd(16_384)));
    }
    socket.on('drain', more)
    more()
  })
  t.is(await codeOf(ask(port, { maxBytes: 200_000 })), 'DEVICE_BAD_REPLY')
})

test('a reset without an answer is busy, after an answer it is the end', async (t) => {
  const before = await listen(t, (socket) => socket.resetAndDestroy())
  t.is(await codeOf(ask(before)), 'DEVICE_BUSY')
})

test('however exchanges end, each gets its own answer and leaves nothing to the next', async (t) => {
  const ends: Record<string, (socket: Socket, answer: string) => void> = {
    closes: (socket, answer) => socket.end(answer),
    stays: (socket, answer) => socket.write(answer),
    pieces: (socket, answer) => socket.write(answer.slice(0, 5), () => socket.end(answer.slice(5))),
    half: (socket, answer) => socket.end(answer.slice(0, 5)),
    resets: (socket) => socket.resetAndDestroy(),
    late: () => {},
    refused: () => {},
  }
  const port = await listen(t, (socket) =>
    socket.once('data', (asked) =>
      ends[asked.toString().split(' ')[0]!]!(socket, JSON.stringify({ asked: `${asked}` })),
    ),
  )
  const ways = Object.keys(ends)
  const outcomes = await Promise.all(
    ways.map(async (_, lane) => {
      const wrong: string[] = []
      for (let round = 0; round < 24; round++) {
        const way = ways[(round * (lane + 1) + lane) % ways.length]!
        const payload = `${way} ${lane} ${round}`
        const signal = AbortSignal.timeout(way === 'late' ? 20 : 10_000)
        const reply = exchange({ host: '127.0.0.1', port: way === 'refused' ? 1 : port, payload, signal })
        const outcome = await reply.then(String, (error) => error.code)
        const expected = {
          late: 'DEVICE_TIMEOUT',
          resets: 'DEVICE_BUSY',
          half: '{"ask',
          refused: 'DEVICE_UNREACHABLE',
        }[way]
        if (outcome !== (expected ?? JSON.stringify({ asked: payload }))) wrong.push(`${payload}: ${outcome}`)
      }
      return wrong
    }),
  )
  t.alike(outcomes.flat(), [])
})

test('a reply is read in the context of who asked, whoever had the socket before', async (t) => {
  const port = await listen(t, (socket) => socket.once('data', () => socket.end('{"a":1}')))
  const asking = new AsyncLocalStorage<number>()
  const { signal } = new AbortController()
  const readers: (number | undefined)[] = []
  for (let who = 0; who < 5; who++) {
    const read = () => readers.push(asking.getStore())
    await asking.run(who, () => exchange({ host: '127.0.0.1', port, payload: 'x', signal }, read))
    await new Promise(setImmediate)
  }
  t.alike(readers, [0, 1, 2, 3, 4])
})

test('the reason of an abort is what the caller gets', async (t) => {
  const port = await listen(t, () => {})
  const controller = new AbortController()
  const wait = exchange({ host: '127.0.0.1', port, payload: 'x', signal: controller.signal })
  controller.abort(new SdkError('CANCELLED', 'stopped'))
  t.is(await codeOf(wait), 'CANCELLED')
  const aborted = exchange({ host: '127.0.0.1', port, payload: 'x', signal: controller.signal })
  t.is(await codeOf(aborted), 'CANCELLED')
})

test('the end of any JSON object is found at its last byte, however it is cut into chunks', (t) => {
  fc.assert(
    fc.property(fc.object(), fc.array(fc.nat(40), { maxLength: 20 }), (value, cuts) => {
      const bytes = Buffer.from(JSON.stringify(value))
      const scan = jsonScanner()
      let at = 0
      for (const length of [...cuts, bytes.length]) {
        const chunk = bytes.subarray(at, at + length)
        const end = scan(chunk)
        if (end >= 0) return at + end === bytes.length
        at += chunk.length
      }
      return false
    }),
    { numRuns: 300 },
  )
  t.pass()
})

test('the detector takes any bytes without an exception other than ours', (t) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
      const done = jsonEnd()
      try {
        for (const chunk of chunks) done(Buffer.from(chunk))
        return true
      } catch (error) {
        return error instanceof SdkError && error.code === 'DEVICE_BAD_REPLY'
      }
    }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 65, max: 5000 }), (depth) => {
      try {
        jsonEnd()(Buffer.from('['.repeat(depth)))
        return false
      } catch (error) {
        return error instanceof SdkError
      }
    }),
  )
  t.pass()
})

test('a conversation takes exact lengths and texts off one stream, in any pieces', async (t) => {
  const port = await listen(t, (socket) => {
    socket.once('data', () => {
      const bytes = Buffer.concat([Buffer.from('{"length":"5"}'), Buffer.from('hello'), Buffer.from('{"a":1}')])
      for (const byte of bytes) socket.write(Buffer.from([byte]))
    })
  })
  const texts = await converse({ host: '127.0.0.1', port, signal: AbortSignal.timeout(10_000) }, async (line) => {
    line.send('go')
    const header = await line.takeUntil(jsonScanner())
    const body = await line.take(5)
    const tail = await line.takeUntil(jsonScanner())
    return [header, body, tail].map(String)
  })
  t.alike(texts, ['{"length":"5"}', 'hello', '{"a":1}'])
})

test('a conversation ends with a code when the device closes, stalls or announces too much', async (t) => {
  const talk = (port: number, timeoutMs = 10_000) =>
    converse({ host: '127.0.0.1', port, signal: AbortSignal.timeout(timeoutMs), maxBytes: 1000 }, (line) =>
      line.take(10),
    )
  const closing = await listen(t, (socket) => socket.end())
  t.is(await codeOf(talk(closing)), 'DEVICE_BUSY')
  const half = await listen(t, (socket) => socket.end('12345'))
  t.is(await codeOf(talk(half)), 'DEVICE_TIMEOUT')
  const silent = await listen(t, () => {})
  t.is(await codeOf(talk(silent, 100)), 'DEVICE_TIMEOUT')
  const signal = AbortSignal.timeout(10_000)
  const greedy = converse({ host: '127.0.0.1', port: silent, signal, maxBytes: 1000 }, (line) =>
    line.take(4_000_000_000),
  )
  t.is(await codeOf(greedy), 'DEVICE_BAD_REPLY')
  t.is(await codeOf(talk(1)), 'DEVICE_UNREACHABLE')
})
