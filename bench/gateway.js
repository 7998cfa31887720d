// What a gateway is of a feed, in a process of its own, as built: node gateway.js <folder>. Told where a feed is, it follows it; asked, it says how
// long the newest tick took to be seen, how quickly it answers, and what memory it has.
import { createConnection } from 'node:net'
import Hypercore from 'hypercore'
import { fleetView, followFeed } from '#replication'

const [path] = process.argv.slice(2)
let now = 0
const clock = { now: () => now, hr: () => performance.now(), after: () => () => {} }
let reader
let view

function ask() {
  const began = performance.now()
  view.totals()
  view.devices({ sort: '-hashrateThs', limit: 100 })
  return performance.now() - began
}

async function follow({ feed, port, worker }) {
  reader = await followFeed({ path, feed, ...worker })
  const socket = createConnection(port, '127.0.0.1')
  const stream = Hypercore.createProtocolStream(true)
  for (const each of [stream, socket]) each.on('error', () => undefined)
  socket.pipe(stream).pipe(socket)
  reader.attach(stream)
  view = fleetView({ readers: () => [reader] }, { clock })
}

/** Resolves when the tick of this moment is here, of so many devices. */
async function seen({ at, devices }) {
  while (reader.records().length < devices || (reader.lag().at ?? 0) < at)
    await new Promise((resolve) => setTimeout(resolve, 5))
  now = at
}

const answers = {
  follow,
  seen,
  ask: () => ask(),
  async memory() {
    // What was collected is given back a moment later, by another thread.
    for (let round = 0; round < 2; round++) {
      globalThis.gc?.()
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    return process.memoryUsage()
  },
}

process.on('message', async ([what, told]) => {
  process.send([what, (await answers[what](told)) ?? null])
})
process.once('disconnect', () => process.exit(0))
