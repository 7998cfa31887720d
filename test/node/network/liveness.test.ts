import b4a from 'b4a'
import test from 'brittle'
import crypto from 'hypercore-crypto'
import { bytesOf, type Key, keyOf } from '#keys'
import { until } from '../../support/fake-clock.js'
import { run } from '../programs.js'
import { Members, open, privateDht, type Rpc, rpcOn } from './nets.js'

const timeout = 220_000

/** The process that answers for the peer, however often its connection is replaced meanwhile. */
async function pidOf(rpc: Rpc, peer: Key): Promise<string> {
  let pid: Uint8Array | undefined
  const ask = async () => (pid = await rpc.request(bytesOf(peer), 'pid', b4a.alloc(0)).catch(() => undefined))
  await until(ask, 'the peer answers')
  return b4a.toString(pid!)
}

/** A hub here, and a way to start a peer as a process of its own. */
async function hubAndPeer(t: Parameters<typeof privateDht>[0]) {
  const bootstrap = await privateDht(t)
  const members = new Members()
  const hubPair = members.newcomer()
  const hub = await open(t, { keyPair: hubPair, bootstrap, admits: members.admits })
  const seed = keyOf({ publicKey: crypto.randomBytes(32) })
  const peer = keyOf(crypto.keyPair(bytesOf(seed)))
  members.add(peer)
  await hub.flushed()
  return { hub, hubPair, peer, start: () => run(t, 'network-peer', [seed, hub.key, ...bootstrap]) }
}

test('a peer killed with -9 is noticed within 3 s; a new process of its key is back within 5 s', {
  timeout,
}, async (t) => {
  const { hub, hubPair, peer, start } = await hubAndPeer(t)
  const rpc = rpcOn(hub, hubPair)
  const first = start()
  await first.line('connected')
  t.is(await pidOf(rpc, peer), String(first.child.pid))
  await until(() => hub.peers()[0]?.rttMs !== null, 'the round trip is measured')
  const killedAt = performance.now()
  first.child.kill('SIGKILL')
  await until(() => hub.peers().length === 0, 'it is noticed', 3_500)
  const noticedMs = performance.now() - killedAt
  t.comment(`noticed after ${Math.round(noticedMs)} ms`)
  t.ok(noticedMs <= 3_000)

  const second = start()
  await second.line('connected')
  t.is(await pidOf(rpc, peer), String(second.child.pid))
})

test('a peer that is started anew before its death was noticed takes the place of the dead one', {
  timeout,
}, async (t) => {
  const { hub, hubPair, peer, start } = await hubAndPeer(t)
  const first = start()
  await first.line('connected')
  first.child.kill('SIGKILL')
  const second = start()
  await second.line('connected')
  const rpc = rpcOn(hub, hubPair)
  t.is(await pidOf(rpc, peer), String(second.child.pid))
  t.is(hub.peers().length, 1)
})

test('a process that stands still is dropped, and is back when it goes on', { timeout }, async (t) => {
  const { hub, start } = await hubAndPeer(t)
  const peer = start()
  await peer.line('connected')
  peer.child.kill('SIGSTOP')
  await until(() => hub.peers().length === 0, 'it is noticed', 3_500)
  peer.child.kill('SIGCONT')
  await until(() => hub.peers().length === 1, 'it is back', 60_000)
  t.pass()
})

test('a second process with the same key is told from a restart: the older one stays out, and it is counted', {
  timeout,
}, async (t) => {
  const { hub, start } = await hubAndPeer(t)
  const first = start()
  await first.line('connected')
  const clone = start()
  await clone.line('connected')
  await until(() => (hub.refusals().clone ?? 0) > 0, 'the older one comes again and is refused', 60_000)
  t.pass()
})

test('idle peers stay connected, and the round trip, the bytes and the time are told', async (t) => {
  const bootstrap = await privateDht(t)
  const members = new Members()
  const timings = { tickMs: 20, beatMs: 50, deadMs: 5_000 }
  const make = () => open(t, { keyPair: members.newcomer(), bootstrap, admits: members.admits, timings })
  const [a, b] = await Promise.all([make(), make()])
  await b.flushed()
  const { since } = await a.connect(b.key)
  await until(() => (a.peers()[0]?.bytes.read ?? 0) > 400, 'many signs of life have come', 8_000)
  const [peer] = a.peers()
  t.is(peer?.since, since)
  t.is(peer?.remoteHost, '127.0.0.1')
  t.ok((peer?.rttMs ?? -1) >= 0 && peer!.rttMs! < 5_000)
  t.ok(peer!.bytes.written > 0)
})
