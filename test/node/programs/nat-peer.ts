/**
 * A member in a namespace of its own, told what to be by one JSON argument: it holds a connection to all others, sends each of them bytes
 * that have to come back, and prints `<name> <direct|relayed>` for each time they did. It ends with its standard input.
 */
import b4a from 'b4a'
import crypto from 'hypercore-crypto'
import { bytesOf, type Key, keyOf } from '#keys'
import { silentLog, systemClock } from '#model'
import { bootstrapNodes, openNetwork, type Timings } from '#node'
import { rpcOn } from '../network/nets.js'

export interface Part {
  /** Of everyone, by name; the keys are made of the names. */
  readonly names: readonly string[]
  readonly name: string
  readonly bootstrap: readonly string[]
  /** Addresses on which DHT nodes are to run here. */
  readonly nodes: readonly string[]
  readonly host?: string
  readonly relay: 'serve' | 'use'
  readonly timings: Partial<Timings>
}

const pairOf = (name: string) => crypto.keyPair(crypto.discoveryKey(b4a.alloc(32, name)))
const relayPair = pairOf('the relay of the lab')
const payload = b4a.alloc(200_000, 'lab')

const { names, name, bootstrap, nodes, host, relay, timings }: Part = JSON.parse(process.argv[2] ?? '')
for (const address of nodes)
  await bootstrapNodes({ host: address, port: 49_737, count: 1, others: bootstrap, clock: systemClock })

const nameOf = new Map<Key, string>(names.map((each) => [keyOf(pairOf(each)), each]))
const keyPair = pairOf(name)
const network = await openNetwork({
  keyPair,
  bootstrap,
  host,
  announce: true,
  admits: (key) => nameOf.has(key),
  relay: relay === 'serve' ? { serve: relayPair } : { through: () => [keyOf(relayPair)] },
  timings,
  clock: systemClock,
  log: silentLog,
})
const rpc = rpcOn(network, keyPair)
const server = rpc.createServer()
server.respond('echo', (bytes) => bytes)
await server.listen()
network.onPeer((key) => {
  rpc.request(bytesOf(key), 'echo', payload, { timeout: 10_000 }).then(
    (answer) => {
      const peer = network.peer(key)
      if (b4a.equals(answer, payload) && peer) console.log(`${nameOf.get(key)} ${peer.via}`)
    },
    () => {},
  )
  return () => void console.log(`${nameOf.get(key)} lost`)
})
await network.flushed()
for (const key of nameOf.keys()) if (key !== network.key) network.joinPeer(key)
process.stdin.on('end', () => process.exit()).resume()
