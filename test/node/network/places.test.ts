import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import b4a from 'b4a'
import test, { type Assertions } from 'brittle'
import { systemClock } from '#model'
import { bootstrapNodes, topicOf } from '#node'
import { until } from '../../support/fake-clock.js'
import { Members, open, privateDht, strangeKey } from './nets.js'

const topic = topicOf(b4a.alloc(32, 5), 0)
const timeout = 120_000

/** A DHT that the test can take away. */
async function mortalDht(t: Assertions) {
  for (;;) {
    const port = 32_100 + Math.floor(Math.random() * 15_000)
    try {
      const nodes = await bootstrapNodes({ host: '127.0.0.1', port, clock: systemClock })
      t.teardown(() => nodes.close(), { order: 10 })
      return { ...nodes, port }
    } catch {}
  }
}

test('two DHTs, one connection: both sides keep the same one', { timeout }, async (t) => {
  const [main, site] = await Promise.all([privateDht(t), privateDht(t)])
  const members = new Members()
  const make = () =>
    open(t, {
      keyPair: members.newcomer(),
      bootstrap: main,
      site: { bootstrap: site, host: '127.0.0.1' },
      admits: members.admits,
      announce: true,
      topic,
    })
  const networks = await Promise.all([make(), make(), make()])
  await until(() => networks.every((network) => network.peers().length === 2), 'all have met')
  await Promise.all(networks.map((network) => network.flushed()))
  for (const one of networks)
    for (const other of networks)
      if (one !== other) t.is(one.peer(other.key)?.place, other.peer(one.key)?.place, 'the same DHT for both')
})

test('a site whose way out is cut goes on: its members meet over its own DHT', { timeout }, async (t) => {
  const [main, site] = [await mortalDht(t), await privateDht(t)]
  const members = new Members()
  const shared = { bootstrap: main.addresses, admits: members.admits, topic, timings: { redialMs: 100 } }
  const inside = { ...shared, site: { bootstrap: site, host: '127.0.0.1' } }
  const hub = await open(t, { ...inside, keyPair: members.newcomer(), announce: true })
  const away = await open(t, { ...shared, keyPair: members.newcomer() })
  await until(() => hub.peers().length === 1, 'the one far away meets the hub over the main DHT')
  await main.close()

  const worker = await open(t, { ...inside, keyPair: members.newcomer() })
  await until(() => worker.peers().length === 1, 'a worker that starts now meets the hub', 60_000)
  t.is(worker.peers()[0]?.place, 'site')
  t.is((await worker.connect(hub.key)).key, hub.key)
  t.is(away.peers().length, 1, 'what was connected stays')
})

test('nodes of the DHT that are started anew are announced to again', { timeout }, async (t) => {
  const dht = await mortalDht(t)
  const members = new Members()
  const shared = { bootstrap: dht.addresses, admits: members.admits, topic, timings: { announceMs: 300 } }
  const hub = await open(t, { ...shared, keyPair: members.newcomer(), announce: true })
  await hub.flushed()
  await dht.close()
  const again = await bootstrapNodes({ host: '127.0.0.1', port: dht.port, clock: systemClock })
  t.teardown(() => again.close(), { order: 10 })
  const worker = await open(t, { ...shared, keyPair: members.newcomer() })
  await until(() => worker.peers().length === 1, 'the worker finds the hub', 60_000)
  t.pass()
})

test('suspended nobody is connected; resumed everybody is again', { timeout }, async (t) => {
  const bootstrap = await privateDht(t)
  const members = new Members()
  const shared = { bootstrap, admits: members.admits, topic, timings: { redialMs: 50, maxRedialMs: 500 } }
  const hub = await open(t, { ...shared, keyPair: members.newcomer(), announce: true })
  await hub.flushed()
  const worker = await open(t, { ...shared, keyPair: members.newcomer() })
  await until(() => hub.peers().length === 1, 'they have met')
  await worker.suspend()
  t.alike(worker.peers(), [])
  await until(() => hub.peers().length === 0, 'the hub notices')
  await worker.resume()
  await until(() => hub.peers().length === 1, 'they meet again', 60_000)
  await hub.suspend()
  await until(() => worker.peers().length === 0, 'the worker notices')
  await hub.resume()
  await until(() => worker.peers().length === 1, 'and once more', 60_000)
  t.pass()
})

test('a peer that is held is called until it is there', async (t) => {
  const bootstrap = await privateDht(t)
  const members = new Members()
  const late = members.newcomer()
  const shared = { bootstrap, admits: members.admits, timings: { redialMs: 50, maxRedialMs: 300 } }
  const first = await open(t, { ...shared, keyPair: members.newcomer() })
  const { publicKey } = late
  first.joinPeer(b4a.toString(publicKey, 'hex'))
  const second = await open(t, { ...shared, keyPair: late })
  await until(() => second.peers().length === 1, 'it is called')
  t.pass()
})

test('the port is ours or nobody gets one; an address that is none is told', async (t) => {
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  const bootstrap = await privateDht(t)
  const members = new Members()
  const make = (options: object) =>
    open(t, { keyPair: members.newcomer(), bootstrap, admits: members.admits, ...options })
  await t.exception(make({ port }), { code: 'PORT_IN_USE' })
  await t.exception(bootstrapNodes({ host: '127.0.0.1', port, count: 1, clock: systemClock }), { code: 'PORT_IN_USE' })
  await t.exception(make({ host: '203.0.113.9' }), { code: 'UNAVAILABLE' })
  await t.exception(make({ bootstrap: ['nowhere'] }), { code: 'CONFIG_INVALID' })
  const free = await open(t, { keyPair: members.newcomer(), bootstrap, admits: members.admits, port: port + 1 })
  const { places } = await free.diagnose()
  t.ok(places[0]?.bound?.endsWith(`:${port + 1}`), places[0]?.bound ?? '')
})

test('what is wrong with a key is told', { timeout }, async (t) => {
  const bootstrap = await privateDht(t)
  const members = new Members()
  const make = (admits = members.admits, timings = {}) =>
    open(t, { keyPair: members.newcomer(), bootstrap, admits, timings })
  const [one, two] = await Promise.all([make(), make()])
  const stubborn = await make(() => false)
  const gone = strangeKey()
  members.add(gone)
  await Promise.all([one, two, stubborn].map((network) => network!.flushed()))
  const about = async (key: string) => (await one!.diagnose(key)).key?.state
  t.is(await about(one!.key), 'self')
  t.is(await about(two!.key), 'connected')
  t.is(await about(strangeKey()), 'not-admitted')
  t.is(await about(gone), 'not-announced')
  t.is(await about(stubborn!.key), 'no-answer')
  const hasty = await make(members.admits, { connectMs: 300 })
  t.is((await hasty.diagnose(stubborn!.key)).key?.state, 'timed-out')
  const { places } = await one!.diagnose()
  t.is(places.length, 1)
  t.is(places[0]?.online, true)
  t.is(places[0]?.nat, 'open', 'on loopback everyone reaches us')
  t.ok(places[0]?.bootstrap.every(({ ms }) => ms !== null && ms >= 0))
})

test('without any DHT a network opens, and says so', { timeout }, async (t) => {
  const members = new Members()
  const network = await open(t, {
    keyPair: members.newcomer(),
    bootstrap: ['127.0.0.1:1', '127.0.0.1:2'],
    admits: members.admits,
    topic,
  })
  const { places } = await network.diagnose()
  t.is(places[0]?.online, false)
  t.alike(
    places[0]?.bootstrap.map(({ ms }) => ms),
    [null, null],
  )
})
