/**
 * How long a cold start takes until the first live value is served over HTTP, and what the demo site needs in memory without its
 * simulators (they run in a process of their own). Runs the built command as a user would.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { median, report } from './report.js'

const runs = 5
const settleMs = 30_000
const main = resolve('dist/src/cli/main.js')

const firstValueMs: number[] = []
const rssMb: number[] = []
for (let run = 0; run < runs; run++) {
  const last = run === runs - 1
  const { ms, mb } = await startOnce(last)
  firstValueMs.push(ms)
  if (last) rssMb.push(mb)
}
report(
  'start',
  { runs, firstValueMs: median(firstValueMs), worstMs: Math.max(...firstValueMs), rssMb: median(rssMb) },
  { firstValueMs: { value: median(firstValueMs), goal: 2000 }, rssMb: { value: median(rssMb), goal: 150 } },
)

async function startOnce(settle: boolean): Promise<{ ms: number; mb: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'miningsdk-bench-'))
  const started = performance.now()
  const child = spawn(process.execPath, [main, 'start', '--storage', join(folder, 'data')], {
    cwd: folder,
    stdio: 'ignore',
  })
  try {
    const ms = await firstValue(join(folder, 'data'), started)
    if (settle) await new Promise((done) => setTimeout(done, settleMs))
    return { ms, mb: residentMb(child.pid!) }
  } finally {
    const ended = new Promise((done) => child.once('exit', done))
    child.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
}

async function firstValue(storage: string, started: number): Promise<number> {
  for (;;) {
    if (performance.now() - started > 60_000) throw new Error('no value within a minute')
    try {
      const { url } = JSON.parse(readFileSync(join(storage, 'site.json'), 'utf8')) as { url: string }
      const token = readFileSync(join(storage, 'admin.token'), 'utf8').trim()
      const answer = await fetch(`${url}/api/v1/fleet`, { headers: { authorization: `Bearer ${token}` } })
      const fleet = (await answer.json()) as { totals?: { hashrateThs: number | null } }
      if (fleet.totals?.hashrateThs) return performance.now() - started
    } catch {
      // not there yet
    }
    await new Promise((done) => setTimeout(done, 10))
  }
}

function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}
