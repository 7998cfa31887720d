/** A peer of its own process, to be killed: arguments are its seed, the key it calls and the bootstrap addresses. */
import b4a from 'b4a'
import crypto from 'hypercore-crypto'
import { bytesOf } from '#keys'
import { silentLog, systemClock } from '#model'
import { openNetwork } from '#node'
import { rpcOn } from '../network/nets.js'

const [seed, other, ...bootstrap] = process.argv.slice(2) as [string, string, ...string[]]
const keyPair = crypto.keyPair(bytesOf(seed))
const local = bootstrap[0] === 'local' ? { bootstrap: 'local' as const, folder: bootstrap[1] } : { bootstrap }
const network = await openNetwork({
  ...local,
  keyPair,
  host: '127.0.0.1',
  announce: false,
  admits: (key) => key === other,
  clock: systemClock,
  log: silentLog,
})
const server = rpcOn(network, keyPair).createServer()
server.respond('pid', () => b4a.from(String(process.pid)))
await server.listen()
network.onPeer(() => void console.log('connected'))
network.joinPeer(other)
