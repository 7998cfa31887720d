import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import test from 'brittle'
import { knock, knockAny } from '../../src/workers/sockets.js'

const { signal } = new AbortController()

async function listening(t: { teardown(close: () => unknown): void }): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  return (server.address() as AddressInfo).port
}

test('who listens is found, who refuses is told, and one open port of several is enough', async (t) => {
  const port = await listening(t)
  await t.execution(knock('127.0.0.1', port, 2000, signal))
  await t.exception(knock('127.71.0.1', port, 2000, signal), { code: 'DEVICE_UNREACHABLE' })
  await t.execution(knockAny('127.0.0.1', [1, port], 2000, signal))
  await t.exception(knockAny('127.71.0.1', [1, 2], 2000, signal), { code: 'DEVICE_UNREACHABLE' })
  await t.exception(knock('127.0.0.1', port, 2000, AbortSignal.abort(new Error('no more'))), /no more/)
})

test('a host is not called silent because we were busy', async (t) => {
  const port = await listening(t)
  const knocking = knock('127.0.0.1', port, 50, signal)
  const until = performance.now() + 200
  while (performance.now() < until) Math.sqrt(until)
  await t.execution(knocking)
})
