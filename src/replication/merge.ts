import type Hypercore from 'hypercore'
import { type Log, SdkError } from '#model'
import { care, encoding, ordered, readChunk, type Samples } from './chunk.js'
import type { Chunks } from './chunks.js'
import { Crowd, type Member } from './crowd.js'
import type { Day, SegmentSpan } from './directory.js'
import { keys, putAll, type Tier, tierName } from './layout.js'
import type { Logs } from './logs.js'
import { Intervals, metricsOf } from './rollup.js'
import { entryIn, entryOf, listOf } from './sorted.js'
import type { Table } from './table.js'
import { Turns } from './turns.js'
import { stepMs } from './types.js'
import type { Volumes } from './volumes.js'

const inLogs = ['raw', '1m', '5m'] as const
const everything = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }

interface Parts {
  readonly volumes: Volumes
  readonly logs: Logs
  readonly log: Log
  readonly memberOf: (id: string) => Member | undefined
}

/**
 * Puts the chunks of a full volume together: of each device one chunk of all its samples, and its roll-ups. Works a device at a time, while
 * others go on. All that is written follows from the volume alone and comes in the order of the devices: after a kill it goes on behind
 * the last entry that is there. Until the store notes that the day is done, it is read from the volume.
 */
export class Merge {
  readonly volume: number
  readonly #parts: Parts
  readonly #spans: readonly SegmentSpan[]
  readonly #chunks: Chunks
  readonly #cores = new Map<Tier, Hypercore>()
  readonly #ids: string[] = []
  readonly #turns = new Turns()
  #crowd: Crowd | undefined
  #hours = 0
  #listed = false
  #damaged = 0

  constructor(parts: Parts, volume: number, spans: readonly SegmentSpan[], chunks: Chunks) {
    this.#parts = parts
    this.volume = volume
    this.#spans = spans
    this.#chunks = chunks
  }

  /** Chunks that could not be read. */
  get damaged(): number {
    return this.#damaged + this.#chunks.lost
  }

  /** The next device; false when there was none left. */
  async step(): Promise<boolean> {
    if (this.#spans.length === 0 || this.#listed) return false
    await this.#open()
    const id = await this.#chunks.next(this.#ids)
    if (id === undefined) {
      await this.#storeCrowds()
      await this.#list()
      this.#listed = true
      return false
    }
    const place = this.#ids.push(id) - 1
    await this.#check(id, place)
    // Hours are written last: with them all of the device is there.
    if (inLogs.every((tier) => this.#cores.get(tier)!.length > place + 1)) {
      await this.#recall(id, place)
      return true
    }
    const samples = await this.#samplesOf(id)
    await this.#add('raw', id, place, samples)
    const metrics = metricsOf(samples.columns.map(({ name }) => name))
    const minutes = new Intervals(metrics, stepMs['1m'])
    for (const [index, metric] of metrics.entries()) {
      const { values } = samples.columns.find(({ name }) => name === metric)!
      for (let row = 0; row < values.length; row++) minutes.add(samples.at[row]!, index, values[row]!)
      await this.#turns.next()
    }
    await this.#add('1m', id, place, minutes.tier())
    const fives = this.#longer(minutes, stepMs['5m'])
    await this.#add('5m', id, place, fives.tier())
    this.#gather(id, fives)
    const hours = await this.#turns.all(encoding(this.#longer(fives, stepMs['1h']).tier(), care.some))
    const name = tierName('1h', this.volume)
    await this.#parts.volumes.with(name, (table) => putAll(table, [[keys.chunk(id, this.volume), hours]]))
    this.#hours += hours.length
    return true
  }

  /** A device that was done, and of which nothing can be read any more, would leave all others in the wrong place. */
  async #check(id: string, place: number): Promise<void> {
    const block = await this.#entry('raw', place)
    if (block && entryIn(block).id !== id)
      throw new SdkError('STORE_FAILED', `what was done of ${id} is of another device`)
  }

  async #entry(tier: (typeof inLogs)[number], place: number): Promise<Uint8Array | null> {
    const core = this.#cores.get(tier)!
    return core.length > place ? core.get(place, { wait: false }) : null
  }

