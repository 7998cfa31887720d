import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import b4a from 'b4a'
import test, { type Assertions } from 'brittle'
import crypto from 'hypercore-crypto'
import { bytesOf, keyOf } from '#keys'
import { topicOf } from '#node'
import { until } from '../../support/fake-clock.js'
import { run } from '../programs.js'
import { Members, open } from './nets.js'

const topic = topicOf(b4a.alloc(32, 9), 0)
const timeout = 220_000

async function portsOf(folder: string): Promise<number[]> {
  return JSON.parse(await readFile(join(folder, 'dht', 'ports.json'), 'utf8')).ports
}

function opener(t: Assertions, folder: string) {
  const members = new Members()
  const make = (announce = false) =>
    open(t, { keyPair: members.newcomer(), bootstrap: 'local', folder, admits: members.admits, topic, announce })
  return { members, make }
}

test('the services of one host find each other without any configuration', async (t) => {
  const { make } = opener(t, await t.tmp())
  const [hub] = await Promise.all([make(true), make(), make()])
  await until(() => hub!.peers().length === 2, 'all have met')
  t.pass()
})

test('sites of two folders do not meet', async (t) => {
  const { members, make } = opener(t, await t.tmp())
  const hub = await make(true)
  const other = await open(t, {
    keyPair: members.newcomer(),
    bootstrap: 'local',
    folder: await t.tmp(),
    admits: members.admits,
  })
  await t.exception(other.connect(hub.key), { code: 'UNAVAILABLE' })
})

test('when the host is killed another takes its place on the same ports; who is connected does not notice', {
  timeout,
}, async (t) => {
  const folder = await t.tmp()
  const { members, make } = opener(t, folder)
  const hubPair = crypto.keyPair()
  members.add(keyOf(hubPair))
  const seed = keyOf({ publicKey: crypto.randomBytes(32) })
  const first = run(t, 'network-peer', [seed, keyOf(hubPair), 'local', folder])
  // The child holds the lock before anyone here comes.
  await until(async () => (await portsOf(folder).catch(() => [])).length > 0, 'the local DHT is there', 150_000)
  const ports = await portsOf(folder)
  members.add(keyOf(crypto.keyPair(bytesOf(seed))))
  const hub = await open(t, {
    keyPair: hubPair,
    bootstrap: 'local',
    folder,
    admits: members.admits,
    topic,
    announce: true,
  })
  const worker = await make()
  await first.line('connected')
  await until(() => hub.peers().length === 2, 'all have met')
  await until(() => worker.peers().length === 1, 'the worker knows it, too')
  const since = worker.peers()[0]?.since

  const generation = await readFile(join(folder, 'dht', 'ports.json'), 'utf8')
  first.child.kill('SIGKILL')
  await until(
    async () => (await readFile(join(folder, 'dht', 'ports.json'), 'utf8')) !== generation,
    'another process hosts',
    30_000,
  )
  t.alike(await portsOf(folder), ports, 'on the same ports')
  const newcomer = await make()
  await until(() => newcomer.peers().length === 1, 'a newcomer finds the hub', 60_000)
  t.is(worker.peers()[0]?.since, since, 'who was connected still is')
  newcomer.joinPeer(worker.key)
  await until(() => newcomer.peers().length === 2, 'and the others by key', 60_000)
})

test('a broken port file does not matter', async (t) => {
  const folder = await t.tmp()
  const { make } = opener(t, folder)
  const one = await make(true)
  await one.close()
  await writeFile(join(folder, 'dht', 'ports.json'), '{"ports": [1')
  const [hub] = await Promise.all([make(true), make()])
  await until(() => hub!.peers().length === 1, 'they have met')
  t.pass()
})

test('without a folder there is no local DHT', async (t) => {
  const members = new Members()
  await t.exception(open(t, { keyPair: members.newcomer(), bootstrap: 'local', admits: members.admits }), {
    code: 'CONFIG_INVALID',
  })
})
