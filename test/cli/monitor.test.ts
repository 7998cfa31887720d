import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type Assertions } from 'brittle'
import { connect, type Event, openMonitor } from 'miningsdk'
import type { DeviceRecord } from '#model'
import type { FeedAge, Series, Totals } from '#replication'
import { type CommandRequest, commander, deviceWorker } from '#rpc'
import { startFarm } from '#sim'
import { main } from '../../examples/monitor.js'
import { cli, type Running, startCli } from '../support/cli.js'
import { commandIn } from '../support/docs.js'
import { until } from '../support/fake-clock.js'

const env = { MININGSDK_LOG_LEVEL: 'error' }
const words = (start: string, fill?: Record<string, string>) => commandIn('docs/monitor.md', start, fill)

interface Page {
  get<T>(path: string): Promise<T>
  post(path: string, body: unknown): Promise<{ status: number; code: string }>
}

/** The HTTP face of the process that runs in the folder. */
function pageOf(cwd: string): Page {
  const ask = (path: string, init: RequestInit) => {
    const { url } = JSON.parse(readFileSync(join(cwd, 'data/site.json'), 'utf8')) as { url: string }
    const token = readFileSync(join(cwd, 'data/admin.token'), 'utf8').trim()
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    return fetch(new URL(path, url), { ...init, headers, signal: AbortSignal.timeout(10_000) })
  }
  return {
    get: async <T>(path: string) => (await (await ask(path, {})).json()) as T,
    async post(path, body) {
      const answer = await ask(path, { method: 'POST', body: JSON.stringify(body) })
      return { status: answer.status, code: ((await answer.json()) as { code: string }).code }
    },
  }
}

const statuses = async (page: Page) => {
  const { data } = await page.get<{ data: DeviceRecord[] }>('/api/v1/devices').catch(() => ({ data: [] }))
  return data.map(({ status }) => status)
}
const all = (wanted: string) => (found: string[]) => found.length === 2 && found.every((status) => status === wanted)

async function stopped(process: Running, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  process.child.kill(signal)
  await process.ended
}

/** A site of two simulated miners that is the first node of a fleet. */
async function openHome(t: Assertions): Promise<{ cwd: string; start(): Promise<Running> }> {
  const cwd = await t.tmp()
  const farm = await startFarm({ miners: 2, mix: { M56S: 1 }, seed: 5 })
  t.teardown(() => farm.close())
  const devices = farm.devices.map(({ library: _library, model: _model, machine: _machine, ...entry }) => entry)
  const services = [
    { name: 'gateway', port: 0 },
    { name: 'wm', lib: 'miner-whatsminer', intervalMs: 1_000, devices },
  ]
  writeFileSync(join(cwd, 'miningsdk.config.json'), JSON.stringify({ site: 'texas', services }))
  const made = await cli(['fleet', 'create', '--name', 'acme', '--network', 'local'], { cwd, env })
  if (made.code !== 0) throw new Error(made.stderr)
  return {
    cwd,
    async start() {
      const running = startCli(['start'], { cwd, env })
      t.teardown(() => running.kill())
      await running.saw(/Sign in once/)
      return running
    },
  }
}

