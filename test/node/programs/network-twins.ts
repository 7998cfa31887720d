/**
 * Half of a pair of processes that call each other at the same moment: as many networks as keys are given, each calls its twin in the other
 * process when a line comes in. Arguments: which half, how many, the bootstrap addresses. Prints `open`, then `answered <n>` and `kept <n>`.
 */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import b4a from 'b4a'
import crypto from 'hypercore-crypto'
import { bytesOf, keyOf } from '#keys'
import { silentLog, systemClock } from '#model'
import { openNetwork } from '#node'
import { rpcOn } from '../network/nets.js'

const [half, count, ...bootstrap] = process.argv.slice(2) as [string, string, ...string[]]
const pairOf = (index: number, side: string) => crypto.keyPair(crypto.discoveryKey(b4a.alloc(32, `${side}${index}`)))
const other = half === 'left' ? 'right' : 'left'
const lines = createInterface({ input: process.stdin })
const twins = await Promise.all(
  Array.from({ length: Number(count) }, async (_, index) => {
    const keyPair = pairOf(index, half)
    const twin = keyOf(pairOf(index, other))
    const network = await openNetwork({
      keyPair,
      bootstrap,
      host: '127.0.0.1',
      announce: false,
      admits: (key) => key === twin,
      clock: systemClock,
      log: silentLog,
    })
    const rpc = rpcOn(network, keyPair)
    const server = rpc.createServer()
    server.respond('echo', (bytes) => bytes)
    await server.listen()
    await network.flushed()
    return { network, rpc, twin: bytesOf(twin) }
  }),
)
console.log('open')
await once(lines, 'line')
const answers = await Promise.allSettled(
  twins.map(({ rpc, twin }) => rpc.request(twin, 'echo', b4a.from('hello'), { timeout: 8_000 })),
)
console.log(`answered ${answers.filter(({ status }) => status === 'fulfilled').length}`)
await once(lines, 'line')
console.log(`kept ${twins.filter(({ network }) => network.peers().length === 1).length}`)
await once(lines, 'close')
process.exit()
