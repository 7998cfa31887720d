import Hypercore from 'hypercore'
import type { Reader } from '#replication'
import { idOf, intervalMs, start } from '../miners.js'
import { median, report } from '../report.js'
import { aDay, connect, cpuUs, day, follow, until } from './place.js'

/** A day of some devices at 10 s: each is read by its store, and by a reader that has nothing of it yet. */
export async function cold() {
  const { store, devices } = await aDay()
  const read = async (reader: Reader, device: number) => {
    const before = cpuUs()
    const began = performance.now()
    const { at } = await reader.history({
      deviceId: idOf(device),
      metrics: ['hashrateThs', 'powerW', 'chipTempMaxC'],
      from: start,
      to: start + day,
      step: 'raw',
    })
    const ms = performance.now() - began
    if (at.length < day / intervalMs) throw new Error(`only ${at.length} samples are there`)
    return { ms, cpuMs: (cpuUs() - before) / 1000 }
  }
  const local: { ms: number; cpuMs: number }[] = []
  for (let device = 0; device < devices; device++) local.push(await read(store, device))
  const reader = await follow('cold-reader', store, 'live')
  connect(store, reader)
  await until(() => reader.records().length === devices && reader.lag().behind === 0)
  const first = await read(reader, 0)
  const { get } = Hypercore.prototype
  let blocks = 0
  Hypercore.prototype.get = function (...args: Parameters<typeof get>) {
    blocks++
    return get.apply(this, args)
  }
  await read(reader, 1)
  Hypercore.prototype.get = get
  const remote: number[] = []
  for (let device = 2; device < devices; device++) remote.push((await read(reader, device)).ms)
  await reader.close()
  report(
    'history-cold',
    { firstRemoteMs: first.ms, firstLocalMs: local[0]!.ms, localCpuMs: median(local.map(({ cpuMs }) => cpuMs)) },
    {
      remoteDayMs: { value: median(remote), goal: 50 },
      localDayMs: { value: median(local.map(({ ms }) => ms)), goal: 20 },
      blocks: { value: blocks, goal: 10 },
    },
  )
}