test('a monitor shows a fleet, commands nothing, and goes on while the site is away', {
  timeout: 240_000,
}, async (t) => {
  const awake = setInterval(() => {}, 1_000)
  t.teardown(() => clearInterval(awake))
  const home = await openHome(t)
  let site = await home.start()
  await until(async () => all('mining')(await statuses(pageOf(home.cwd))), 'the devices are read', 60_000)
  const invite = async () => {
    const { code, stdout, stderr } = await cli(words('invite'), { cwd: home.cwd, env })
    t.is(code, 0, stderr)
    return stdout.trim()
  }

  const cwd = await t.tmp()
  const code = await invite()
  const started = startCli([...words('monitor', { '<code>': code }), '--name', 'wall', '--port', '0'], { cwd, env })
  t.teardown(() => started.kill())
  await started.saw(/Sign in once/)
  const page = pageOf(cwd)
  await until(async () => all('mining')(await statuses(page)), 'the monitor sees them', 60_000)
  const [device] = (await page.get<{ data: DeviceRecord[] }>('/api/v1/devices')).data
  const id = device!.id

  const reboot: CommandRequest = { command: 'reboot', targets: { ids: [id] } }
  t.alike(await page.post('/api/v1/commands', reboot), { status: 403, code: 'FORBIDDEN' })
  t.alike(await page.post('/api/v1/invites', { role: 'worker' }), { status: 403, code: 'FORBIDDEN' })
  const session = await page.get<{ scope: string }>('/api/v1/session')
  t.is(session.scope, 'read', 'the page offers no commands')
  const shown = await cli(words('fleet show'), { cwd, env })
  t.ok(shown.stdout.includes('monitor'), shown.stdout + shown.stderr)
  await stopped(started, 'SIGTERM')

  await t.test('by key: with the SDK, too, the worker itself refuses', async (t) => {
    const monitor = await openMonitor({ storage: join(cwd, 'data'), keep: '7d' })
    t.teardown(() => monitor.close())
    await monitor.caughtUp(60_000)
    t.is(monitor.fleet.totals().live, 2)
    t.is((await monitor.connect(deviceWorker, { site: 'texas' }).describe({})).devices, 2, 'it may ask')
    const refused = /FORBIDDEN|needs the scope control|holds read/
    const run = monitor.connect(commander, { site: 'texas' }).submit({ request: reboot })
    await t.exception(run, refused)
    const execute = monitor
      .connect(deviceWorker, { service: 'wm' })
      .command({ id, command: 'reboot', params: {}, requestId: 'one' })
    await t.exception(execute, refused)
    await t.exception(openMonitor({ storage: join(home.cwd, 'data') }), /role aggregator/)
  })

  await stopped(site, 'SIGKILL')
  const away = startCli([...words('monitor --keep'), '--port', '0'], { cwd, env })
  t.teardown(() => away.kill())
  await away.saw(/Sign in once/)

  await t.test('started while the site is away it serves everything, with its age', async (t) => {
    await until(async () => all('stale')(await statuses(page)), 'the devices are shown as stale', 30_000)
    const { totals } = await page.get<{ totals: Totals }>('/api/v1/fleet')
    t.is(totals.devices, 2)
    t.is(totals.live, 0)
    t.is(totals.hashrateThs, null, 'old values are in no total')
    const [feed] = (await page.get<{ data: FeedAge[] }>('/api/v1/feeds')).data.filter(({ worker }) => worker === 'wm')
    t.ok(feed!.ageMs! > 0 && feed!.at! < Date.now())
    t.is(feed!.connections, 0)
    const { data: sites } = await page.get<{ data: { site: string; ageMs: number }[] }>('/api/v1/sites')
    t.alike(
      sites.map(({ site, ageMs }) => [site, ageMs >= feed!.ageMs!]),
      [['texas', true]],
    )
    const old = await page.get<DeviceRecord>(`/api/v1/devices/${id}`)
    t.ok(old.metrics.hashrateThs! > 0 && old.at! <= feed!.at!)
    const history = await page.get<Series>(`/api/v1/devices/${id}/history?metrics=hashrateThs&step=raw&from=-1h`)
    t.ok(history.series.hashrateThs!.filter((value) => value !== null).length >= 2)
    const { data: events } = await page.get<{ data: Event[] }>(`/api/v1/devices/${id}/events`)
    t.ok(events.length > 0, 'events, too')
    const status = await cli(words('status'), { cwd, env })
    t.ok(/texas\/wm: last heard \d+ (s|min) ago/.test(status.stdout), status.stdout + status.stderr)
    for (const start of ['devices ls', 'history']) {
      const { code, stdout, stderr } = await cli(words(start, { '<id>': id }), { cwd, env })
      t.is(code, 0, stderr)
      t.ok(stdout.split('\n').length >= 3, stdout)
    }
    t.is((await cli(words('token create'), { cwd, env })).code, 0)
  })

  site = await home.start()
  await until(async () => all('mining')(await statuses(page)), 'it catches up by itself', 90_000)
  await stopped(away, 'SIGTERM')

  await t.test('the example shows the same, and an operator commands over the mesh', async (t) => {
    const lines = await main(await t.tmp(), await invite())
    t.ok(lines[0]!.startsWith('acme: 2 of 2 devices live'), lines.join('\n'))
    t.ok(lines.some((line) => line.startsWith(`${id}: `)))
    const { stdout } = await cli(['invite', '--role', 'operator'], { cwd: home.cwd, env })
    const operator = await connect({ storage: await t.tmp(), invite: stdout.trim(), name: 'operator' })
    t.teardown(() => operator.close())
    await operator.caughtUp(60_000)
    const led = { command: 'setLed', params: { on: true }, targets: { ids: [id] } } satisfies CommandRequest
    const job = await operator.connect(commander, { site: 'texas' }).submit({ request: led })
    t.ok(job.id)
  })
  await stopped(site, 'SIGTERM')
})
