/**
 * 10,000 simulated Whatsminers, polled every 10 s by one worker in a process of its own; the simulators run in others. What share of a core
 * and how much memory does the worker take, and is any poll later than one interval? Then the same with a tenth of the devices dead: half of
 * them refuse connections, half say nothing. Less with BENCH_MINERS and BENCH_SECONDS.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { helper, simulate, workersOf } from './processes.js'
import { report } from './report.js'

const count = Number(process.env.BENCH_MINERS ?? 10_000)
const seconds = Number(process.env.BENCH_SECONDS ?? 60)
const intervalMs = 10_000
/** After the first visits, which ask for everything, and once the dead ones are rarely asked. */
const settleMs = Number(process.env.BENCH_SETTLE_SECONDS ?? 90) * 1000
const farms = 4

interface Figures {
  cpuMs: number
  bytes: number
  peakBytes: number
  stats: Record<string, number>
}

const running = await Promise.all(
  Array.from({ length: farms }, (_, farm) =>
    simulate([
      ...['--miners', String(Math.ceil(count / farms)), '--mix', 'M50S:1,M56S:1'],
      ...['--address', `127.${40 + farm}.0.1`, '--seed', String(farm + 1)],
    ]),
  ),
)
const targets = running.flatMap((farm) => farm.targets)
const storage = mkdtempSync(join(tmpdir(), 'miningsdk-scale-'))
const worker = helper('worker')
try {
  await worker.ask({ type: 'start', storage, services: workersOf(targets, { intervalMs }) })
  await pause(settleMs)
  const well = await measure()
  kill()
  await pause(settleMs)
  const dead = await measure()
  report(
    'scale',
    {
      devices: targets.length,
      seconds,
      pollsPerS: well.pollsPerS,
      pollsLateBy1s: well.latePolls,
      deadDevices: dead.offline,
      deadPollsPerS: dead.pollsPerS,
      deadPollsLateBy1s: dead.latePolls,
      cpuPct: well.cpuPct,
      deadCpuPct: dead.cpuPct,
      residentMb: well.residentMb,
      deadResidentMb: dead.residentMb,
    },
    {
      cpuPct: { value: well.cpuPct, goal: 40 },
      residentMb: { value: well.residentMb, goal: 300 },
      latestPollMs: { value: Math.max(well.overdueMs, dead.overdueMs), goal: intervalMs },
      cpuWithDead: { value: dead.cpuPct / well.cpuPct, goal: 1.1 },
      memoryWithDead: { value: dead.residentMb / well.residentMb, goal: 1.1 },
    },
  )
  await worker.ask({ type: 'end' })
} finally {
  worker.close()
  for (const { child } of running) child.kill()
  rmSync(storage, { recursive: true, force: true })
}

/** A tenth of every farm: half of it refuses connections, half takes them and is silent. */
function kill() {
  for (const { child, targets: own } of running) {
    for (let index = 0; index < own.length; index += 10)
      child.send({ type: 'fault', index, fault: { kind: index % 20 === 0 ? 'dead' : 'silent' } })
  }
}

async function measure() {
  const before = await worker.ask<Figures>({ type: 'figures' })
  const started = performance.now()
  // The worker's own maximum is of its whole life, with the first visits in it; this one is of the time that is measured.
  let overdueMs = 0
  while (performance.now() - started < seconds * 1000) {
    await pause(500)
    overdueMs = Math.max(overdueMs, (await worker.ask<Figures>({ type: 'figures' })).stats.overdueMs!)
  }
  const after = await worker.ask<Figures>({ type: 'figures' })
  const tookMs = performance.now() - started
  return {
    pollsPerS: ((after.stats.polls! - before.stats.polls!) / tookMs) * 1000,
    cpuPct: ((after.cpuMs - before.cpuMs) / tookMs) * 100,
    residentMb: after.bytes / 1e6,
    offline: after.stats.offline!,
    overdueMs,
    latePolls: after.stats.latePolls! - before.stats.latePolls!,
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}
