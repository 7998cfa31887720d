import type { Metric } from '#model'
import { fleetView, openStore } from '#replication'
import { encodeChunk } from '../../src/replication/chunk.js'
import { Crowd } from '../../src/replication/crowd.js'
import type { Day } from '../../src/replication/directory.js'
import { keys, putAll } from '../../src/replication/layout.js'
import { atOnce } from '../../src/replication/turns.js'
import { openTable } from '../../src/replication/volumes.js'
import { idOf, Miner, start } from '../miners.js'
import { median, report } from '../report.js'
import { day, handmade, path, worker } from './place.js'

/** Thirty days of what so many devices make together, read at 1 h. What a day of them leaves is made once and stands there for each day. */
export async function group(devices: number, days: number) {
  const first = start - (start % day)
  const miner = new Miner(0)
  const crowd = new Crowd((id) => ({ kind: 'miner', model: 'M50', container: `c${id.length}` }))
  for (let at = first; at < first + day; at += 300_000) {
    const { metrics } = miner.read(at)
    const said = Object.entries(metrics).map(([metric, value]) => ({
      metric: metric as Metric,
      value: value!,
      count: 30,
    }))
    for (let device = 0; device < devices; device++) crowd.addInterval(idOf(device), at, 30, said)
  }
  const tables = atOnce(crowd.tables())
  await handmade('group', async (main, log) => {
    const hours = openTable(log('hours-0'))
    await hours.ready()
    for (let volume = 0; volume < days; volume++) {
      const puts = tables.map(({ name: { by, kind, key }, samples: { at, columns } }): [string, Uint8Array] => [
        keys.crowd(by, kind, key, volume),
        encodeChunk({ at: at.map((time) => time + volume * day), columns }),
      ])
      await putAll(hours, puts)
      const bytes = { raw: 0, '1m': 0, '5m': 0, '1h': 0 }
      const from = first + volume * day
      const entry: Day = { volume, from, to: from + day - 1, devices, bytes, hours: hours.core.length }
      await putAll(main, [[keys.day(volume), entry]])
    }
    await putAll(main, [[keys.log('hours-0'), { key: Buffer.from(hours.core.key).toString('hex') }]])
    await hours.close()
  })
  const store = await openStore({ path: path('group'), ...worker })
  const view = fleetView({ readers: () => [store] })
  const times: number[] = []
  const cpu: number[] = []
  for (let round = 0; round < 7; round++) {
    const used = process.cpuUsage()
    const began = performance.now()
    const query = { metrics: ['hashrateThs'] as const, from: first, to: first + days * day, step: '1h' as const }
    const [all] = await view.groupHistory(query)
    times.push(performance.now() - began)
    const { user, system } = process.cpuUsage(used)
    cpu.push((user + system) / 1000)
    const known = all?.series.series.hashrateThs?.filter((value) => value !== null).length
    if (known !== days * 24) throw new Error(`only ${known} hours are there`)
  }
  view.close()
  await store.close()
  report(
    'history-group',
    { devices, days, firstMs: times[0]!, cpuMs: median(cpu) },
    { hoursMs: { value: median(times), goal: 150 } },
  )
}
