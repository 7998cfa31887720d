/**
 * 10,000 connections of strangers against one member, from other processes: does it go on answering those it knows, what does a stranger cost
 * it, and what is left of them. Beside it, in the same run, the same calls in peace.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import crypto from 'hypercore-crypto'
import { type Key, keyOf } from '#keys'
import { silentLog, systemClock } from '#model'
import { bootstrapNodes, openNetwork } from '#node'
import { client, swarmPool, swarmServer } from '#rpc'
import { devices, endpoint, record } from './mesh/shapes.js'
import { median, report } from './report.js'

const strangers = Number(process.env.BENCH_STRANGERS ?? 10_000)
const peaceMs = 5_000
const host = '127.0.0.1'
const port = 24_000 + (process.pid % 8_000)
const dht = await bootstrapNodes({ host, port, clock: systemClock })
const shared = { bootstrap: dht.addresses, host, clock: systemClock, log: silentLog } as const

const hubPair = crypto.keyPair()
const memberPair = crypto.keyPair()
const known = new Set<Key>([keyOf(hubPair), keyOf(memberPair)])
let refused = 0
const admits = (key: Key) => known.has(key)
const hub = await openNetwork({ ...shared, keyPair: hubPair, announce: true, admits, onRefused: () => refused++ })
await swarmServer({
  network: hub.dht,
  keyPair: hubPair,
  callerOf: (key) => ({ id: key, key, scope: 'read' }),
  resolve: () => endpoint,
})
const member = await openNetwork({ ...shared, keyPair: memberPair, announce: false, admits })
await hub.flushed()
const pool = swarmPool({ network: member.dht, keyPair: memberPair })
const calls = client(devices, pool.transport(keyOf(hubPair), 'bench', 'bench'))

const times: number[] = []
async function callUntil(isOver: () => boolean): Promise<number> {
  times.length = 0
  while (!isOver()) {
    const start = performance.now()
    await calls.device({ id: record.id })
    times.push(performance.now() - start)
    await sleep(5)
  }
  return [...times].sort((a, b) => a - b)[Math.floor(times.length * 0.99)]!
}

await callUntil(after(1_000))
globalThis.gc?.()
const before = process.memoryUsage.rss() / 1e6
const peaceP99 = await callUntil(after(peaceMs))
const peaceMedian = median(times)
const crowd = fork(new URL('./mesh/strangers.js', import.meta.url), { execArgv: [] })
const cpu = process.cpuUsage()
const startedAt = performance.now()
let tried = 0
const ended = attack(crowd).then((count) => {
  tried = count
})
const attackP99 = await callUntil(() => tried > 0)
await ended
const { user, system } = process.cpuUsage(cpu)
const seconds = (performance.now() - startedAt) / 1000
const attackMedian = median(times)
await sleep(3_000)
globalThis.gc?.()
const left = process.memoryUsage.rss() / 1e6 - before
report(
  'attack',
  {
    tried,
    triedPerS: tried / seconds,
    refused,
    connected: hub.peers().length,
    cpuMsPerStranger: (user + system) / 1000 / tried,
    peaceMedianMs: peaceMedian,
    attackMedianMs: attackMedian,
    peaceP99Ms: peaceP99,
  },
  {
    refused: { value: refused, goal: strangers, atMost: false },
    peers: { value: hub.peers().length, goal: 1 },
    p99Ms: { value: attackP99, goal: 1_000 },
    leftMb: { value: left, goal: 50 },
  },
)
process.exit()

function after(ms: number): () => boolean {
  const end = performance.now() + ms
  return () => performance.now() > end
}

async function attack(child: ChildProcess): Promise<number> {
  child.send({ bootstrap: dht.addresses, hub: keyOf(hubPair), strangers })
  const [answer] = (await once(child, 'message')) as [{ tried: number }]
  child.disconnect()
  return answer.tried
}
