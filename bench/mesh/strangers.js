// So many keys that nobody knows, each of which calls the hub once. Plain JavaScript, so that no loader is measured with it.
import b4a from 'b4a'
import crypto from 'hypercore-crypto'
import HyperDHT from 'hyperdht'

/** A stranger's own window of requests would hold it back if all called over one socket: so many sockets, and so many calls over each. */
const sockets = 100
const atOnce = 100

process.on('message', async ({ bootstrap, hub, strangers }) => {
  const nodes = await Promise.all(
    Array.from({ length: sockets }, async () => {
      const dht = new HyperDHT({ bootstrap, host: '127.0.0.1', firewalled: true })
      await dht.fullyBootstrapped()
      return dht
    }),
  )
  let tried = 0
  const knock = (dht) =>
    new Promise((resolve) => {
      const stream = dht.connect(b4a.from(hub, 'hex'), { keyPair: crypto.keyPair() })
      stream.on('error', () => {})
      stream.on('open', () => stream.destroy())
      stream.on('close', resolve)
    })
  await Promise.all(
    nodes.flatMap((dht) =>
      Array.from({ length: atOnce }, async () => {
        while (tried < strangers) {
          tried++
          await knock(dht)
        }
      }),
    ),
  )
  process.send({ tried })
})
process.on('disconnect', () => process.exit())