  /** What a device adds to its groups. */
  #gather(id: string, fives: Intervals): void {
    this.#crowd ??= new Crowd(this.#parts.memberOf)
    for (const start of fives.starts) {
      const said = fives.metrics.flatMap((metric, index) => {
        const digest = fives.digest(start, index)
        return digest ? [{ metric, value: fives.value(start, index)!, count: digest.count }] : []
      })
      this.#crowd.addInterval(id, start, Math.max(0, ...said.map(({ count }) => count)), said)
    }
  }

  /** The same of one that was done before a restart. */
  async #recall(id: string, place: number): Promise<void> {
    const block = await this.#entry('5m', place)
    if (!block) return
    const table = readChunk(entryIn(block).bytes)
    const fives = new Intervals(metricsOf(table.columns.keys()), stepMs['5m'])
    fives.mergeTier(table, everything.from, everything.to)
    this.#gather(id, fives)
    await this.#turns.next()
  }

  async #storeCrowds(): Promise<void> {
    const puts: [string, Uint8Array][] = []
    const tables = this.#crowd ? await this.#turns.all(this.#crowd.tables()) : []
    for (const { name, samples } of tables) {
      const key = keys.crowd(name.by, name.kind, name.key, this.volume)
      puts.push([key, await this.#turns.all(encoding(samples, care.some))])
    }
    await this.#parts.volumes.with(tierName('1h', this.volume), (table) => putAll(table, puts))
  }

  #longer(from: Intervals, step: number): Intervals {
    const longer = new Intervals(from.metrics, step)
    const { at, columns } = from.tier()
    longer.mergeTier(tableOf({ at, columns }), everything.from, everything.to)
    return longer
  }

  async #open(): Promise<void> {
    if (this.#cores.size > 0) return
    const { logs } = this.#parts
    await logs.publish(tierName('1h', this.volume))
    for (const tier of inLogs) {
      await logs.publish(tierName(tier, this.volume))
      const core = logs.open(tierName(tier, this.volume))
      await core.ready()
      this.#cores.set(tier, core)
    }
  }

  /** All samples of a device in the volume. */
  async #samplesOf(id: string): Promise<Samples> {
    const tables: Table[] = []
    for await (const { key, value } of this.#chunks.of(id)) {
      try {
        tables.push(readChunk(value))
      } catch (error) {
        this.#damaged++
        this.#parts.log.error({ chunk: key, err: error }, 'samples of a device cannot be read and are left out')
      }
      await this.#turns.next()
    }
    return ordered(together(tables))
  }

  async #add(tier: (typeof inLogs)[number], id: string, place: number, samples: Samples): Promise<void> {
    const core = this.#cores.get(tier)!
    if (core.length > place) return
    await core.append(entryOf(id, await this.#turns.all(encoding(samples, tier === 'raw' ? care.most : care.some))))
    await this.#turns.next()
  }

  async #list(): Promise<void> {
    const list = listOf(this.#ids)
    for (const tier of inLogs) {
      const core = this.#cores.get(tier)!
      if (core.length === this.#ids.length) await core.append(list)
      else if (core.length !== this.#ids.length + 1)
        throw new SdkError('STORE_FAILED', 'more devices were done than can be read')
    }
  }

  /** Of the volume whose devices are all done. */
  async day(): Promise<Day> {
    const { volume } = this
    const bytes = { raw: 0, '1m': 0, '5m': 0, '1h': this.#hours }
    for (const tier of inLogs) bytes[tier] = this.#cores.get(tier)?.byteLength ?? 0
    const none = this.#spans.length === 0
    return {
      volume,
      from: Math.min(...this.#spans.map(({ from }) => from)),
      to: Math.max(...this.#spans.map(({ to }) => to)),
      ...(none && { from: 0, to: 0 }),
      devices: this.#ids.length,
      bytes,
      ...(this.#chunks.lost > 0 && { lost: this.#chunks.lost }),
      hours: none ? 0 : await this.#parts.volumes.with(tierName('1h', volume), async ({ core }) => core.length),
    }
  }

  async close(): Promise<void> {
    for (const core of this.#cores.values()) await core.close()
    this.#cores.clear()
  }
}

function tableOf({ at, columns }: Samples): Table {
  return {
    rows: at.length,
    columns: new Map([['#at', at], ...columns.map(({ name, values }) => [name, values] as const)]),
  }
}

/** One after the other; what a table does not have is unknown. The order of the columns is that of the first. */
function together(tables: readonly Table[]): Samples {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  const all = new Map<string, Float64Array>()
  let from = 0
  for (const table of tables) {
    for (const [name, values] of table.columns) {
      let column = all.get(name)
      if (!column) {
        column = new Float64Array(rows).fill(Number.NaN)
        all.set(name, column)
      }
      column.set(values, from)
    }
    from += table.rows
  }
  const at = all.get('#at') ?? new Float64Array(0)
  all.delete('#at')
  return { at, columns: [...all].map(([name, values]) => ({ name, values })) }
}
