import { openStore } from '#replication'
import { floorBits } from '../entropy.js'
import { Miner } from '../miners.js'
import { report } from '../report.js'
import { aDay, kbADay, path, seconds, worker } from './place.js'

/** Frames of some devices; then a day of a few, until it is put together. */
export async function size(devices: number, hours: number) {
  const store = await openStore({ path: path('size'), ...worker })
  for (const tick of seconds(devices, hours * 3600)) await store.append(tick)
  const { samples = 0, frameBytes = 0 } = store.stats()
  await store.close()
  const merged = await aDay()
  const { rawDayBytes = 0, minuteBytes = 0, fiveMinuteBytes = 0, hourBytes = 0, rawBytes = 0 } = merged.store.stats()
  const floor = floorBits(
    Array.from({ length: merged.devices }, (_, index) => new Miner(index)),
    2000,
  )
  const kb = (bytes: number) => bytes / merged.devices / 1000
  report(
    'history-size',
    {
      devices,
      columns: floor.columns,
      floorKbADay: kbADay(floor.bits / 8),
      framesFloorKbADay: kbADay(floor.framesBits / 8),
      bytesASampleInFrames: frameBytes / samples,
      hourlyChunksKbADay: (kb(rawBytes) * 24) / 25,
      kbADay1m: kb(minuteBytes),
      kbADay5m: kb(fiveMinuteBytes),
      kbADay1h: kb(hourBytes),
      chunksOverFloor: kb(rawDayBytes) / kbADay(floor.bits / 8),
    },
    {
      framesKbADay: { value: kbADay(frameBytes / samples), goal: 150 },
      chunksKbADay: { value: kb(rawDayBytes), goal: 60 },
    },
  )
}
