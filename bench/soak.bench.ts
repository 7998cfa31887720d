/**
 * Half an hour of a site whose devices die and return: does its memory stay flat? The site is the built command in a process of its own,
 * the simulators another. Shorter with BENCH_MINUTES=5. Judged by the drift between the second and the last third.
 */
import { fork, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { median, report } from './report.js'

const minutes = Number(process.env.BENCH_MINUTES ?? 30)
const miners = Number(process.env.BENCH_MINERS ?? 200)
const everyMs = 5000
const main = resolve('dist/src/cli/main.js')

interface Target {
  library: string
  model: string
}

const folder = mkdtempSync(join(tmpdir(), 'miningsdk-soak-'))
const simulators = fork(main, ['simulate', '--miners', String(miners), '--faults', '0.15', '--seed', '3'], {
  stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
})
const targets = await new Promise<Target[]>((done) =>
  simulators.once('message', (message: { devices: Target[] }) => done(message.devices)),
)
const entries = (library: string) =>
  targets.filter((target) => target.library === library).map(({ library: _, model: __, ...entry }) => entry)
writeFileSync(
  join(folder, 'miningsdk.config.json'),
  JSON.stringify({
    site: 'soak',
    services: [
      { name: 'gateway', port: 0 },
      ...['miner-whatsminer', 'miner-antminer'].map((lib) => ({
        name: lib,
        lib,
        intervalMs: 2000,
        devices: entries(lib),
      })),
    ],
  }),
)
const site = spawn(process.execPath, [main, 'start'], {
  cwd: folder,
  stdio: 'ignore',
  env: { ...process.env, MININGSDK_LOG_LEVEL: 'error' },
})
const rss: number[] = []
const offline: number[] = []
const started = Date.now()
while (Date.now() - started < minutes * 60_000) {
  await new Promise((done) => setTimeout(done, everyMs))
  if (site.exitCode !== null) throw new Error(`the site ended with ${site.exitCode}`)
  rss.push(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${site.pid}/status`, 'utf8'))?.[1]) / 1024)
  offline.push((await fleet()).totals.byStatus.offline ?? 0)
}
const services = await get<{ data: { name: string; restarts: number; stats: Record<string, number> }[] }>(
  '/api/v1/services',
)
const third = Math.floor(rss.length / 3)
const early = median(rss.slice(third, 2 * third))
const late = median(rss.slice(2 * third))
report(
  'soak',
  {
    minutes,
    miners,
    offlineMin: Math.min(...offline),
    offlineMax: Math.max(...offline),
    polls: services.data.reduce((sum, service) => sum + (service.stats.polls ?? 0), 0),
    restarts: services.data.reduce((sum, service) => sum + service.restarts, 0),
    rssFirstMb: rss[0] ?? 0,
    rssMiddleMb: early,
    rssEndMb: late,
    rssMaxMb: Math.max(...rss),
  },
  { growthMb: { value: late - early, goal: Math.max(10, early * 0.1) } },
)
site.kill('SIGTERM')
await new Promise((done) => site.once('exit', done))
simulators.kill()
rmSync(folder, { recursive: true, force: true })

async function get<T>(path: string): Promise<T> {
  const { url } = JSON.parse(readFileSync(join(folder, 'data/site.json'), 'utf8')) as { url: string }
  const token = readFileSync(join(folder, 'data/admin.token'), 'utf8').trim()
  const answer = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } })
  return (await answer.json()) as T
}

function fleet() {
  return get<{ totals: { byStatus: Record<string, number> } }>('/api/v1/fleet')
}
