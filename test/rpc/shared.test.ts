import type { Duplex } from 'node:stream'
import RPC from '@hyperswarm/rpc'
import test, { type Assertions } from 'brittle'
import { Type } from '#model'
import { client, contract, encodeRequest, query, type ServerLimits, serve, swarmPool, swarmServer } from '#rpc'
import { encodeAddress, encodeCall } from '../../src/rpc/swarm/envelope.js'
import { open, privateDht } from '../node/network/nets.js'
import { until } from '../support/fake-clock.js'
import { keyOf, newKeyPair } from './mesh.js'

const text = Type.Object({ text: Type.String() })
const desk = contract('desk', {
  echo: query({ input: text, output: text }),
  tell: query({ input: Type.Object({}), output: text }),
})
const long = 'x'.repeat(200_000)

/** Two nodes on one connection that carries more than RPC, as nodes have it. */
async function pair(t: Assertions, limits: Partial<ServerLimits>) {
  const bootstrap = await privateDht(t)
  const make = async () => {
    const keyPair = newKeyPair()
    return { keyPair, key: keyOf(keyPair), network: await open(t, { keyPair, bootstrap, admits: () => true }) }
  }
  const [near, far] = await Promise.all([make(), make()])
  await Promise.all([near.network.flushed(), far.network.flushed()])
  const server = await swarmServer({
    network: far.network.dht,
    keyPair: far.keyPair,
    callerOf: () => ({ id: 'key:near', scope: 'read' }),
    resolve: () => serve(desk, { echo: (input) => input, tell: () => ({ text: long }) }),
    limits,
  })
  t.teardown(() => server.close())
  const pool = swarmPool({ network: near.network.dht, keyPair: near.keyPair, limits: { idleMs: 50, pulseMs: 20 } })
  t.teardown(() => pool.close())
  return { server, pool, far, near, calls: client(desk, pool.transport(far.key, 'desk', 'desk')) }
}

test('long answers over a shared connection are no sign of a peer that takes none', async (t) => {
  const { server, calls } = await pair(t, { backlogBytes: 1_000_000 })
  for (let turn = 0; turn < 20; turn++) t.is((await calls.echo({ text: long })).text.length, long.length)
  t.is(server.stats().refused.unread, 0)
})

test('a pool that lets go of an idle peer leaves the connection, and calls again over it', async (t) => {
  const { server, pool, near, calls, far } = await pair(t, {})
  await calls.echo({ text: 'a' })
  const { since } = near.network.peers()[0]!
  await until(() => pool.stats()[far.key] === undefined, 'the pool lets go')
  await until(() => server.stats().connections === 0, 'the server sees it')
  t.is(near.network.peers()[0]?.since, since)
  t.is((await calls.echo({ text: 'b' })).text, 'b')
  t.is(near.network.peers()[0]?.since, since)
})

const plain = { requestEncoding: null, responseEncoding: null } as const

/** What a member can do that keeps to no rules: it calls over channels of its own, faster than the answers can be sent. */
async function hostile(t: Assertions, limits: Partial<ServerLimits>) {
  const { server, far, near, calls } = await pair(t, limits)
  await calls.echo({ text: 'a' })
  let connection: Duplex | undefined
  far.network.onPeer((_, stream) => {
    connection ??= stream
    return undefined
  })
  const channel = () =>
    new RPC({ dht: near.network.dht, keyPair: near.keyPair }).connect(far.keyPair.publicKey, { keyPair: near.keyPair })
      .rpc
  const address = encodeAddress('desk', 'desk')
  const request = encodeRequest({ method: 'tell', input: {} })
  return {
    server,
    channel,
    /** As many answers of 200 kB as asked for. */
    ask(over: ReturnType<typeof channel>, times: number) {
      for (let id = 1; id <= times; id++)
        over.event('messages', encodeCall(id, address, new Uint8Array(), request), plain)
    },
    ended: () => until(() => connection?.destroyed, 'the whole connection ends'),
  }
}

test('who takes no answers loses the whole connection, and begins no new count by opening RPC anew', async (t) => {
  const { server, channel, ask, ended } = await hostile(t, { backlogBytes: 4_000_000 })
  const isUnread = () => server.stats().refused.unread > 0
  for (let round = 1; round <= 4 && !isUnread(); round++) {
    const over = channel()
    ask(over, 10)
    await until(() => isUnread() || server.stats().calls === 1 + 10 * round, 'the calls arrive')
    over.destroy()
  }
  await ended()
  t.is(server.stats().refused.unread, 1)
})

test('a message above all limits ends the whole connection', async (t) => {
  const { server, channel, ended } = await hostile(t, { requestBytes: 100_000 })
  channel().event('messages', new Uint8Array(300_000), plain)
  await ended()
  t.is(server.stats().refused['message-size'], 1)
})
