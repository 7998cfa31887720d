import { care, chunkOf, encoding } from './chunk.js'
import type { SegmentSpan } from './directory.js'
import { keys, type Main, putAll, rawName } from './layout.js'
import type { Logs } from './logs.js'
import type { Segment } from './segment.js'
import { Turns } from './turns.js'
import type { Volumes } from './volumes.js'

/** A table takes so many entries in one go: others wait for it. */
const devicesPerBatch = 50

/** A put that waits. */
type Put = [key: string, value: unknown]

/**
 * Moves one finished segment of the journal into the tables, a little at a time. Every key is given by what is stored and where it stood in
 * the journal, so that a kill at any moment costs only the work: it is done again from the journal and writes the same. Until the store
 * notes that the segment is done, readers take it from memory and from tables, whichever has it, and know what is the same.
 */
export class Fold {
  readonly segment: Segment
  /** Which one of its volume the chunks go into. */
  readonly table: number
  readonly #volumes: Volumes
  readonly #logs: Logs
  readonly #main: Main
  readonly #devices: string[]
  readonly #puts: Put[]
  readonly #devicesPerStep: number
  readonly #putsPerStep: number
  readonly packed = { packedSamples: 0, rawBytes: 0 }
  readonly #turns = new Turns()
  #crowded = false

  /** Takes about `steps` steps, or more if there is so little to do in each that `least` things are done at once. */
  constructor(
    parts: { volumes: Volumes; logs: Logs; main: Main },
    segment: Segment,
    { table, steps, least }: { table: number; steps: number; least: number },
  ) {
    this.table = table
    this.#volumes = parts.volumes
    this.#logs = parts.logs
    this.#main = parts.main
    this.segment = segment
    this.#devices = [...segment.streams.keys()].sort().reverse()
    this.#puts = putsOf(segment).reverse()
    this.#devicesPerStep = Math.max(least, Math.ceil(this.#devices.length / steps))
    this.#putsPerStep = Math.max(least, Math.ceil(this.#puts.length / steps))
  }

  get done(): boolean {
    return !this.packing && this.#puts.length === 0
  }

  /** It writes into the table of chunks. */
  get packing(): boolean {
    return this.#devices.length > 0 || !this.#crowded
  }

  get #name(): string {
    return rawName(this.segment.number, this.table)
  }

  async step(): Promise<void> {
    if (this.#devices.length > 0) {
      const ids = this.#devices.slice(-this.#devicesPerStep).reverse()
      for (let from = 0; from < ids.length; from += devicesPerBatch)
        await this.#chunk(ids.slice(from, from + devicesPerBatch))
      return
    }
    if (!this.#crowded) return this.#crowd()
    const puts = this.#puts.slice(-this.#putsPerStep).reverse()
    await putAll(this.#main, puts)
    this.#puts.length -= puts.length
  }

  /** The chunks of these devices; their samples leave the memory. */
  async #chunk(ids: readonly string[]): Promise<void> {
    const { number, streams } = this.segment
    const raw: [string, Uint8Array][] = []
    for (const id of ids) {
      raw.push([keys.chunk(id, number), chunkOf(streams.get(id)!)])
      await this.#turns.next()
    }
    await this.#logs.publish(this.#name)
    await this.#volumes.with(this.#name, (volume) => putAll(volume, raw))
    for (const [index, id] of ids.entries()) {
      this.packed.packedSamples += streams.get(id)!.count
      this.packed.rawBytes += raw[index]![1].length
      streams.delete(id)
    }
    this.#devices.length -= ids.length
  }

  async #crowd(): Promise<void> {
    const { number, crowd, samples } = this.segment
    const puts: [string, Uint8Array][] = []
    for (const { name, samples } of await this.#turns.all(crowd.tables())) {
      puts.push([
        keys.crowd(name.by, name.kind, name.key, number),
        await this.#turns.all(encoding(samples, care.quick)),
      ])
    }
    if (samples > 0) await this.#volumes.with(this.#name, (volume) => putAll(volume, puts))
    this.#crowded = true
  }

  /** Which times the segment covers, and where its chunks go. */
  get place(): SegmentSpan {
    const { number, from, to } = this.segment
    return { segment: number, from, to, ...(this.table > 0 && { table: this.table }) }
  }

  /** Of the finished segment. */
  async span(): Promise<SegmentSpan> {
    const raw = await this.#volumes.with(this.#name, async ({ core }) => core.length)
    return { ...this.place, raw }
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
