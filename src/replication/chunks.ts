import type { Log } from '#model'
import type { SegmentSpan } from './directory.js'
import { keys, rawName, rawSpan } from './layout.js'
import { Turns } from './turns.js'
import type { Volumes } from './volumes.js'

interface Chunk {
  readonly key: string
  readonly value: Uint8Array
}

/** The chunks of a full volume, device by device in the order of their keys. */
export interface Chunks {
  /** The device after those that are done; undefined without one. */
  next(done: readonly string[]): Promise<string | undefined>
  /** Of one device, a segment after the other. */
  of(id: string): AsyncIterable<Chunk>
  /** Blocks that could not be read. */
  readonly lost: number
}

/** By the tree of their table. Throws for a block that is not there or damaged. */
export class TableChunks implements Chunks {
  readonly #volumes: Volumes
  readonly #first: number
  readonly #name: string
  readonly lost = 0

  constructor(volumes: Volumes, volume: number) {
    this.#volumes = volumes
    this.#first = volume * rawSpan
    this.#name = rawName(this.#first)
  }

  next(done: readonly string[]): Promise<string | undefined> {
    const last = done.at(-1)
    return this.#volumes.with(this.#name, async (table) => {
      const range = last === undefined ? {} : { gt: keys.afterChunks(last) }
      for await (const { key } of table.createReadStream(range, { limit: 1, wait: false }))
        if (!key.startsWith(keys.crowds)) return keys.deviceOf(key)
      // Groups stand in the middle of the devices.
      const behind = { gt: `${keys.crowds}\u{10ffff}` }
      if (last !== undefined && keys.chunk(last, 0) > keys.crowds) return undefined
      for await (const { key } of table.createReadStream(behind, { limit: 1, wait: false })) return keys.deviceOf(key)
      return undefined
    })
  }

  async *of(id: string): AsyncIterable<Chunk> {
    const range = { gte: keys.chunk(id, this.#first), lt: keys.chunk(id, this.#first + rawSpan) }
    const found = await this.#volumes.with(this.#name, async (table) => {
      const chunks: Chunk[] = []
      for await (const { key, value } of table.createReadStream(range, { wait: false })) chunks.push({ key, value })
      return chunks
    })
    yield* found
  }
}

/** So many blocks are read before the table is opened anew, for its cache keeps all of them. */
const blocksAtOnce = 500

/** Block by block, without the tree, that cannot be walked where a block of it is gone: what can be read, and how much cannot. */
export class SalvagedChunks implements Chunks {
  readonly #volumes: Volumes
  readonly #log: Log
  readonly #spans: ReadonlyMap<number, SegmentSpan>
  /** Of each device, in which block the chunk of a segment stands. */
  readonly #places = new Map<string, Map<number, number>>()
  readonly #turns = new Turns()
  #ids: string[] | undefined
  lost = 0

  constructor(volumes: Volumes, spans: readonly SegmentSpan[], log: Log) {
    this.#volumes = volumes
    this.#log = log
    this.#spans = new Map(spans.map((span) => [span.segment, span]))
  }

  async next(done: readonly string[]): Promise<string | undefined> {
    this.#ids ??= await this.#find()
    return this.#ids[done.length]
  }

  async *of(id: string): AsyncIterable<Chunk> {
    for (const [segment, seq] of [...(this.#places.get(id) ?? [])].sort(([a], [b]) => a - b)) {
      const name = nameOf(this.#spans.get(segment)!)
      const chunk = await this.#volumes.with(name, (table) => table.getBySeq(seq, { wait: false }))
      if (chunk.value) yield { key: chunk.key, value: chunk.value }
    }
  }

  async #find(): Promise<string[]> {
    for (const name of new Set([...this.#spans.values()].map(nameOf))) {
      const length = await this.#volumes.with(name, async ({ core }) => core.length)
      for (let from = 1; from < length; from += blocksAtOnce)
        await this.#look(name, from, Math.min(length, from + blocksAtOnce))
    }
    return [...this.#places.keys()].sort((a, b) => (keys.chunk(a, 0) < keys.chunk(b, 0) ? -1 : 1))
  }

  async #look(name: string, from: number, to: number): Promise<void> {
    await this.#volumes.with(name, async (table) => {
      for (let seq = from; seq < to; seq++) {
        try {
          const { key } = await table.getBySeq(seq, { wait: false })
          if (!key.startsWith(keys.crowds)) this.#note(name, keys.deviceOf(key), Number(key.slice(-9)), seq)
        } catch (error) {
          this.lost++
          this.#log.debug({ table: name, block: seq, err: error }, 'a block of history cannot be read and is left out')
        }
        await this.#turns.next()
      }
    })
  }

  /** The last one counts. One that was begun in a table before the segment went on in another says less than that. */
  #note(name: string, id: string, segment: number, seq: number): void {
    const span = this.#spans.get(segment)
    if (!span || nameOf(span) !== name) return
    const places = this.#places.get(id) ?? new Map<number, number>()
    this.#places.set(id, places.set(segment, seq))
  }
}

function nameOf({ segment, table }: SegmentSpan): string {
  return rawName(segment, table)
}
