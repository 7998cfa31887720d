import type { Duplex } from 'node:stream'
import type Hypercore from 'hypercore'
import type { LogEntry } from './directory.js'
import { Exchange } from './exchange.js'
import { keys, type Main, mainName, putAll, rawName, rawSpan } from './layout.js'

/** The logs of a worker's own feed by name. What a reader may want of them stands in `main` before anything stands in the log. */
export class Logs {
  readonly #open: (name: string) => Hypercore
  readonly #main: Main
  readonly #exchange = new Exchange()
  /** Those that stand in `main`, and of them those that still hold something. */
  readonly #known: Map<string, LogEntry>
  readonly #offered = new Set<string>([mainName])

  constructor(open: (name: string) => Hypercore, main: Main, known: ReadonlyMap<string, LogEntry>) {
    this.#open = open
    this.#main = main
    this.#known = new Map(known)
  }

  /** A session of the log, to be closed by the caller. */
  open(name: string): Hypercore {
    return this.#open(name)
  }

  /** Whether there ever was such a log. */
  knows(name: string): boolean {
    return this.#known.has(name)
  }

  /** The tables of a volume's chunks, the first one first. */
  tablesOf(volume: number): string[] {
    const names: string[] = []
    for (let table = 0; ; table++) {
      const name = rawName(volume * rawSpan, table)
      if (!this.knows(name)) return names
      names.push(name)
    }
  }

  /** Makes the log known to readers and offers it to all that are and will be connected. `after`: how long the journal before it became. */
  async publish(name: string, after?: number): Promise<void> {
    if (!this.#known.has(name)) {
      const log = this.open(name)
      await log.ready()
      const entry: LogEntry = { key: Buffer.from(log.key).toString('hex'), ...(after === undefined ? {} : { after }) }
      await log.close()
      await putAll(this.#main, [[keys.log(name), entry]])
      this.#known.set(name, entry)
    }
    this.#offered.add(name)
    if (this.#exchange.connections > 0) this.#offer(name)
  }

  #offer(name: string): void {
    if (!this.#exchange.has(name)) this.#exchange.add(name, this.open(name))
  }

  /** Empties the log; it is not offered any more. Its space is given back to the disk now, or some time: that costs. */
  async clear(name: string, now = true): Promise<void> {
    this.#offered.delete(name)
    await this.#exchange.drop(name)
    const log = this.open(name)
    await log.ready()
    await log.clear(0, log.length)
    if (now) await log.compact()
    await log.close()
  }

  attach(stream: Duplex): void {
    for (const name of this.#offered) this.#offer(name)
    this.#exchange.attach(stream)
  }

  get connections(): number {
    return this.#exchange.connections
  }

  close(): Promise<void> {
    return this.#exchange.close()
  }
}
