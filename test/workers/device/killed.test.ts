import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test from 'brittle'
import { startFarm } from '#sim'
import { until } from '../../support/fake-clock.js'
import { startSite } from '../site.js'
import { entryOf } from './bench.js'

const child = fileURLToPath(new URL('./killed.child.ts', import.meta.url))

test('a worker that is killed shows its inventory and last states at once when it is back', {
  timeout: 90_000,
}, async (t) => {
  const farm = await startFarm({ miners: 5, mix: 'antminer', seed: 4 })
  t.teardown(() => farm.close())
  const storage = await t.tmp()
  const config = { lib: 'miner-antminer', intervalMs: 300, devices: farm.devices.map(entryOf) }
  const args = ['--conditions=source', '--import', 'tsx', '--no-warnings', child, JSON.stringify({ storage, config })]
  const running = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = new Promise((resolve) => running.once('exit', resolve))
  let said = ''
  running.stdout.on('data', (chunk) => {
    said += chunk
  })
  await until(() => said.includes('read'), 'the child has read all', 40_000)
  running.kill('SIGKILL')
  await gone
  // Nothing answers any more: what is shown can only come from the disk.
  for (let index = 0; index < 5; index++) await farm.setFault(index, { kind: 'dead' })
  const { fleet } = await startSite(t, storage, { w: config })
  const records = fleet.match({})
  t.is(records.length, 5)
  t.ok(records.every(({ at, metrics, model }) => at !== null && metrics.hashrateThs! > 0 && model))
  await until(() => fleet.match({ status: ['offline'] }).length === 5, 'then they are seen to be away', 20_000)
  t.is(fleet.totals().hashrateThs, null, 'and count in no total')
})
