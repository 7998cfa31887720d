import { copyFile, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'brittle'
import { miners } from '#devices'
import { createNode } from '#node'
import { deviceWorker as contract } from '#rpc'
import { startFarm } from '#sim'
import { workerServices } from '#workers'
import { until } from '../../support/fake-clock.js'
import { recordingLog } from '../../support/recording-log.js'
import { entryOf } from './bench.js'

const password = 'Pa55-w0rd-of-a-miner'

/** Every way in which the text may stand in bytes that are not sealed. */
function forms(text: string): Buffer[] {
  const utf8 = Buffer.from(text)
  return [utf8, Buffer.from(utf8.toString('base64').slice(0, -4)), Buffer.from(utf8.toString('hex'))]
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

test('a password stands in no file, no answer and no line of the log, and is used', { timeout: 60_000 }, async (t) => {
  const farm = await startFarm({ miners: 2, mix: 'antminer', addresses: '127.31.0.9', webPort: 18_091, seed: 4 })
  t.teardown(() => farm.close())
  const storage = await t.tmp()
  const log = recordingLog()
  const [service] = workerServices(miners)
  const config = { lib: 'miner-antminer', intervalMs: 200 }
  const services = ['w', 'v'].map((name) => ({ name, service: service!, config }))
  const node = await createNode({ site: 'home', storage, services, log })
  t.teardown(() => node.close())
  await node.ready()
  const w = node.connect(contract, { service: 'w' })

  const [one, two] = farm.devices.map(entryOf)
  const right = { ...one!, id: 'one' }
  await w.addDevices({ entries: [right, { ...two!, id: 'two', username: 'root', password }] })
  await until(async () => (await w.device({ id: 'one' })).status === 'mining', 'the right password is used')
  await until(async () => (await w.device({ id: 'two' })).status !== 'unknown', 'the wrong one is tried')
  await w.updateDevice({ id: 'two', patch: { password: `${password}2` } })

  const answers = JSON.stringify([
    await w.describe({}),
    await w.device({ id: 'two' }),
    await w.raw({ id: 'two' }).catch(String),
    node.services(),
    [...node.directory.readers()].map((reader) => [...reader.records()]),
  ])
  t.absent(answers.includes(password))
  t.absent(JSON.stringify(log.lines).includes(password))
  await node.close()

  const files = await filesBelow(storage)
  t.ok(files.includes(join(storage, 'w', 'vault.json')))
  t.absent(files.includes(join(storage, 'v', 'vault.json')), 'another worker has nothing of it')
  for (const file of files) {
    const bytes = await readFile(file)
    for (const form of forms(password)) if (bytes.includes(form)) t.fail(`it stands in ${file}`)
  }
})

test('the vault of one worker does not open for another', { timeout: 60_000 }, async (t) => {
  const storage = await t.tmp()
  const [service] = workerServices(miners)
  const services = ['w', 'v'].map((name) => ({ name, service: service!, config: { lib: 'miner-antminer' } }))
  const first = await createNode({ site: 'home', storage, services, log: recordingLog() })
  t.teardown(() => first.close())
  await first.ready()
  const address = { host: '127.31.0.77', port: 9 }
  await first.connect(contract, { service: 'w' }).addDevices({ entries: [{ ...address, id: 'd', password }] })
  await first.close()

  await copyFile(join(storage, 'w', 'vault.json'), join(storage, 'v', 'vault.json'))
  const second = await createNode({ site: 'home', storage, services, log: recordingLog() })
  t.teardown(() => second.close())
  await second.ready()
  const health = (name: string) => second.services().find((each) => each.name === name)
  await until(() => health('v')?.lastError, 'the other one says why')
  t.ok(health('v')!.lastError!.includes('sealed by another node or service'), health('v')!.lastError!)
  t.ok(health('w')?.ready, 'its neighbour does not notice')
})
