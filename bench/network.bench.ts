/**
 * What a hub costs that holds a connection to each of 200 peers, and how long a connection to a known key takes. The hub is this process; the
 * peers and the DHT run in another one.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import crypto from 'hypercore-crypto'
import { keyOf } from '#keys'
import { silentLog, systemClock } from '#model'
import { bootstrapNodes, openNetwork } from '#node'
import { median, report } from './report.js'

const peerCount = 200
const idleMs = 10_000
const goals = { rssMb: 200, connectMs: 150 }
const host = '127.0.0.1'
const shared = { host, admits: () => true, clock: systemClock, log: silentLog } as const
/** Where the other process's DHT may be. */
const port = 21_000 + (process.ppid % 10_000)

if (process.argv[2] === undefined) await hub()
else await peers(process.argv[2])

async function hub() {
  const network = { bootstrap: [0, 1, 2].map((each) => `${host}:${port + each}`), ...shared }
  const keyPair = crypto.keyPair()
  const child = spawn(
    process.execPath,
    [...process.execArgv, fileURLToPath(import.meta.url), `${keyOf(keyPair)}:${port}`],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  await lines.next()
  const opened = await openNetwork({ ...network, keyPair, announce: true })
  await opened.flushed()
  globalThis.gc?.()
  const emptyMb = process.memoryUsage.rss() / 1e6
  child.stdin.write('connect\n')
  const connectMs = JSON.parse((await lines.next()).value) as number[]
  while (opened.peers().length < peerCount) await sleep(50)
  const cpu = process.cpuUsage()
  await sleep(idleMs)
  const { user, system } = process.cpuUsage(cpu)
  const held = opened.peers().length
  globalThis.gc?.()
  const rssMb = process.memoryUsage.rss() / 1e6
  report(
    'network',
    {
      peers: held,
      emptyMb,
      rssMb,
      kbAPeer: ((rssMb - emptyMb) * 1000) / held,
      idleCpuPercent: (user + system) / 10 / idleMs,
      connectMs: median(connectMs),
      connectMaxMs: Math.max(...connectMs),
    },
    {
      rssMb: { value: rssMb, goal: goals.rssMb },
      connectMs: { value: median(connectMs), goal: goals.connectMs },
      peers: { value: held, goal: peerCount, atMost: false },
    },
  )
  child.stdin.end()
  await once(child, 'close')
  await opened.close()
}

async function peers(argument: string) {
  const [hub, port] = argument.split(':') as [string, string]
  const nodes = await bootstrapNodes({ host, port: Number(port), clock: systemClock })
  const input = createInterface({ input: process.stdin })
  const networks = await Promise.all(
    Array.from({ length: peerCount }, () =>
      openNetwork({ ...shared, bootstrap: nodes.addresses, keyPair: crypto.keyPair(), announce: false }),
    ),
  )
  await Promise.all(networks.map((each) => each.flushed()))
  console.log('ready')
  await once(input, 'line')
  const times: number[] = []
  // One after the other: what one connection takes, not what two hundred at once do.
  for (const each of networks) {
    const started = performance.now()
    await each.connect(hub)
    times.push(performance.now() - started)
  }
  console.log(JSON.stringify(times))
  await once(input, 'close')
  process.exit()
}
