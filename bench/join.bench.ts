/**
 * 300 workers, each a node with a storage folder and a key of its own, join one fleet with a code each; the clock stops when the gateway lists
 * all of them over HTTP. Several nodes share a process; the DHT, the aggregator and the gateway run in this one.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { miners } from '#devices'
import { gateway } from '#gateway'
import { silentLog, systemClock } from '#model'
import { bootstrapNodes, createFleet, createNode, mainProcess } from '#node'
import { gatewayContract, registrar } from '#rpc'
import { workerServices } from '#workers'
import { median, report } from './report.js'

const workers = Number(process.env.BENCH_WORKERS ?? 300)
const processes = availableParallelism()
const goalS = 30
/** The gateway asks every node how it is each time. */
const lookMs = 2_000
const host = '127.0.0.1'
const port = 23_000 + (process.pid % 8_000)

const folder = mkdtempSync(join(tmpdir(), 'miningsdk-join-'))
// Stores keep room for their next writes: 300 of them take some 60 GB until they are closed.
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const storage = join(folder, 'head')
const dht = await bootstrapNodes({ host, port, clock: systemClock })
await createFleet({
  storage,
  name: 'bench',
  member: 'head',
  bootstrap: dht.addresses,
  ownerFile: join(folder, 'owner.key'),
  clock: systemClock,
  log: silentLog,
})
const aggregator = workerServices(miners).find(({ kind }) => kind === 'aggregator')!
const head = await createNode({
  site: 'hq',
  storage,
  services: [
    { name: 'aggregator', service: aggregator, config: { role: 'aggregator' } },
    { name: 'gateway', service: gateway, config: { port: 0 } },
  ],
  log: silentLog,
  mesh: { process: mainProcess, aggregates: true, host },
})
await head.ready()
const { url } = await head.connect(gatewayContract).address({})
const token = readFileSync(join(storage, 'admin.token'), 'utf8').trim()

const codes: string[] = []
const invitesAt = performance.now()
for (let at = 0; at < workers; at++) {
  const { code } = await head.connect(registrar).invite({ role: 'worker', sites: ['field'] })
  codes.push(code)
}
const inviteMs = (performance.now() - invitesAt) / workers

const children = Array.from({ length: processes }, () =>
  fork(new URL('./mesh/crowd.js', import.meta.url), { execArgv: [] }),
)
const share = Math.ceil(workers / processes)
const cpu = process.cpuUsage()
const startedAt = performance.now()
const seconds = () => (performance.now() - startedAt) / 1000
const started = children.map((child, at) =>
  ask<{ joinMs: number[] }>(child, { folder, codes: codes.slice(at * share, (at + 1) * share), first: at * share }),
)
let listed = 0
let halfS = 0
while (listed < workers && seconds() < 10 * goalS) {
  await sleep(lookMs)
  listed = await listedNow()
  if (halfS === 0 && listed >= workers / 2) halfS = seconds()
}
const joinS = seconds()
const { user, system } = process.cpuUsage(cpu)
const joins = (await Promise.all(started)).flatMap(({ joinMs }) => joinMs)
const crowds = await Promise.all(children.map((child) => ask<{ rssMb: number; cpuS: number }>(child, {})))
const peers = head.services().find(({ kind }) => kind === 'mesh')?.stats.peers ?? 0
report(
  'join',
  {
    workers,
    listed,
    halfS,
    connected: peers,
    inviteMs,
    headCpuS: (user + system) / 1e6,
    headMb: process.memoryUsage.rss() / 1e6,
    joinMs: median(joins),
    crowdCpuS: crowds.reduce((sum, { cpuS }) => sum + cpuS, 0),
    crowdMb: Math.max(...crowds.map(({ rssMb }) => rssMb)),
  },
  { joinS: { value: joinS, goal: goalS }, listed: { value: listed, goal: workers, atMost: false } },
)
for (const child of children) child.disconnect()

await head.close()
await dht.close()

async function ask<T extends object>(child: ChildProcess, order: object): Promise<T> {
  child.send(order)
  const [answer] = (await once(child, 'message')) as [T | { error: string }]
  if ('error' in answer) throw new Error(answer.error)
  return answer
}

async function listedNow(): Promise<number> {
  const answer = await fetch(new URL('/api/v1/services', url), { headers: { authorization: `Bearer ${token}` } })
  const { data } = (await answer.json()) as { data: { name: string; ready: boolean }[] }
  return data.filter(({ name }) => name.startsWith('worker-')).length
}
