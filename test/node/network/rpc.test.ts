import b4a from 'b4a'
import test from 'brittle'
import { bytesOf, type KeyPair } from '#keys'
import { SdkError, Type } from '#model'
import { client, contract, query, serve, swarmPool, swarmServer } from '#rpc'
import { until } from '../../support/fake-clock.js'
import { run } from '../programs.js'
import { Members, open, privateDht, rpcOn, strangeKey } from './nets.js'

const hello = b4a.from('hello')

/** Two networks with an RPC each that answers with its own name. */
async function pair(t: Parameters<typeof privateDht>[0], withServer = true) {
  const bootstrap = await privateDht(t)
  const members = new Members()
  const make = async (name: string) => {
    const keyPair: KeyPair = members.newcomer()
    const network = await open(t, { keyPair, bootstrap, admits: members.admits })
    const rpc = rpcOn(network, keyPair)
    const server = rpc.createServer()
    server.respond('name', () => b4a.from(name))
    server.respond('slow', () => new Promise((resolve) => setTimeout(() => resolve(b4a.from(name)), 100)))
    if (withServer) await server.listen()
    return { network, rpc, server, keyPair, key: bytesOf(network.key) }
  }
  const [a, b] = await Promise.all([make('a'), make('b')])
  await Promise.all([a.network.flushed(), b.network.flushed()])
  return { a, b, members }
}

test('a call connects to a known key and is answered; both directions ride on one connection', async (t) => {
  const { a, b } = await pair(t)
  const started = performance.now()
  t.is(b4a.toString(await a.rpc.request(b.key, 'name', hello)), 'b')
  t.comment(`first answer after ${(performance.now() - started).toFixed(1)} ms`)
  t.is(b4a.toString(await b.rpc.request(a.key, 'name', hello)), 'a')
  t.is(a.network.peers().length, 1)
  t.is(b.network.peers().length, 1)
  t.is(a.network.peers()[0]?.via, 'direct')
})

test('a client that closes leaves the connection, other clients and the other direction alone', async (t) => {
  const { a, b } = await pair(t)
  const one = a.rpc.connect(b.key)
  const two = a.rpc.connect(b.key)
  t.is(b4a.toString(await one.request('name', hello)), 'b')
  t.is(b4a.toString(await b.rpc.request(a.key, 'name', hello)), 'a')
  const since = a.network.peers()[0]?.since
  const under = two.request('slow', hello)
  one.destroy()
  t.is(b4a.toString(await under), 'b', 'what was under way on the other arrives')
  await until(() => b.server.connections.size === 1, 'its channel is gone at the server')
  const again = a.rpc.connect(b.key)
  t.is(b4a.toString(await again.request('name', hello)), 'b', 'a new client on the same stream is served')
  t.is(b4a.toString(await b.rpc.request(a.key, 'name', hello)), 'a')
  t.is(a.network.peers()[0]?.since, since, 'it is still the same connection')
})

test('a call to a key that is not there fails at once, not at its deadline', async (t) => {
  const { a, members } = await pair(t)
  const absent = strangeKey()
  members.add(absent)
  const started = performance.now()
  await t.exception(a.rpc.request(bytesOf(absent), 'name', hello), /CHANNEL_CLOSED/)
  t.ok(performance.now() - started < 3_000)
})

test('both sides call each other at the same moment: one connection, no call lost', { timeout: 60_000 }, async (t) => {
  const bootstrap = await privateDht(t)
  const members = new Members()
  const rounds = 12
  for (let round = 0; round < rounds; round++) {
    const sides = await Promise.all(
      ['a', 'b'].map(async (name) => {
        const keyPair = members.newcomer()
        const network = await open(t, { keyPair, bootstrap, admits: members.admits })
        const rpc = rpcOn(network, keyPair)
        const server = rpc.createServer()
        server.respond('name', () => b4a.from(name))
        await server.listen()
        await network.flushed()
        return { network, rpc }
      }),
    )
    const [a, b] = sides as [(typeof sides)[0], (typeof sides)[0]]
    const answers = await Promise.all([
      a.rpc.request(bytesOf(b.network.key), 'name', hello, { timeout: 3_000 }),
      b.rpc.request(bytesOf(a.network.key), 'name', hello, { timeout: 3_000 }),
    ])
    if (answers.map((answer) => b4a.toString(answer)).join() !== 'b,a') t.fail('a wrong answer')
    if (a.network.peers().length !== 1 || b.network.peers().length !== 1) t.fail('not one connection')
    await Promise.all([a.network.close(), b.network.close()])
  }
  t.pass(`${rounds} rounds`)
})

test('two processes call each other at the same moment: one connection a pair, no call lost', {
  timeout: 220_000,
}, async (t) => {
  const bootstrap = await privateDht(t)
  const pairs = 24
  const halves = ['left', 'right'].map((half) => run(t, 'network-twins', [half, String(pairs), ...bootstrap], true))
  const all = (line: string) => Promise.all(halves.map((half) => half.line(line)))
  const go = () => halves.map(({ child }) => child.stdin?.write('go\n'))
  await all('open')
  go()
  await all(`answered ${pairs}`)
  go()
  await all(`kept ${pairs}`)
  t.pass()
})

test('the calls of our own contracts ride on it', async (t) => {
  const { a, b, members } = await pair(t, false)
  const times = contract('times', { twice: query({ input: Type.Number(), output: Type.Number() }) })
  const endpoint = serve(times, { twice: (value) => value * 2 })
  const server = await swarmServer({
    network: b.network.dht,
    keyPair: b.keyPair,
    callerOf: (key) =>
      members.has(key) ? { id: key, scope: 'read' } : new SdkError('FORBIDDEN', 'not a member any more'),
    resolve: (name) => (name === 'times' ? endpoint : undefined),
  })
  t.teardown(() => server.close(), { order: 1 })
  const pool = swarmPool({ network: a.network.dht, keyPair: a.keyPair })
  t.teardown(() => pool.close(), { order: 1 })
  const calls = client(times, pool.transport(b.network.key, 'times', 'times'))
  t.is(await calls.twice(21), 42)
  t.alike(
    await Promise.all(Array.from({ length: 50 }, (_, i) => calls.twice(i))),
    Array.from({ length: 50 }, (_, i) => i * 2),
  )
  t.is(a.network.peers().length, 1)
  b.network.drop(a.network.key)
  t.is(await calls.twice(4), 8, 'a connection that was ended is made anew')
  await t.exception(client(times, pool.transport(strangeKey(), 'times', 'times')).twice(1), /not called: unknown/)
})
