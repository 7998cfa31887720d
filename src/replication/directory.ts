import { keys, type Main, type Tier, under } from './layout.js'
import type { FeedKeys } from './types.js'

/** How far the journal is moved into tables and forgotten: the first segment that is not yet. */
export interface Progress {
  readonly format: number
  readonly worker: string
  readonly site: string
  readonly chunked: number
  readonly cleared: number
  /** The first raw volume that was not dropped. */
  readonly rawFrom: number
  /** The same of the other tiers; nothing was dropped of those that are not named. */
  readonly from?: Readonly<Partial<Record<Exclude<Tier, 'raw'>, number>>>
  /** The feed that this one goes on from, if it is not the worker's first. */
  readonly before?: FeedKeys
}

/** Which times a chunked segment covers, ms. */
export interface SegmentSpan {
  readonly segment: number
  readonly from: number
  readonly to: number
  /** How long the volumes had become when all of the segment was in them. */
  readonly raw?: number
  readonly rollup?: number
  /** In which table of its volume it stands, if not in the first. */
  readonly table?: number
}

/** A volume whose chunks were put together: about a day. */
export interface Day {
  readonly volume: number
  /** Of all samples, ms. */
  readonly from: number
  readonly to: number
  /** How many devices have samples in it. */
  readonly devices: number
  /** What its tiers take. */
  readonly bytes: Readonly<Record<Tier, number>>
  /** How long the log of hours had become. */
  readonly hours: number
  /** So many blocks could not be read when it was put together, if any: whose they were is not known. */
  readonly lost?: number
}

/** Where in the journal a device was removed: what stands before it says nothing any more. */
export interface Gone {
  readonly segment: number
  readonly block: number
}

/** Where a log of a feed is found. A journal says how long the one before it had become: nothing comes after that. */
export interface LogEntry {
  readonly key: string
  readonly after?: number
}

/** What `main` says of the rest of its feed. */
export class Directory {
  progress: Progress | undefined
  readonly logs = new Map<string, LogEntry>()
  readonly gone = new Map<string, Gone>()
  readonly days = new Map<number, Day>()
  readonly #spans = new Map<string, readonly SegmentSpan[]>()

  /** Of all chunked segments, oldest first. */
  get spans(): SegmentSpan[] {
    return [...this.#spans].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, spans]) => spans)
  }

  /** Reads all of it. Throws what the table throws for a block that is not here. */
  async load(main: Main, options: { wait?: boolean; timeout?: number } = {}): Promise<void> {
    for (const parts of [this.logs, this.gone, this.days, this.#spans]) parts.clear()
    this.progress = undefined
    for (const prefix of [keys.state, keys.logs, keys.gones, keys.volumes, keys.days]) {
      for await (const { key, value } of main.createReadStream(under(prefix), options)) this.put(key, value)
    }
  }

  /** One change of `main`; false if it says nothing of the feed's shape. */
  put(key: string, value: unknown): boolean {
    if (key === keys.state) this.progress = value as Progress
    else if (key.startsWith(keys.logs)) this.logs.set(key.slice(keys.logs.length), value as LogEntry)
    else if (key.startsWith(keys.gones)) this.gone.set(nameIn(key, keys.gones), value as Gone)
    else if (key.startsWith(keys.volumes)) this.#spans.set(key, value as SegmentSpan[])
    else if (key.startsWith(keys.days)) this.days.set((value as Day).volume, value as Day)
    else return false
    return true
  }

  delete(key: string): void {
    if (key.startsWith(keys.gones)) this.gone.delete(nameIn(key, keys.gones))
  }
}

/** The first volume of which a tier was not dropped. */
export function keptFrom({ rawFrom, from }: Progress, tier: Tier): number {
  return tier === 'raw' ? rawFrom : (from?.[tier] ?? 0)
}

function nameIn(key: string, prefix: string): string {
  return decodeURIComponent(key.slice(prefix.length))
}
