import test, { type Assertions } from 'brittle'
import type { NoiseStream } from 'hyperdht'
import HyperDHT from 'hyperdht'
import { type Key, keyOf } from '#keys'
import { until } from '../../support/fake-clock.js'
import { Members, open, privateDht } from './nets.js'

/** A hub, and whom it was told of. */
async function openHub(t: Assertions, timings: { messageMs?: number } = {}) {
  const bootstrap = await privateDht(t)
  const members = new Members()
  const told: { reason: string; key: Key }[] = []
  const keyPair = members.newcomer()
  const onRefused = (reason: string, key: Key) => void told.push({ reason, key })
  const hub = await open(t, { keyPair, bootstrap, admits: members.admits, timings, onRefused })
  await hub.flushed()
  return { hub, hubKey: keyPair.publicKey, bootstrap, members, told }
}

test('who begins a message and does not end it loses its connection, and stands among the refused; others stay', async (t) => {
  const { hub, bootstrap, members, told } = await openHub(t, { messageMs: 600 })
  const join = async () => {
    const network = await open(t, { keyPair: members.newcomer(), bootstrap, admits: members.admits })
    await network.connect(hub.key)
    await until(() => hub.peer(network.key), 'the hub has it')
    return network
  }
  const [idle, slow] = [await join(), await join()]
  const { since } = hub.peer(idle.key)!
  let socket: { write(bytes: Uint8Array): void } | undefined
  let end: NoiseStream | undefined
  slow.onPeer((_, stream) => {
    socket ??= (stream as NoiseStream).rawStream as unknown as typeof socket
    return undefined
  })
  hub.onPeer((key, stream) => {
    if (key === slow.key) end ??= stream as NoiseStream
    return undefined
  })
  // The longest that the encryption can say; 100 kB of it come.
  const begun = Buffer.alloc(100_000)
  begun.writeUIntLE(0xffffff, 0, 3)
  socket?.write(begun)
  await until(() => end?.destroyed, 'its connection ends')
  t.alike(told, [{ reason: 'unfinished-message', key: slow.key }])
  t.is(hub.peer(idle.key)?.since, since)
})

test('streams of one key without end: few are open at once, and then there are no more for a while', {
  timeout: 60_000,
}, async (t) => {
  const { hub, hubKey, bootstrap, members, told } = await openHub(t)
  const keyPair = members.newcomer()
  const dht = new HyperDHT({ bootstrap, keyPair, host: '127.0.0.1', firewalled: false })
  t.teardown(() => dht.destroy({ force: true }))
  const isTold = (reason: string) => told.some((one) => one.reason === reason && one.key === keyOf(keyPair))
  const connect = () => dht.connect(hubKey, { keyPair }).on('error', () => {})
  const many = Array.from({ length: 20 }, connect)
  await until(() => isTold('streams-per-key'), 'some of many at once are refused')
  for (const stream of many) stream.destroy()
  while (!isTold('streams-per-minute')) {
    const stream = connect()
    let settled = false
    void stream.opened.then(() => {
      settled = true
    })
    await until(() => settled || isTold('streams-per-minute'), 'one more is taken or refused')
    stream.destroy()
  }
  t.is(hub.peers().length, 0)
})

test('a peer that is dropped and may still come is back at once, whichever side had called', async (t) => {
  const { hub, bootstrap, members } = await openHub(t)
  const other = await open(t, { keyPair: members.newcomer(), bootstrap, admits: members.admits })
  other.joinPeer(hub.key)
  for (const [who, by] of [
    [other, hub],
    [hub, other],
  ] as const) {
    await until(() => by.peer(who.key), 'they are connected')
    let end: NoiseStream | undefined
    by.onPeer((_, stream) => {
      end ??= stream as NoiseStream
      return undefined
    })
    by.drop(who.key)
    await until(() => end?.destroyed, 'the connection ends')
    await until(() => by.peer(who.key), 'there is a new one', 5_000)
  }
  t.pass()
})
