import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test, { type Assertions } from 'brittle'
import { createNode } from '#node'
import { until } from '../support/fake-clock.js'
import { recordingLog } from '../support/recording-log.js'
import { isAlive, supervised } from './children.js'
import { run } from './programs.js'

const timeout = 60_000

async function open(t: Assertions, deed: string, options: Parameters<typeof supervised>[3] = {}) {
  const storage = await t.tmp()
  const node = await createNode({
    site: 'north',
    storage,
    services: [supervised('wm', join(storage, 'wm'), deed, options)],
    log: recordingLog(),
    limits: { livenessMs: 2_000, backoffMs: 100, endMs: 9_000, failedRetryMs: 100, startMs: 30_000 },
  })
  t.teardown(() => node.close())
  const health = () => node.services()[0]!
  return { node, health, pid: () => health().stats.pid ?? 0 }
}

test('a process is a service: it runs once its own services do, and says why it is not ready', {
  timeout,
}, async (t) => {
  const lines: string[] = []
  const { node, health, pid } = await open(t, 'works', { lines })
  await node.ready()
  t.is(health().state, 'running')
  t.is(health().reason, 'worker: looks for its devices')
  t.ok((health().stats.memoryBytes ?? 0) > 1e6)
  t.ok(
    lines.some((line) => line.startsWith('wm: ') && line.includes('runs')),
    'its log carries its name',
  )
  const child = pid()
  await node.close()
  t.absent(isAlive(child), 'it ends with the node')
})

test('a process that is killed is started anew', { timeout }, async (t) => {
  const { node, health, pid } = await open(t, 'works')
  await node.ready()
  const first = pid()
  process.kill(first, 'SIGKILL')
  await until(() => health().restarts === 1, 'noticed', 3_000)
  t.is(health().lastError, 'UNAVAILABLE: was ended by SIGKILL')
  await until(() => health().state === 'running' && pid() !== first, 'runs again', 20_000)
  t.ok(isAlive(pid()))
})

test('a process that gives no sign of life is killed and started anew', { timeout }, async (t) => {
  const { node, health, pid } = await open(t, 'works')
  await node.ready()
  const first = pid()
  process.kill(first, 'SIGSTOP')
  await until(() => health().state === 'hung' || health().restarts > 0, 'noticed', 5_000)
  await until(() => health().state === 'running' && pid() !== first, 'runs again', 20_000)
  t.absent(isAlive(first))
})

test('a process that ends at every start has failed, and says so', { timeout }, async (t) => {
  const { health } = await open(t, 'ends at once')
  await until(() => health().restarts > 0, 'tried again', 20_000)
  t.is(health().lastError, 'UNAVAILABLE: ended with exit code 7')
})

test('a process that uses too much memory is started anew', { timeout }, async (t) => {
  const { health } = await open(t, 'works', { maxMemoryBytes: 1_048_576 })
  await until(() => health().restarts > 0, 'tried again', 20_000)
  t.ok(/^TOO_LARGE: uses \d+ MB, at most 1 MB$/.test(health().lastError ?? ''))
})

test('a process whose parent was killed ends in order', { timeout }, async (t) => {
  const storage = await t.tmp()
  const parent = run(t, 'parent', [storage])
  let pid = 0
  parent.child.stdout!.on('data', (chunk) => {
    pid = Number(String(chunk))
  })
  await until(() => pid > 0, 'the child runs', 30_000)
  parent.child.kill('SIGKILL')
  await until(() => !isAlive(pid), 'the child ended', 10_000)
  t.ok(existsSync(join(storage, 'wm', 'orphaned')))
})
