// So many keys that nobody knows, each of which calls the hub once. Plain JavaScript, so that no loader is measured with it.
import b4a from 'b4a'
import crypto from 'hypercore-crypto'
import HyperDHT from 'hyperdht'

const atOnce = 2_000

process.on('message', async ({ bootstrap, hub, strangers }) => {
  const dht = new HyperDHT({ bootstrap, host: '127.0.0.1', firewalled: true })
  await dht.fullyBootstrapped()
  let tried = 0
  const knock = () =>
    new Promise((resolve) => {
      const stream = dht.connect(b4a.from(hub, 'hex'), { keyPair: crypto.keyPair() })
      stream.on('error', () => {})
      stream.on('open', () => stream.destroy())
      stream.on('close', resolve)
    })
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (tried < strangers) {
        tried++
        await knock()
      }
    }),
  )
  process.send({ tried })
})
process.on('disconnect', () => process.exit())
