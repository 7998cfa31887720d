/**
 * 1,000 simulated miners on loopback, in a process of their own. Ours: device workers in another poll them as fast as they can, normalise
 * every field and store it. Bare, in the same run: a third process whose sockets send what our visits send and only parse the JSON. Rounds
 * alternate. Whatsminers of API v2, unless `--mix whatsminer:2,antminer:1` says otherwise (families or models, as of `simulate`).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { helper, simulate, type Target, workersOf } from './processes.js'
import { median, report } from './report.js'
import { type Connection, visitsOf } from './visits.js'

const { values } = parseArgs({ options: { mix: { type: 'string' } } })
const count = Number(process.env.BENCH_MINERS ?? 1000)
const rounds = 3
const roundMs = Number(process.env.BENCH_ROUND_MS ?? 8000)
const concurrency = 128
/** So many polls a device come before a round: until then a good part of the time goes into compiling. */
const warmPolls = 20

interface Round {
  pollsPerS: number
  cpuMs: number
  /** In the round, by poll; most protocols take one request a connection. */
  connections: number
}

interface Figures {
  cpuMs: number
  peakBytes: number
  connections: number
  stats: Record<string, number>
}

const mix = values.mix ?? 'M50S:1,M56S:1'
const simulated = ['--miners', String(count), '--mix', mix, '--address', '127.20.0.1', '--seed', '7']
const { targets, child: simulators } = await simulate(simulated)
const { visits, ...identified } = await visitsOf(targets)
const bare: Round[] = []
const ours: Round[] = []
let peakMb = 0
for (let round = 0; round < rounds; round++) {
  bare.push(await measureBare(visits))
  ours.push(await measureOurs(targets))
}
simulators.kill()

const ratio = median(ours.map((each) => each.pollsPerS)) / median(bare.map((each) => each.pollsPerS))
const cpuMs = median(ours.map((each) => each.cpuMs))
report(
  'poll',
  {
    mix,
    devices: targets.length,
    ...identified,
    pollsPerS: median(ours.map((each) => each.pollsPerS)),
    barePollsPerS: median(bare.map((each) => each.pollsPerS)),
    cpuMsPerPoll: cpuMs,
    bareCpuMsPerPoll: median(bare.map((each) => each.cpuMs)),
    connectionsPerPoll: median(ours.map((each) => each.connections)),
    bareConnectionsPerPoll: median(bare.map((each) => each.connections)),
    requestsPerPoll: sum(visits.map((visit) => sum(visit.map(({ requests }) => requests.length)))) / visits.length,
    peakMb,
  },
  {
    ofBareRate: { value: ratio, goal: 0.6, atMost: false },
    ...(values.mix === undefined
      ? { cpuMsPerPoll: { value: cpuMs, goal: 0.35 } }
      : { identifiedPerS: { value: identified.identifiedPerS, goal: 2000, atMost: false } }),
  },
)

async function measureBare(all: readonly Connection[][]): Promise<Round> {
  const sockets = helper('bare')
  try {
    await sockets.ask({ visits: all, concurrency, ms: roundMs / 2 })
    return await sockets.ask({ visits: all, concurrency, ms: roundMs })
  } finally {
    sockets.close()
  }
}

/** Real workers in a real node, asked to poll far more often than they can; their own counters say how often they did. */
async function measureOurs(all: readonly Target[]): Promise<Round> {
  const storage = mkdtempSync(join(tmpdir(), 'miningsdk-bench-'))
  const worker = helper('worker')
  try {
    await worker.ask({ type: 'start', storage, services: workersOf(all, { intervalMs: 200, concurrency }) })
    const warm = all.length * warmPolls
    while (((await worker.ask<Figures>({ type: 'figures' })).stats.polls ?? 0) < warm) await pause(100)
    const before = await worker.ask<Figures>({ type: 'figures' })
    const started = performance.now()
    await pause(roundMs)
    const after = await worker.ask<Figures>({ type: 'figures' })
    const seconds = (performance.now() - started) / 1000
    const polls = after.stats.polls! - before.stats.polls!
    if (after.stats.failures! > before.stats.failures!) throw new Error('some polls failed')
    peakMb = Math.max(peakMb, after.peakBytes / 1e6)
    await worker.ask({ type: 'end' })
    return {
      pollsPerS: polls / seconds,
      cpuMs: (after.cpuMs - before.cpuMs) / polls,
      connections: (after.connections - before.connections) / polls,
    }
  } finally {
    worker.close()
    rmSync(storage, { recursive: true, force: true })
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
