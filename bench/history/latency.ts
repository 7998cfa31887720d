import HyperDHT from 'hyperdht'
import createTestnet from 'hyperdht/testnet.js'
import { openStore } from '#replication'
import { intervalMs, Miner, start } from '../miners.js'
import { median, report } from '../report.js'
import { follow, path, worker } from './place.js'

const host = '127.0.0.1'

/** From the append of each worker to the listener of its reader at a monitor, over encrypted connections of a DHT on loopback. */
export async function latency(workers: number, ticks: number) {
  const testnet = await createTestnet(3, { host })
  const node = () => new HyperDHT({ bootstrap: testnet.bootstrap, host })
  const monitor = node()
  const pairs = await Promise.all(
    Array.from({ length: workers }, async (_, index) => {
      const store = await openStore({ path: path(`writer-${index}`), ...worker, worker: `wm-${index}` })
      const reader = await follow(`reader-${index}`, store, 'live')
      const dht = node()
      const keyPair = HyperDHT.keyPair()
      const server = dht.createServer({ firewall: () => false }, (socket) => {
        socket.on('error', () => undefined)
        store.replicate(socket)
      })
      await server.listen(keyPair)
      const socket = monitor.connect(keyPair.publicKey)
      socket.on('error', () => undefined)
      reader.attach(socket)
      return { store, reader, dht, miner: new Miner(index) }
    }),
  )
  const seen: number[] = []
  for (let tick = 0; tick < ticks; tick++) {
    await Promise.all(
      pairs.map(async ({ store, reader, miner }) => {
        const record = miner.read(start + tick * intervalMs)
        const began = performance.now()
        const heard = new Promise<void>((resolve) => {
          const stop = reader.watch(({ records }) => {
            if (!records.some(({ at }) => at === record.at)) return
            stop()
            resolve()
          })
        })
        await store.append({ at: record.at!, records: [record] })
        await heard
        // The first one waits for the connections.
        if (tick > 0) seen.push(performance.now() - began)
      }),
    )
  }
  for (const { store, reader, dht } of pairs) {
    await reader.close()
    await store.close()
    await dht.destroy({ force: true })
  }
  await monitor.destroy({ force: true })
  await testnet.destroy()
  const sorted = seen.sort((a, b) => a - b)
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
  report('history-latency', { workers, p50Ms: median(sorted) }, { p99Ms: { value: p99, goal: 500 } })
}
