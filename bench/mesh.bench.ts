/**
 * Calls between two nodes on loopback, the server in a process of its own: through the product (typed client, envelope, who may, limits, guard,
 * checks) against the bare library with the same payloads, in turns in one run. And how long it takes until a known key is connected.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import RPC from '@hyperswarm/rpc'
import crypto from 'hypercore-crypto'
import createTestnet from 'hyperdht/testnet.js'
import { client, swarmPool } from '#rpc'
import { devices, keyOf, keyPairs, nodeOf, record } from './mesh/shapes.js'
import { median, report } from './report.js'

const inParallel = [1, 16, 64]
const passes = 41
const sliceMs = 80
const goalRatio = 1.2
const connects = 20
const goalConnectMs = 150

const testnet = await createTestnet(3, { host: '127.0.0.1' })
const bootstrap = testnet.bootstrap[0]!
const server = fork(new URL('./mesh/server.ts', import.meta.url), [String(bootstrap.port)])
await once(server, 'message')

const keyPair = crypto.keyPair()
const network = await nodeOf(bootstrap, keyPair)
const raw = new RPC({ dht: network, keyPair }).connect(keyPairs.raw.publicKey, { keyPair })
// With a deadline, as every call of ours has one: by itself the library waits for ever.
const plain = { requestEncoding: null, responseEncoding: null, timeout: 10_000 } as const
const pool = swarmPool({ network, keyPair })
const calls = client(devices, pool.transport(keyOf(keyPairs.server), 'bench', 'bench'))

const ways: Record<'raw' | 'ours', () => Promise<unknown>> = {
  raw: async () => {
    const bytes = await raw.rpc.request('device', Buffer.from(JSON.stringify({ id: record.id })), plain)
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString())
  },
  ours: () => calls.device({ id: record.id }),
}

/** Calls a second with so many at once. */
async function rate(call: () => Promise<unknown>, parallel: number): Promise<number> {
  const start = performance.now()
  let done = 0
  const loop = async () => {
    while (performance.now() - start < sliceMs) {
      await call()
      done++
    }
  }
  await Promise.all(Array.from({ length: parallel }, loop))
  return (done / (performance.now() - start)) * 1000
}

// Until all is compiled: the library's part is warm after the one, ours only after the other.
for (let turn = 0; turn < 20; turn++) for (const call of Object.values(ways)) await rate(call, 64)
for (const parallel of inParallel) {
  const rates: Record<'raw' | 'ours', number[]> = { raw: [], ours: [] }
  for (let pass = 0; pass < passes; pass++) {
    for (const way of pass % 2 ? (['raw', 'ours'] as const) : (['ours', 'raw'] as const)) {
      rates[way].push(await rate(ways[way], parallel))
    }
  }
  const ratio = median(rates.raw.map((each, at) => each / rates.ours[at]!))
  report(
    `mesh: ${parallel} in parallel`,
    { rawCallsPerS: median(rates.raw), callsPerS: median(rates.ours), ratio },
    { ratio: { value: ratio, goal: goalRatio } },
  )
}

const times: number[] = []
for (let at = 0; at < connects; at++) {
  const keyPair = crypto.keyPair()
  const node = await nodeOf(bootstrap, keyPair)
  const start = performance.now()
  const one = swarmPool({ network: node, keyPair })
  await client(devices, one.transport(keyOf(keyPairs.server), 'bench', 'bench')).device({ id: record.id })
  times.push(performance.now() - start)
  await one.close()
  await node.destroy()
}
const connectMs = median(times)
report(
  'mesh: connect',
  { connectMs, slowestMs: Math.max(...times) },
  { connectMs: { value: connectMs, goal: goalConnectMs } },
)

await pool.close()
server.disconnect()
await testnet.destroy()
process.exit()
