import { once } from 'node:events'
import b4a from 'b4a'
import test from 'brittle'
import crypto from 'hypercore-crypto'
import HyperDHT from 'hyperdht'
import Hyperswarm from 'hyperswarm'
import { bytesOf, keyOf } from '#keys'
import { topicOf } from '#node'
import { until } from '../../support/fake-clock.js'
import { Members, open, privateDht, rpcOn } from './nets.js'

const secret = b4a.alloc(32, 7)
const topic = topicOf(secret, 1)
/** A refused caller hears nothing: it stops waiting early. */
const timings = { connectMs: 3_000 }
/** A machine that has much else to do takes its time. */
const timeout = 120_000

test('members meet on the topic: one announces, the others look it up', { timeout }, async (t) => {
  const bootstrap = await privateDht(t)
  const members = new Members()
  const hub = await open(t, { keyPair: members.newcomer(), bootstrap, admits: members.admits, topic, announce: true })
  await hub.flushed()
  const workers = await Promise.all(
    Array.from({ length: 3 }, () => open(t, { keyPair: members.newcomer(), bootstrap, admits: members.admits, topic })),
  )
  await until(() => hub.peers().length === 3, 'all have met', 60_000)
  for (const worker of workers) {
    await until(() => worker.peers().length > 0, 'it knows, too')
    t.alike(
      worker.peers().map(({ key }) => key),
      [hub.key],
      'a worker knows the hub only',
    )
  }
})

test('a stranger with the topic gets no connection and not one byte, and is counted', { timeout }, async (t) => {
  const bootstrap = await privateDht(t)
  const members = new Members()
  const hub = await open(t, { keyPair: members.newcomer(), bootstrap, admits: members.admits, topic, announce: true })
  await hub.flushed()

  const dht = new HyperDHT({ bootstrap, host: '127.0.0.1' })
  const stranger = new Hyperswarm({ dht, keyPair: crypto.keyPair(), firewall: () => false })
  t.teardown(() => stranger.destroy())
  let connections = 0
  stranger.on('connection', () => connections++)
  const bytes: number[] = []
  stranger.join(topic, { client: true, server: true })
  const direct = dht.connect(bytesOf(hub.key))
  direct.on('data', (data) => bytes.push(data.length))
  const [error] = await once(direct, 'error')
  t.is(error.code, 'PEER_CONNECTION_FAILED')
  t.is(connections, 0)
  t.alike(bytes, [])
  t.is(direct.rawBytesRead, 0)
  t.alike(hub.peers(), [])
  t.ok((hub.refusals().unknown ?? 0) >= 2, JSON.stringify(hub.refusals()))
})

test('who was refused and is admitted later gets in; who is dropped is out at once, on both sides', {
  timeout,
}, async (t) => {
  const bootstrap = await privateDht(t)
  const members = new Members()
  const hub = await open(t, { keyPair: members.newcomer(), bootstrap, admits: members.admits, topic, announce: true })
  await hub.flushed()
  const late = crypto.keyPair()
  const worker = await open(t, { keyPair: late, bootstrap, admits: members.admits, topic, timings })
  await t.exception(worker.connect(hub.key), { code: 'TIMEOUT' })
  t.ok((hub.refusals().unknown ?? 0) > 0)

  members.add(worker.key)
  hub.admit(worker.key)
  worker.joinPeer(hub.key)
  await until(() => hub.peers().length === 1 && worker.peers().length === 1, 'it is in', 60_000)
  worker.leavePeer(hub.key)

  const rpc = rpcOn(hub, members.newcomer())
  const gone: string[] = []
  hub.onPeer((key) => () => void gone.push(key))
  members.delete(worker.key)
  hub.drop(worker.key)
  await until(() => worker.peers().length === 0 && hub.peers().length === 0, 'it is out on both sides', 1_000)
  t.alike(gone, [worker.key])
  await t.exception(rpc.request(bytesOf(worker.key), 'anything', b4a.alloc(0)), /CHANNEL_CLOSED/)
  await t.exception(worker.connect(hub.key), { code: 'TIMEOUT' })
  await t.exception(hub.connect(worker.key), { code: 'FORBIDDEN' })
})

test('many refused keys leave nothing behind', { timeout }, async (t) => {
  const bootstrap = await privateDht(t)
  const members = new Members()
  const hub = await open(t, { keyPair: members.newcomer(), bootstrap, admits: () => 'revoked' })
  await hub.flushed()
  const dht = new HyperDHT({ bootstrap, host: '127.0.0.1' })
  t.teardown(() => dht.destroy({ force: true }))
  const count = 30
  for (let i = 0; i < count; i++) {
    dht.connect(bytesOf(hub.key), { keyPair: crypto.keyPair() }).on('error', () => {})
  }
  await until(() => (hub.refusals().revoked ?? 0) >= count, 'all were refused', 60_000)
  t.alike(hub.peers(), [])
})

test('a hub that is full refuses the next one, and lets it in when there is room', { timeout }, async (t) => {
  const bootstrap = await privateDht(t)
  const members = new Members()
  const hub = await open(t, { keyPair: members.newcomer(), bootstrap, admits: members.admits, maxPeers: 2 })
  await hub.flushed()
  const make = (own = {}) => open(t, { keyPair: members.newcomer(), bootstrap, admits: members.admits, timings: own })
  const [a, b, c] = await Promise.all([make(), make(), make(timings)])
  await Promise.all([a!.connect(hub.key), b!.connect(hub.key)])
  await until(() => hub.peers().length === 2, 'two are in', 60_000)
  await t.exception(c!.connect(hub.key), { code: 'TIMEOUT' })
  t.is(hub.refusals().full !== undefined, true)
  await a!.close()
  await until(() => hub.peers().length === 1, 'one has left')
  c!.joinPeer(hub.key)
  await until(() => c!.peers().length === 1, 'there is room for the third', 60_000)
})

test('the topic rotates while running: members of both epochs meet until the overlap is over', {
  timeout,
}, async (t) => {
  const bootstrap = await privateDht(t)
  const members = new Members()
  const shared = { bootstrap, admits: members.admits, timings: { overlapMs: 100 } }
  const hub = await open(t, { ...shared, keyPair: members.newcomer(), topic, announce: true })
  await hub.flushed()
  const early = await open(t, { ...shared, keyPair: members.newcomer(), topic })
  await until(() => hub.peers().length === 1, 'they have met', 60_000)
  hub.setTopic(secret, 2)
  await hub.flushed()
  t.alike(
    hub.peers().map(({ key }) => key),
    [early.key],
    'who is connected stays',
  )
  const next = await open(t, { ...shared, keyPair: members.newcomer() })
  next.setTopic(secret, 2)
  await until(() => hub.peers().some(({ key }) => key === next.key), 'met in the new epoch', 60_000)
  t.unlike(topicOf(secret, 2), topic)
})

test('an own key or a wrong verdict lets nobody in', { timeout }, async (t) => {
  const bootstrap = await privateDht(t)
  const pair = crypto.keyPair()
  const hub = await open(t, {
    keyPair: pair,
    bootstrap,
    admits: () => {
      throw new Error('the record is broken')
    },
  })
  await hub.flushed()
  const other = await open(t, { keyPair: crypto.keyPair(), bootstrap, admits: () => true, timings })
  await t.exception(other.connect(hub.key), { code: 'TIMEOUT' })
  t.ok((hub.refusals().error ?? 0) > 0)
  t.is(hub.key, keyOf(pair))
})
