import type Hypercore from 'hypercore'
import type { Clock } from '#model'
import { type Day, type Directory, keptFrom, type Progress } from './directory.js'
import type { Exchange } from './exchange.js'
import { hoursSpan, rawName, rawSpan, rollupName, type Tier, tierName, tiers, volumeOf, volumeOfRaw } from './layout.js'
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
  /** Of a feed that this store wrote: how far its own retention would be in it. */
  readonly retained?: ((directory: Directory) => Progress | undefined) | undefined
}

/** Which chunks of somebody else's feed are fetched before anybody asks, and which are forgotten. */
export class Keeping {
  readonly #parts: Parts
  /** Fetched as they grow. */
  readonly #wanted = new Map<string, Hypercore>()
  /** Fetched block by block when asked for; the last used last. */
  readonly #asked = new Map<string, Hypercore>()
  /** Logs that the writer has dropped and that are wholly here. */
  readonly #whole = new Set<string>()
  #looked = false
  /** How far the store's own retention was in its feed at the last look, and which volume of a tier is let go next for it. */
  #kept: Progress | undefined
  readonly #letGo = new Map<Tier, number>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Brings what is fetched in line with what there is. */
  async follow(directory: Directory): Promise<void> {
    const { keep } = this.#parts
    if (keep === 'live') return
    this.#kept = this.#parts.retained?.(directory)
    const names = this.#names(directory)
    for (const name of names) if (!this.#wanted.has(name)) await this.#want(name)
    for (const [name, log] of this.#wanted) {
      if (names.has(name)) continue
      this.#wanted.delete(name)
      if (keep === '7d' || this.#isReplaced(name, directory)) await log.clear(0, log.length)
      else if (isWhole(log)) this.#whole.add(name)
      await this.#parts.exchange.drop(name)
    }
    if (keep === 'all' && !this.#kept && !this.#looked) await this.#lookBack(directory)
  }

  #names(directory: Directory): Set<string> {
    const { spans, logs, days } = directory
    const progress = this.#kept ?? directory.progress
    const { keep, clock } = this.#parts
    const from = keep === 'all' ? Number.NEGATIVE_INFINITY : clock.now() - weekMs
    const names = new Set<string>()
    const add = (name: string) => {
      if (logs.has(name)) names.add(name)
    }
    for (const { segment, table, to } of spans) {
      if (to < from) continue
      const volume = volumeOf(segment)
      if (!days.has(volume)) {
        if (volume >= (progress?.rawFrom ?? 0)) add(rawName(segment, table))
        add(rollupName(segment))
        continue
      }
      for (const tier of tiers) if (!progress || volume >= keptFrom(progress, tier)) add(tierName(tier, volume))
      // Until all of the day is here, its segments serve.
      const day = this.#wanted.get(tierName('raw', volume))
      const name = rawName(segment, table)
      if (this.#wanted.has(name) && !(day && isWhole(day))) add(name)
    }
    add(rawName(progress?.chunked ?? 0))
    return names
  }

  /** Clears one tier of a volume that the store would not keep; false if there was none. */
  async letGo(directory: Directory): Promise<boolean> {
    const { progress } = directory
    const kept = this.#parts.retained?.(directory)
    if (!progress || !kept) return false
    this.#kept = kept
    const due = tiers
      .map((tier) => ({ tier, volume: this.#letGo.get(tier) ?? keptFrom(progress, tier) }))
      .find(({ tier, volume }) => volume < keptFrom(kept, tier))
    if (!due) return false
    const { tier, volume } = due
    this.#letGo.set(tier, volume + 1)
    // Hours are cleared a month at once.
    if (tier === '1h' && (volume + 1) % hoursSpan !== 0) return true
    const { logs } = directory
    const tables = tier === 'raw' ? [...logs.keys()].filter((name) => volumeOfRaw(name) === volume) : []
    for (const name of [tierName(tier, volume), ...tables]) if (logs.has(name)) await this.#clear(name)
    return true
  }

  async #clear(name: string): Promise<void> {
    this.#wanted.delete(name)
    this.#asked.delete(name)
    await this.#parts.exchange.drop(name)
    const log = this.#parts.open(name)
    await log.ready()
    await log.clear(0, log.length)
    await log.compact()
    await log.close()
  }

  #isReplaced(name: string, { days }: Directory): boolean {
    return days.has(volumeOfRaw(name) ?? -1)
  }

  /** The days that can be read instead of the chunks of their segments. */
  days({ days }: Directory): Day[] {
    const inSegments = new Set([...this.#wanted.keys()].map(volumeOfRaw))
    return [...days.values()].filter(({ volume }) => !inSegments.has(volume))
  }

  async #want(name: string): Promise<void> {
    await this.#forget(name)
    const log = this.#parts.open(name)
    this.#wanted.set(name, log)
    this.#parts.exchange.add(name, log)
    await log.ready()
    log.download({ start: 0, end: -1 })
  }

  /** After a restart: which of the logs that the writer has dropped are here. */
  async #lookBack({ progress, logs }: Directory): Promise<void> {
    this.#looked = true
    if (!progress) return
    for (const tier of tiers) {
      for (let volume = keptFrom(progress, tier) - 1; volume >= 0; volume--) {
        for (const name of namesOf(tier, volume)) {
          if (this.#whole.has(name) || this.#wanted.has(name) || !logs.has(name)) continue
          const log = this.#parts.open(name)
          await log.ready()
          if (isWhole(log)) this.#whole.add(name)
          await log.close()
        }
      }
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
  has(segment: number, { spans, days }: Directory): boolean {
    if (this.#parts.keep === 'live') return true
    const span = spans.find((each) => each.segment === segment)
    if (!span) return true
    const here = (name: string, length = 0) => (this.#wanted.get(name)?.contiguousLength ?? length) >= length
    const day = days.get(volumeOf(segment))
    const name = rawName(segment, span.table)
    if (day && !this.#wanted.has(name)) return here(tierName('raw', day.volume), day.devices + 1)
    return here(name, span.raw) && here(rollupName(segment), span.rollup)
  }

  /** How far the writer is, where what it has dropped and is here counts as kept. */
  asKept(progress: Progress): Progress {
    if (this.#kept) return this.#kept
    const from: Record<string, number> = {}
    for (const tier of tiers) {
      let volume = keptFrom(progress, tier)
      while (namesOf(tier, volume - 1).some((name) => this.#whole.has(name))) volume--
      from[tier] = volume
    }
    const { raw = 0, ...others } = from
    return { ...progress, rawFrom: raw, from: others }
  }
}

/** Where a tier of a volume may stand: of samples, in the day or still in its segments. */
function namesOf(tier: Tier, volume: number): string[] {
  return tier === 'raw' ? [tierName(tier, volume), rawName(volume * rawSpan)] : [tierName(tier, volume)]
}

function isWhole({ length, contiguousLength }: Hypercore): boolean {
  return length > 0 && contiguousLength === length
}
