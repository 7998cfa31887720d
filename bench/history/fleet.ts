import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { FeedKeys } from '#replication'
import { start } from '../miners.js'
import { median, report } from '../report.js'
import { path, worker } from './place.js'

const ticksAfter = 60

/** Totals and the first page over a feed that another process writes, as a gateway serves them; its memory after some minutes of ticks. */
export async function fleet(devices: number, seconds: number) {
  const feeder = fork(new URL('../feeder.ts', import.meta.url), [path('fleet'), String(devices), String(seconds)])
  const { feed, port } = (await answerOf(feeder)) as { feed: FeedKeys; port: number }
  const gateway = fork(new URL('../gateway.js', import.meta.url), [path('fleet-reader')], { execArgv: ['--expose-gc'] })
  const ask = async <T>(what: string, told?: unknown): Promise<T> => {
    gateway.send([what, told ?? null])
    return ((await answerOf(gateway)) as [string, T])[1]
  }
  await ask('follow', { feed, port, worker })
  feeder.send('go')
  await answerOf(feeder)
  await ask('seen', { at: start + (seconds - 1) * 1000, devices })
  const firstMs = await ask<number>('ask')
  const warm: number[] = []
  for (let round = 0; round < 30; round++) warm.push(await ask<number>('ask'))
  const { rss, heapUsed, arrayBuffers } = await ask<NodeJS.MemoryUsage>('memory')
  const afterTick: number[] = []
  for (let tick = 0; tick < ticksAfter; tick++) {
    feeder.send('tick')
    await ask('seen', { at: start + (seconds + tick) * 1000, devices })
    afterTick.push(await ask<number>('ask'))
  }
  feeder.disconnect()
  gateway.disconnect()
  report(
    'history-fleet',
    { devices, seconds, firstMs, heapMb: heapUsed / 1e6, buffersMb: arrayBuffers / 1e6 },
    {
      warmMs: { value: median(warm), goal: 20 },
      afterTickMs: { value: median(afterTick), goal: 20 },
      gatewayMb: { value: rss / 1e6, goal: 300 },
    },
  )
}

function answerOf(child: ChildProcess): Promise<unknown> {
  return once(child, 'message', { signal: AbortSignal.timeout(120_000) }).then(([said]) => said)
}
