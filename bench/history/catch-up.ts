import type Hypercore from 'hypercore'
import { silentLog } from '#model'
import { followFeed, openStore } from '#replication'
import { care, encodeChunk, type Samples } from '../../src/replication/chunk.js'
import { openCores } from '../../src/replication/cores.js'
import type { Day } from '../../src/replication/directory.js'
import { keys, putAll, tierName } from '../../src/replication/layout.js'
import { Intervals, metricsOf } from '../../src/replication/rollup.js'
import { rowOf } from '../../src/replication/shape.js'
import { entryOf, listOf } from '../../src/replication/sorted.js'
import { openTable } from '../../src/replication/volumes.js'
import { idOf, intervalMs, Miner, start } from '../miners.js'
import { report } from '../report.js'
import { connect, day, handmade, path, perDay, pipes, until, worker } from './place.js'

const inLogs = ['raw', '1m', '5m'] as const

/**
 * A whole day of so many devices, put together, to a monitor that is new and keeps all; against bare logs with the same blocks. The days of a
 * few miners stand there for all.
 */
export async function catchUp(devices: number) {
  const few = Array.from({ length: 3 }, (_, index) => dayOf(new Miner(index)))
  const of = (device: number) => few[device % few.length]!
  const ids = Array.from({ length: devices }, (_, device) => idOf(device)).sort()
  const logs = inLogs.map((tier) => [...ids.map((id, device) => entryOf(id, of(device)[tier])), listOf(ids)])
  const written = await write(devices, ids, logs, (device) => of(device)['1h'])
  const store = await openStore({ path: path('catch-up'), ...worker })
  const cores = await openCores(path('catch-up-reader'), silentLog)
  const copies = written.map(({ key, length }) => ({ copy: cores.get({ key }), length }))
  for (const { copy } of copies) await copy.ready()
  const here = () => copies.every(({ copy, length }) => copy.contiguousLength === length)
  const reader = await followFeed({ cores, feed: store.feed, ...worker, keep: 'all', log: silentLog })
  const began = performance.now()
  connect(store, reader)
  await until(here)
  const took = (performance.now() - began) / 1000
  await reader.close()
  await cores.close()
  await store.close()
  const mb = logs.flat().reduce((sum, { length }) => sum + length, 0) / 1e6
  const bareS = await bareCatchUp(logs)
  report('history-catch-up', { devices, mb, mbPerS: mb / took, bareMbPerS: mb / bareS, overBare: took / bareS })
}

/** The feed of a day that is put together. Answers which logs hold it, and how long they are. */
async function write(
  devices: number,
  ids: readonly string[],
  logs: readonly Uint8Array[][],
  hoursOf: (device: number) => Uint8Array,
): Promise<{ key: Uint8Array; length: number }[]> {
  const written: { key: Uint8Array; length: number }[] = []
  await handmade('catch-up', async (main, log) => {
    const publish = async (name: string, core: Hypercore) => {
      await putAll(main, [[keys.log(name), { key: Buffer.from(core.key).toString('hex') }]])
      written.push({ key: core.key, length: core.length })
      await core.close()
    }
    for (const [place, tier] of inLogs.entries()) {
      const core = log(tierName(tier, 0))
      await core.ready()
      await core.append(logs[place]!)
      await publish(tierName(tier, 0), core)
    }
    const hours = openTable(log('hours-0'))
    await hours.ready()
    await putAll(
      hours,
      ids.map((id, device): [string, Uint8Array] => [keys.chunk(id, 0), hoursOf(device)]),
    )
    const bytes = { raw: 0, '1m': 0, '5m': 0, '1h': 0 }
    const entry: Day = { volume: 0, from: start, to: start + day, devices, bytes, hours: hours.core.length }
    await publish('hours-0', hours.core)
    await putAll(main, [
      [keys.day(0), entry],
      [keys.volume(0), [{ segment: 0, from: start, to: start + day }]],
    ])
  })
  return written
}

/** The chunks of all tiers of a miner's day. */
function dayOf(miner: Miner): Record<'raw' | '1m' | '5m' | '1h', Uint8Array> {
  const rows = Array.from({ length: perDay }, (_, index) => {
    const record = miner.read(start + index * intervalMs)
    return { at: record.at!, row: rowOf(record) }
  })
  const { names } = rows[0]!.row.shape
  const samples: Samples = {
    at: Float64Array.from(rows, ({ at }) => at),
    columns: names.map((name, place) => ({ name, values: Float64Array.from(rows, ({ row }) => row.values[place]!) })),
  }
  const metrics = metricsOf(names)
  const tier = (step: number) => {
    const intervals = new Intervals(metrics, step)
    const columns = new Map([
      ['#at', samples.at],
      ...samples.columns.map(({ name, values }) => [name, values] as const),
    ])
    intervals.addTable({ rows: perDay, columns }, start, start + day)
    return encodeChunk(intervals.tier(), care.some)
  }
  return { raw: encodeChunk(samples), '1m': tier(60_000), '5m': tier(300_000), '1h': tier(3_600_000) }
}

/** Bare logs with the same blocks, from one store to another over one connection, s. */
async function bareCatchUp(logs: readonly Uint8Array[][]): Promise<number> {
  const [from, to] = [await openCores(path('bare-from'), silentLog), await openCores(path('bare-to'), silentLog)]
  const pairs: Record<'log' | 'copy', Hypercore>[] = []
  for (const [index, blocks] of logs.entries()) {
    const log = from.get({ name: `log-${index}` })
    await log.ready()
    await log.append(blocks)
    const copy = to.get({ key: log.key })
    await copy.ready()
    pairs.push({ log, copy })
  }
  const began = performance.now()
  const [one, other] = pipes()
  for (const { log, copy } of pairs) {
    log.replicate(one)
    copy.replicate(other)
    copy.download({ start: 0, end: -1 })
  }
  await until(() => pairs.every(({ log, copy }) => copy.contiguousLength === log.length))
  const took = (performance.now() - began) / 1000
  await from.close()
  await to.close()
  return took
}
