import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type Assertions } from 'brittle'
import type { DeviceRecord } from '#model'
import { openStore, type Series } from '#replication'
import { startFarm } from '#sim'
import { cli, type Running, startCli } from '../support/cli.js'
import { commandIn } from '../support/docs.js'
import { until as lookedAt } from '../support/fake-clock.js'
import { flip, meddle } from '../support/logs.js'

const restore = commandIn('docs/recovery.md', 'restore --from-peers')
/** A gateway minds who asks more often. */
const until = (condition: () => unknown, what: string, deadlineMs: number) => lookedAt(condition, what, deadlineMs, 100)
const env = { MININGSDK_LOG_LEVEL: 'error' }

function ask<T>(cwd: string, path: string, body?: unknown): Promise<T> {
  const { url } = JSON.parse(readFileSync(join(cwd, 'data/site.json'), 'utf8')) as { url: string }
  const token = readFileSync(join(cwd, 'data/admin.token'), 'utf8').trim()
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  return fetch(new URL(path, url), { headers, signal: AbortSignal.timeout(10_000), ...sent }).then(
    (answer) => answer.json() as Promise<T>,
  )
}

const mining = async (cwd: string) => {
  const { data } = await ask<{ data?: DeviceRecord[] }>(cwd, '/api/v1/devices').catch(() => ({ data: [] }))
  return (data ?? []).filter(({ status }) => status === 'mining')
}
const samples = async (cwd: string, id: string) => {
  const series = await ask<Series>(cwd, `/api/v1/devices/${id}/history?metrics=hashrateThs&step=raw&from=-1h`)
  return series.at.filter((_, index) => series.series.hashrateThs?.[index] != null)
}

async function run(t: Assertions, args: readonly string[], cwd: string): Promise<Running> {
  const running = startCli(args, { cwd, env })
  t.teardown(() => running.kill())
  await running.saw(/Sign in once/)
  return running
}
async function stop({ child, ended }: Running): Promise<void> {
  child.kill('SIGTERM')
  await ended
}

/** Every file of the store itself is overwritten in its middle. */
function damage(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(sst|log|blob)$|MANIFEST/.test(name)) continue
    const bytes = readFileSync(join(folder, name))
    bytes.fill(0xa5, Math.floor(bytes.length * 0.2), Math.ceil(bytes.length * 0.8))
    writeFileSync(join(folder, name), bytes)
  }
}

/** A day of history that is put together from chunks, and some chunks of the next: segments are of a third of a second here. */
async function packed(path: string, record: DeviceRecord): Promise<string> {
  const limits = { segmentMs: 300, foldSteps: 2, foldLeast: 1, mergeLeast: 1 }
  const store = await openStore({ path, worker: 'wm', site: 'texas', intervalMs: 1_000, limits })
  for (let at = Date.now() - 20_000; (store.stats().foldedSegments ?? 0) < 30 || store.stats().merging; at += 100)
    await store.append({ at, records: [{ ...record, at, askedAt: at }] })
  await store.close()
  return store.feed.main
}

