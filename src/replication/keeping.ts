import type Hypercore from 'hypercore'
import type { Clock } from '#model'
import type { Directory } from './directory.js'
import type { Exchange } from './exchange.js'
import { rawName, rawSpan, rollupName } from './layout.js'
import type { Keep } from './types.js'

const weekMs = 7 * 86_400_000
/** Volumes that were only asked for, at most: the one that was not used for longest is forgotten again. */
const maxAsked = 16

interface Parts {
  readonly keep: Keep
  readonly clock: Clock
  readonly exchange: Exchange
  /** A session of the log, closed by whoever asked. */
  readonly open: (name: string) => Hypercore
}

/** Which chunks of somebody else's feed are fetched before anybody asks, and which are forgotten. */
export class Keeping {
  readonly #parts: Parts
  /** Fetched as they grow. */
  readonly #wanted = new Map<string, Hypercore>()
  /** Fetched block by block when asked for; the last used last. */
  readonly #asked = new Map<string, Hypercore>()
  /** Volumes that the writer has dropped and that are wholly here. */
  readonly #whole = new Set<number>()
  #looked = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Brings what is fetched in line with what there is. */
  async follow(directory: Directory): Promise<void> {
    const { keep } = this.#parts
    if (keep === 'live') return
    const names = this.#names(directory)
    for (const name of names) if (!this.#wanted.has(name)) await this.#want(name)
    for (const [name, log] of this.#wanted) {
      if (names.has(name)) continue
      this.#wanted.delete(name)
      if (keep === '7d') await log.clear(0, log.length)
      else if (isWhole(log)) this.#whole.add(volumeOf(name))
      await this.#parts.exchange.drop(name)
    }
    if (keep === 'all' && !this.#looked) await this.#lookBack(directory)
  }

  #names({ progress, spans, logs }: Directory): Set<string> {
    const { keep, clock } = this.#parts
    const from = keep === 'all' ? Number.NEGATIVE_INFINITY : clock.now() - weekMs
    const rawFrom = (progress?.rawFrom ?? 0) * rawSpan
    const names = new Set<string>()
    for (const { segment, to } of spans) {
      if (to < from) continue
      if (segment >= rawFrom) names.add(rawName(segment))
      names.add(rollupName(segment))
    }
    const next = progress?.chunked ?? 0
    for (const name of [rawName(next), rollupName(next)]) if (logs.has(name)) names.add(name)
    return names
  }

  async #want(name: string): Promise<void> {
    await this.#forget(name)
    const log = this.#parts.open(name)
    this.#wanted.set(name, log)
    this.#parts.exchange.add(name, log)
    await log.ready()
    log.download({ start: 0, end: -1 })
  }

  /** After a restart: which of the volumes that the writer has dropped are here. */
  async #lookBack({ progress, logs }: Directory): Promise<void> {
    this.#looked = true
    for (let volume = (progress?.rawFrom ?? 0) - 1; volume >= 0; volume--) {
      const name = rawName(volume * rawSpan)
      if (this.#whole.has(volume) || !logs.has(name)) continue
      const log = this.#parts.open(name)
      await log.ready()
      if (isWhole(log)) this.#whole.add(volume)
      await log.close()
    }
  }

  /** A session of a log to be read, closed by whoever asked: what is not here of it can be fetched meanwhile. */
  opened(name: string): Hypercore {
    if (!this.#wanted.has(name)) {
      const log = this.#asked.get(name) ?? this.#parts.open(name)
      this.#asked.delete(name)
      this.#asked.set(name, log)
      if (!this.#parts.exchange.has(name)) this.#parts.exchange.add(name, log)
      const oldest = this.#asked.keys().next().value
      if (this.#asked.size > maxAsked && oldest !== undefined) this.#forget(oldest).catch(() => undefined)
    }
    return this.#parts.open(name)
  }

  async #forget(name: string): Promise<void> {
    const log = this.#asked.get(name)
    if (!log) return
    this.#asked.delete(name)
    await log.ready()
    if (this.#parts.keep !== 'all') await log.clear(0, log.length)
    await this.#parts.exchange.drop(name)
  }

  /** Whether the chunks of a finished segment can be read instead of its frames. */
  has(segment: number, { spans }: Directory): boolean {
    if (this.#parts.keep === 'live') return true
    const span = spans.find((each) => each.segment === segment)
    if (!span) return true
    const here = (name: string, length = 0) => (this.#wanted.get(name)?.contiguousLength ?? length) >= length
    return here(rawName(segment), span.raw) && here(rollupName(segment), span.rollup)
  }

  /** The first segment whose raw samples can be asked for, where the writer has those from `writers` on. */
  rawFrom(writers: number): number {
    let volume = writers
    while (this.#whole.has(volume - 1)) volume--
    return volume * rawSpan
  }
}

function isWhole({ length, contiguousLength }: Hypercore): boolean {
  return length > 0 && contiguousLength === length
}

function volumeOf(name: string): number {
  return Number(name.slice(name.indexOf('-') + 1))
}
