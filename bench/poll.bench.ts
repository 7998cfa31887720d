/**
 * 1,000 simulated Whatsminers on loopback, in a process of their own. Ours: the device worker polls them as fast as it can, normalises
 * every field and stores it. Bare, in the same run: sockets that send the same request and only parse the JSON. Rounds alternate.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { miners } from '#devices'
import { createNode } from '#node'
import { deviceWorker as contract } from '#rpc'
import { workerServices } from '#workers'
import { median, report } from './report.js'

const count = Number(process.env.BENCH_MINERS ?? 1000)
const rounds = 3
const roundMs = 8000
const concurrency = 128
const request = JSON.stringify({ cmd: 'summary+edevs+pools' })

interface Target {
  host: string
  port: number
  ports?: Record<string, number>
  library: string
}

interface Round {
  pollsPerS: number
  cpuMs: number
  /** Of this process in the round, by poll; the protocol takes one request a connection. */
  connections: number
}

const simulators = fork(
  resolve('dist/src/cli/main.js'),
  ['simulate', '--miners', String(count), '--mix', 'M50S:1,M56S:1', '--address', '127.20.0.1', '--seed', '7'],
  { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
)
const targets = await devicesOf(simulators)
let connections = 0
subscribe('net.client.socket', () => connections++)
const bare: Round[] = []
const ours: Round[] = []
let peakMb = 0
for (let round = 0; round < rounds; round++) {
  bare.push(await measureBare(targets))
  ours.push(await measureOurs(targets))
}
simulators.kill()

const ratio = median(ours.map((each) => each.pollsPerS)) / median(bare.map((each) => each.pollsPerS))
report(
  'poll',
  {
    devices: targets.length,
    pollsPerS: median(ours.map((each) => each.pollsPerS)),
    barePollsPerS: median(bare.map((each) => each.pollsPerS)),
    cpuMsPerPoll: median(ours.map((each) => each.cpuMs)),
    bareCpuMsPerPoll: median(bare.map((each) => each.cpuMs)),
    connectionsPerPoll: median(ours.map((each) => each.connections)),
    bareConnectionsPerPoll: median(bare.map((each) => each.connections)),
    peakMb,
  },
  {
    ofBareRate: { value: ratio, goal: 0.6, atMost: false },
    cpuMsPerPoll: { value: median(ours.map((each) => each.cpuMs)), goal: 0.35 },
  },
)

function devicesOf(child: ChildProcess): Promise<Target[]> {
  return new Promise((done, failed) => {
    child.once('exit', (code) => failed(new Error(`the simulators ended (exit ${code})`)))
    child.on(
      'message',
      (message: { type: string; devices: Target[] }) => message.type === 'devices' && done(message.devices),
    )
  })
}

async function measureBare(all: readonly Target[]): Promise<Round> {
  const cpu = process.cpuUsage()
  const started = performance.now()
  const connected = connections
  let polls = 0
  let next = 0
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (performance.now() - started < roundMs) {
        const target = all[next++ % all.length]!
        JSON.parse(await exchange(target.host, target.ports?.rpc ?? target.port))
        polls++
      }
    }),
  )
  return figures(polls, started, cpu, connections - connected)
}

function exchange(host: string, port: number): Promise<string> {
  return new Promise((done, failed) => {
    const chunks: Buffer[] = []
    const socket = connect(port, host, () => socket.write(request))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', failed)
    socket.on('end', () => done(Buffer.concat(chunks).toString().replace(/\0+$/, '')))
  })
}

/** The real worker in a real node, asked to poll far more often than it can; its own counters say how often it did. */
async function measureOurs(all: readonly Target[]): Promise<Round> {
  const storage = mkdtempSync(join(tmpdir(), 'miningsdk-bench-'))
  const services = workerServices(miners)
  const worker = services.find((service) => service.kind === 'device-worker')!
  const devices = all.map(({ host, port, ports }) => ({ host, port, ...(ports ? { ports } : {}), simulated: true }))
  const node = await createNode({
    site: 'bench',
    storage,
    services: [
      { name: 'wm', service: worker, config: { lib: 'miner-whatsminer', devices, intervalMs: 200, concurrency } },
    ],
  })
  try {
    await node.ready()
    const polls = () => node.services().find((service) => service.name === 'wm')!.stats.polls ?? 0
    const client = node.connect(contract)
    while ((await client.describe({})).devices < all.length || polls() < all.length * 2)
      await new Promise((done) => setTimeout(done, 50))
    const before = polls()
    const cpu = process.cpuUsage()
    const started = performance.now()
    const connected = connections
    while (performance.now() - started < roundMs) {
      await new Promise((done) => setTimeout(done, 100))
      peakMb = Math.max(peakMb, process.memoryUsage.rss() / 1e6)
    }
    return figures(polls() - before, started, cpu, connections - connected)
  } finally {
    await node.close()
    rmSync(storage, { recursive: true, force: true })
  }
}

function figures(polls: number, started: number, cpu: NodeJS.CpuUsage, connected: number): Round {
  const { user, system } = process.cpuUsage(cpu)
  return {
    pollsPerS: polls / ((performance.now() - started) / 1000),
    cpuMs: (user + system) / 1000 / polls,
    connections: connected / polls,
  }
}