test('a damaged store, and one that is gone, come back from a monitor, and the history goes on', {
  timeout: 240_000,
}, async (t) => {
  const awake = setInterval(() => {}, 1_000)
  const farm = await startFarm({ miners: 2, mix: { M56S: 1 }, seed: 7 })
  t.teardown(async () => {
    clearInterval(awake)
    await farm.close()
  })
  const [home, wall] = [await t.tmp(), await t.tmp()]
  const [first, second] = farm.devices.map(({ library: _l, model: _m, machine: _machine, ...entry }) => entry)
  const services = [
    { name: 'gateway', port: 0 },
    { name: 'wm', lib: 'miner-whatsminer', intervalMs: 1_000, devices: [first] },
  ]
  writeFileSync(join(home, 'miningsdk.config.json'), JSON.stringify({ site: 'texas', services }))
  const alone = await cli(restore, { cwd: home, env })
  t.ok(alone.code === 1 && alone.stderr.includes('belongs to no fleet'), alone.stderr)
  t.is((await cli(['fleet', 'create', '--name', 'acme', '--network', 'local'], { cwd: home, env })).code, 0)
  let site = await run(t, ['start'], home)
  const entries = [{ ...second, name: 'added' }]
  const { added } = await ask<{ added: string[] }>(home, '/api/v1/devices', { worker: 'wm', entries })
  t.is(added?.length, 1)
  await until(async () => (await mining(home)).length === 2, 'both devices are read', 60_000)
  const { stdout: code } = await cli(['invite', '--role', 'monitor'], { cwd: home, env })
  let monitor = await run(t, ['monitor', code.trim(), '--keep', 'all', '--port', '0'], wall)
  await until(async () => (await mining(wall)).length === 2, 'the monitor sees them', 60_000)
  const id = (await mining(home)).find(({ name }) => name === 'added')!.id
  const busy = await cli(restore, { cwd: home, env })
  t.ok(busy.code === 1 && busy.stderr.includes('STORE_LOCKED'), 'never while the site runs')
  await until(
    async () => (await mining(wall)).length === 2 && (await samples(wall, id)).length >= 5,
    'some history',
    30_000,
  )
  await stop(site)
  const feed = join(home, 'data/wm/feed')
  const main = await packed(feed, (await mining(wall)).find((each) => each.id === id)!)
  site = await run(t, ['start'], home)
  await until(
    async () =>
      (await samples(home, id)).length > 80 &&
      (await mining(wall)).length === 2 &&
      (await samples(wall, id)).length >= (await samples(home, id)).length - 1,
    'the monitor has all of it',
    60_000,
  )
  await stop(site)
  const before = await samples(wall, id)
  const fine = await cli(restore, { cwd: home, env })
  t.ok(fine.code === 0 && fine.stdout.includes('nothing was done'), fine.stdout + fine.stderr)

  const copies = join(
    wall,
    readdirSync(wall, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('/feeds'))!,
  )
  const again = ['monitor', '--keep', 'all', '--port', '0']
  await stop(monitor)
  cpSync(copies, `${copies}.whole`, { recursive: true })
  await meddle(copies, main, 'day-raw-0', (day) => day.clear(0, day.length))
  await meddle(feed, main, 'day-raw-0', flip)
  monitor = await run(t, again, wall)
  const worse = await cli([...restore, '--patience', '30s'], { cwd: home, env })
  t.is(worse.code, 3, worse.stderr)
  t.ok(/wm: 1 blocks .* and 3 of what peers have: it stays as it is/.test(worse.stdout), worse.stdout)
  t.alike(
    readdirSync(join(home, 'data/wm')).filter((name) => name.startsWith('feed')),
    ['feed'],
    'a copy that lacks more takes no place, and is not left behind',
  )
  await stop(monitor)
  rmSync(copies, { recursive: true })
  renameSync(`${copies}.whole`, copies)
  monitor = await run(t, again, wall)

  for (const [what, lose] of [
    ['damaged in a block of a day', () => undefined],
    ['damaged', () => damage(feed)],
    ['gone', () => rmSync(feed, { recursive: true })],
  ] as const) {
    await lose()
    const restored = await cli([...restore, '--patience', '30s'], { cwd: home, env })
    t.is(restored.code, 0, `${what}: ${restored.stderr}`)
    t.ok(/wm: 2 devices, \d+ of the inventory/.test(restored.stdout), restored.stdout)
    t.is(restored.stdout.includes('.damaged-'), what.startsWith('damaged'))
    renameSync(feed, `${feed}.restoring`)
    const again = await cli(restore, { cwd: home, env })
    t.ok(
      again.code === 0 && /wm: 2 devices/.test(again.stdout),
      `cut off before it was put in place: ${again.stdout + again.stderr}`,
    )
    site = await run(t, ['start'], home)
    await until(async () => (await mining(home)).length === 2, 'both are read again, also the added one', 60_000)
    const after = await samples(home, id)
    t.alike(after.slice(0, before.length), before, `${what}: nothing of before is lost`)
    await until(
      async () => (await mining(wall)).length === 2 && (await samples(wall, id)).length > after.length,
      'the monitor follows the new feed',
      60_000,
    )
    await stop(site)
  }
  await stop(monitor)
})
