import test, { type Assertions } from 'brittle'
import { Type } from '#model'
import { client, contract, query, type ServerLimits, serve, swarmPool, swarmServer } from '#rpc'
import { open, privateDht } from '../node/network/nets.js'
import { until } from '../support/fake-clock.js'
import { keyOf, newKeyPair } from './mesh.js'

const text = Type.Object({ text: Type.String() })
const desk = contract('desk', { echo: query({ input: text, output: text }) })
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
    resolve: () => serve(desk, { echo: (input) => input }),
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
