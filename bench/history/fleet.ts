import { fork } from 'node:child_process'
import { createConnection } from 'node:net'
import Hypercore from 'hypercore'
import { silentLog } from '#model'
import { type FeedKeys, fleetView, followFeed } from '#replication'
import { start } from '../miners.js'
import { median, report } from '../report.js'
import { path, until, worker } from './place.js'

const ticksAfter = 20

/** Totals and the first page over a feed that another process writes, as a gateway serves them; its memory after some minutes of ticks. */
export async function fleet(devices: number, seconds: number) {
  const feeder = fork(new URL('../feeder.ts', import.meta.url), [path('fleet'), String(devices), String(seconds)])
  const said = () => new Promise<Record<string, unknown>>((resolve) => feeder.once('message', resolve))
  const { feed, port } = (await said()) as { feed: FeedKeys; port: number }
  const reader = await followFeed({ path: path('fleet-reader'), feed, ...worker, log: silentLog })
  const socket = createConnection(port, '127.0.0.1')
  const stream = Hypercore.createProtocolStream(true)
  for (const each of [stream, socket]) each.on('error', () => undefined)
  socket.pipe(stream).pipe(socket)
  reader.attach(stream)
  let now = start + seconds * 1000
  const clock = { now: () => now, hr: () => performance.now(), after: () => () => {} }
  const view = fleetView({ readers: () => [reader] }, { clock })
  const done = said()
  feeder.send('go')
  await done
  await until(() => reader.records().length === devices && reader.lag().at === start + (seconds - 1) * 1000)
  const ask = () => {
    const began = performance.now()
    view.totals()
    view.devices({ sort: '-hashrateThs', limit: 100 })
    return performance.now() - began
  }
  const firstMs = ask()
  const warm = Array.from({ length: 30 }, ask)
  globalThis.gc?.()
  const { rss, heapUsed, arrayBuffers, external } = process.memoryUsage()
  const afterTick: number[] = []
  for (let tick = 0; tick < ticksAfter; tick++) {
    now = start + (seconds + tick) * 1000
    feeder.send('tick')
    await until(() => reader.lag().at === now)
    afterTick.push(ask())
  }
  view.close()
  await reader.close()
  feeder.disconnect()
  report(
    'history-fleet',
    { devices, seconds, firstMs, heapMb: heapUsed / 1e6, buffersMb: arrayBuffers / 1e6, externalMb: external / 1e6 },
    {
      warmMs: { value: median(warm), goal: 20 },
      afterTickMs: { value: median(afterTick), goal: 20 },
      gatewayMb: { value: rss / 1e6, goal: 300 },
    },
  )
}
