import { chunkOf } from './chunk.js'
import { keys, type Main, rawName, rollupName } from './layout.js'
import type { Segment } from './segment.js'
import type { Volumes } from './volumes.js'

/** Which times a chunked segment covers, ms. */
export interface Span {
  readonly segment: number
  readonly from: number
  readonly to: number
}

/** Packing a chunk takes about half a millisecond: after so many, others come first. */
const chunksAtOnce = 8

function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** A put that waits. */
type Put = [key: string, value: unknown]

/**
 * Moves one finished segment of the journal into the tables, a little at a time. Every key is given by what is stored and where it stood in
 * the journal, so that a kill at any moment costs only the work: it is done again from the journal and writes the same. Until the store
 * notes that the segment is done, readers take it from memory and from tables, whichever has it, and know what is the same.
 */
export class Fold {
  readonly segment: Segment
  readonly #volumes: Volumes
  readonly #main: Main
  readonly #devices: string[]
  readonly #puts: Put[]
  readonly #devicesPerStep: number
  readonly #putsPerStep: number
  readonly packed = { packedSamples: 0, rawBytes: 0, rollupBytes: 0 }

  /** Takes about `steps` steps, or more if there is so little to do in each that `least` things are done at once. */
  constructor(volumes: Volumes, main: Main, segment: Segment, { steps, least }: { steps: number; least: number }) {
    this.#volumes = volumes
    this.#main = main
    this.segment = segment
    this.#devices = [...segment.streams.keys()].sort().reverse()
    this.#puts = putsOf(segment).reverse()
    this.#devicesPerStep = Math.max(least, Math.ceil(this.#devices.length / steps))
    this.#putsPerStep = Math.max(least, Math.ceil(this.#puts.length / steps))
  }

  get done(): boolean {
    return this.#devices.length === 0 && this.#puts.length === 0
  }

  async step(): Promise<void> {
    if (this.#devices.length > 0) return this.#chunk(this.#devices.slice(-this.#devicesPerStep).reverse())
    const puts = this.#puts.slice(-this.#putsPerStep).reverse()
    await putAll(this.#main, puts)
    this.#puts.length -= puts.length
  }

  /** The chunks of these devices; their samples leave the memory. */
  async #chunk(ids: readonly string[]): Promise<void> {
    const { number, streams } = this.segment
    const raw: [string, Uint8Array][] = []
    const rollups: [string, Uint8Array][] = []
    for (const [index, id] of ids.entries()) {
      const chunk = chunkOf(streams.get(id)!)
      raw.push([keys.chunk(id, number), chunk.raw])
      rollups.push([keys.chunk(id, number), chunk.rollup])
      if (index % chunksAtOnce === chunksAtOnce - 1) await othersTurn()
    }
    await this.#volumes.with(rawName(number), (volume) => putAll(volume, raw))
    await this.#volumes.with(rollupName(number), (volume) => putAll(volume, rollups))
    for (const [index, id] of ids.entries()) {
      this.packed.packedSamples += streams.get(id)!.count
      this.packed.rawBytes += raw[index]![1].length
      this.packed.rollupBytes += rollups[index]![1].length
      streams.delete(id)
    }
    this.#devices.length -= ids.length
  }
}

function putsOf({ events, settings }: Segment): Put[] {
  return [
    ...events.flatMap(({ origin, value }): Put[] =>
      value.deviceId === undefined
        ? [[keys.event(value.at, origin), value]]
        : [
            [keys.event(value.at, origin), value],
            [keys.deviceEvent(value.deviceId, value.at, origin), value],
          ],
    ),
    ...settings.map(({ origin, value }): Put => {
      return [keys.setting(value.deviceId, value.at, origin), { at: value.at, settings: value.settings }]
    }),
  ]
}

interface Table<V> {
  batch(): {
    put(key: string, value: V): Promise<void>
    del(key: string): Promise<void>
    flush(): Promise<void>
    close(): Promise<void>
  }
}

/** Writes all of it or, if it throws, nothing. */
export async function putAll<V>(
  table: Table<V>,
  puts: Iterable<readonly [string, V]>,
  deleted: Iterable<string> = [],
): Promise<void> {
  const batch = table.batch()
  try {
    for (const [key, value] of puts) await batch.put(key, value)
    for (const key of deleted) await batch.del(key)
    await batch.flush()
  } catch (error) {
    await batch.close()
    throw error
  }
}
