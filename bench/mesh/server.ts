// The far side of bench/mesh.bench.ts: the same service raw and as the product serves it, in a process of its own.
import RPC from '@hyperswarm/rpc'
import b4a from 'b4a'
import { swarmServer } from '#rpc'
import { endpoint, keyPairs, nodeOf, record } from './shapes.js'

const port = Number(process.argv[2])
const network = await nodeOf({ host: '127.0.0.1', port }, keyPairs.server)
const raw = new RPC({ dht: network, keyPair: keyPairs.raw })
const server = raw.createServer({})
const plain = { requestEncoding: null, responseEncoding: null } as const
server.respond('device', plain, (bytes) => {
  JSON.parse(b4a.toString(bytes))
  return b4a.from(JSON.stringify(record))
})
await server.listen(keyPairs.raw)

await swarmServer({
  network,
  keyPair: keyPairs.server,
  callerOf: () => ({ id: 'key:bench', scope: 'read' }),
  resolve: () => endpoint,
  // The benchmark asks more often than a peer may.
  limits: { callsPerSecond: 1e6, callsBurst: 1e6 },
})
process.send?.('ready')
process.on('disconnect', () => process.exit())
