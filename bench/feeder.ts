// A worker's feed in a process of its own, offered to whoever connects: node feeder.ts <folder> <devices> <seconds>. Says where, then that all is written; goes on for a tick when asked.
import { createServer } from 'node:net'
import Hypercore from 'hypercore'
import { openStore } from '#replication'
import { intervalMs, Miner, start } from './miners.js'

const [path = '', devices = 0, seconds = 0] = process.argv
  .slice(2)
  .map((each, at) => (at === 0 ? each : Number(each))) as [string, number, number]
const store = await openStore({ path, worker: 'wm', site: 'home', intervalMs })
const server = createServer((socket) => {
  const stream = Hypercore.createProtocolStream(false)
  stream.on('error', () => undefined)
  socket.on('error', () => undefined)
  socket.pipe(stream).pipe(socket)
  store.replicate(stream)
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ feed: store.feed, port: typeof address === 'object' ? address?.port : 0 })
})
const miners = Array.from({ length: devices }, (_, index) => new Miner(index))
let second = 0
async function tick(): Promise<void> {
  const at = start + second * 1000
  const records = miners.filter((_, index) => index % 10 === second % 10).map((miner) => miner.read(at))
  second++
  await store.append({ at, records })
}
process.on('message', async (asked) => {
  if (asked === 'tick') return tick()
  while (second < seconds) await tick()
  process.send?.({ done: true })
})
process.once('disconnect', () => process.exit(0))
