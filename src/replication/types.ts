import type { Duplex } from 'node:stream'
import type Corestore from 'corestore'
import type { Clock, DeviceEntry, DeviceFilter, DeviceRecord, Event, Kind, Log, Metric } from '#model'

/** What one tick of a worker adds; written as one atomic batch, durable when `append` resolves. */
export interface Tick {
  /** ms since the epoch. */
  at: number
  /** The full new records of the devices sampled or changed since the last tick. */
  records: readonly DeviceRecord[]
  events?: readonly Event[]
  /** Snapshots of a device's settings (pools without passwords, tuning, network), appended when they changed. */
  settings?: readonly { deviceId: string; at: number; settings: unknown }[]
}

export type Step = 'raw' | '1m' | '5m' | '1h' | '1d'
export const stepMs: Record<Exclude<Step, 'raw'>, number> = {
  '1m': 60_000,
  '5m': 300_000,
  '1h': 3_600_000,
  '1d': 86_400_000,
}

export interface HistoryQuery {
  deviceId: string
  metrics: readonly Metric[]
  from: number
  to: number
  step: Step
  /** At most so many points; beyond it the query is refused with TOO_LARGE. Default 50,000. */
  maxPoints?: number
  /** At a step: also the mean, lowest, highest and last value of each interval, and of how many samples. */
  digests?: boolean
}

/** Columns over a common time axis. A gap is null, never 0. At a step, `at` is the start of each interval. */
export interface Series {
  /** Stretches whose samples were stored, but cannot be read now; absent if all could be read. */
  missing?: readonly Missing[]
  from: number
  to: number
  step: Step
  at: number[]
  series: { [M in Metric]?: (number | null)[] }
  /** If they were asked for: of each interval what is known of a metric; null without any sample. */
  digests?: { [M in Metric]?: (Digest | null)[] }
}

/** What is known of one metric in one interval. Of counters and durations only the last value says anything. */
export interface Digest {
  readonly mean: number
  readonly min: number
  readonly max: number
  readonly last: number
  readonly count: number
}

/** A stretch of time, ms, both ends included. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** A stretch of which something was stored that cannot be read now. */
export interface Missing extends Span {
  /** Whose feed it stands in. */
  readonly worker: string
  readonly site: string
  /** `absent`: neither here nor with anybody who can be reached now. `damaged`: it is here, and its bytes make no sense. */
  readonly reason: 'absent' | 'damaged'
}

/** What is asked of groups of devices at once, in intervals of five minutes. */
export interface CrowdQuery {
  readonly by: 'all' | 'model' | 'container'
  readonly metrics: readonly Metric[]
  readonly from: number
  readonly to: number
}

/** What the devices of one kind in one group made together in the five minutes from `start` on. */
export interface CrowdRow {
  readonly kind: Kind
  /** Of the group; of all devices ''. */
  readonly key: string
  readonly start: number
  readonly samples: number
  /** Power and hashrate of the devices that reported both. */
  readonly pairW: number
  readonly pairThs: number
  /** Of each metric asked for: the sum over the devices, or the highest; and how many devices reported it. */
  readonly values: readonly number[]
  readonly counts: readonly number[]
}

export interface Crowds {
  readonly rows: readonly CrowdRow[]
  readonly missing: readonly Missing[]
}

export interface EventQuery {
  deviceId?: string
  from?: number
  to?: number
  /** Newest first; default 100, at most 1000. */
  limit?: number
}

/** Of the feeds of these sites only, default all; so many as are asked for are of them. */
export interface FleetEventQuery extends EventQuery {
  sites?: readonly string[]
}

export interface Change {
  records: readonly DeviceRecord[]
  removed: readonly string[]
  events: readonly Event[]
}

/** What every peer that holds a feed can read of it. */
export interface Reader {
  /** The service whose feed it is, its site and how often it polls. */
  readonly worker: string
  readonly site: string
  readonly intervalMs: number
  /** All last known records, from memory; the array and its records are shared: do not change them. */
  records(): readonly DeviceRecord[]
  record(id: string): DeviceRecord | undefined
  history(query: HistoryQuery): Promise<Series>
  /**
   * What groups of devices made together, without reading each: undefined if this reader does not know it for all of the time that it has
   * history of.
   */
  crowds?(query: CrowdQuery): Promise<Crowds | undefined>
  events(query: EventQuery): Promise<Event[]>
  settings(deviceId: string, limit?: number): Promise<{ at: number; settings: unknown }[]>
  /** Called after each append; returns how to stop. */
  watch(listener: (change: Change) => void): () => void
}

/** A service's own history, one writer: the seam of a storage backend. All that a service needs; only a feed is also read elsewhere. */
export interface LocalStore extends Reader {
  append(tick: Tick): Promise<void>
  /** The inventory: what the operator says of each device, without credentials. */
  entries(): ReadonlyMap<string, DeviceEntry>
  putEntry(id: string, entry: DeviceEntry, events?: readonly Event[]): Promise<void>
  deleteEntry(id: string, events?: readonly Event[]): Promise<void>
  /** A small document of the service under a name (for example the commander's jobs). */
  getDocument<T>(name: string): Promise<T | undefined>
  putDocument(name: string, value: unknown): Promise<void>
  listDocuments<T>(
    prefix: string,
    options?: { limit?: number; reverse?: boolean },
  ): Promise<{ name: string; value: T }[]>
  /** Bytes on disk, blocks, appends: plain numbers for metrics. */
  stats(): Record<string, number>
  /** What people should know of it, and what to do: for example that the disk is nearly full. Null or absent: nothing. */
  readonly trouble?: string | null
  close(): Promise<void>
}

/** A store whose history travels: a feed behind which is a Hyperbee; nothing outside this folder knows its layout. */
export interface Store extends LocalStore {
  /** What a remote reader needs to follow this feed. */
  readonly feed: FeedKeys
  /** Offers this feed's logs, of now and later, to the peer at the other end of this one connection until it closes. */
  replicate(stream: Duplex): void
}

/** How a backend opens the history of a service, made if there is none; `openStore` is one. */
export type OpenStore = (options: StoreOptions) => Promise<LocalStore>

/** Where a feed is found. Who knows it can read all of the feed from any peer that has it: it is for members only. */
export interface FeedKeys {
  /** Public key of its main log, 64 hex digits; the keys of all its other logs stand there. */
  readonly main: string
}

/** A feed that a worker had before its present one. */
export interface EarlierFeed extends FeedKeys {
  /** Nothing that comes after this is read; `here`: after what is here now. For a feed whose writer counts for nothing any more. */
  readonly end?: FeedEnd | 'here' | undefined
}

/** So far a feed was here: blocks of its main log; the last of its journals, -1 if there was none, and blocks of that. */
export interface FeedEnd {
  readonly main: number
  readonly journal: number
  readonly blocks: number
}

export interface StoreOptions {
  /** A folder of its own; made if it does not exist. */
  path: string
  worker: string
  site: string
  intervalMs: number
  clock?: Clock
  log?: Log
  /** 32 bytes, the node's seed: the keys of all logs come from it, so that a lost folder can be made again. Default: random. */
  primaryKey?: Uint8Array
  /** Tells one start of the machine from another; default: as the kernel tells it. */
  boot?: string
  /** How much of each tier is kept; of those that are not named, as much as by default. */
  keep?: KeepTiers
  /** How much room there is on the disk; default: as its system says. */
  room?: () => Promise<{ free: number; total: number }>
  /** Sizes and timings, for tests. */
  limits?: Partial<StoreLimits>
}

/**
 * How much history is kept: every sample (default 14 days), intervals of a minute (90 days), of five (a year), of an hour and a day (for
 * ever). Without `ageMs` for ever, without `bytes` however large; the newest day always.
 */
export type KeepTiers = Readonly<
  Partial<
    Record<'raw' | '1m' | '5m' | '1h', { readonly ageMs?: number | undefined; readonly bytes?: number | undefined }>
  >
>

export interface StoreLimits {
  /** The newest history is a journal of frames in segments: a new one begins after this time, or so many bytes. */
  segmentMs: number
  segmentBytes: number
  /** A whole record of every device is written once in this time, changed or not. */
  wholeRecordMs: number
  /** A finished segment becomes chunks within about so many ticks, but not fewer than so many things a tick. */
  foldSteps: number
  foldLeast: number
  /** A full volume of segments is put together with every tick: so many devices of it at least. */
  mergeLeast: number
}

/**
 * What a reader of a feed elsewhere holds before anybody asks: `live` the last records and the last hours, `7d` all of a week, `all` everything,
 * also what the worker itself drops. Whatever else is asked for is fetched then, if anybody who has it is connected.
 */
export type Keep = 'live' | '7d' | 'all'

export interface Lag {
  /** When the newest frame that is here was written, ms by the worker's clock, and how long ago that is; null without any. */
  readonly at: number | null
  readonly ageMs: number | null
  /** Peers that the feed is exchanged with now. */
  readonly connections: number
  /** Blocks that are known to be there and are not here yet. */
  readonly behind: number
  /** Why the feed cannot be read on, if so: a newer version wrote it. */
  readonly problem?: string
}

/** Somebody else's feed: read as if it were here. Records of a worker that cannot be reached stay, and grow old. */
export interface RemoteReader extends Reader {
  readonly feed: FeedKeys
  lag(): Lag
  /** Where what is read of an earlier feed ends, by the key of its main log; of those that were given an end. */
  ends(): ReadonlyMap<string, FeedEnd>
  /** Exchanges the logs of this feed, of now and later, with the peer at the other end until the stream closes. */
  attach(stream: Duplex): void
  stats(): Record<string, number>
  close(): Promise<void>
}

export type FollowOptions = {
  feed: FeedKeys
  /** Feeds that the worker had before, newest first; those that its feed itself names need not be given. */
  earlier?: readonly EarlierFeed[]
  worker: string
  site: string
  intervalMs: number
  /** Default `live`. */
  keep?: Keep
  clock?: Clock
  log?: Log
  limits?: Partial<FollowLimits>
} & (
  | { /** A folder of its own; made if it does not exist. */ path: string; cores?: never }
  | { /** An open store that several readers share; it is not closed with them. */ cores: Corestore; path?: never }
)

export interface FollowLimits {
  /** How long a block is waited for. */
  blockMs: number
  /** How long after a failure blocks are asked for again. */
  retryMs: number
}

/** How current what is here of a worker's feed is. */
export interface FeedAge {
  readonly worker: string
  readonly site: string
  readonly devices: number
  /** When its newest word was written, ms by the worker's clock, and how long ago that is; null: nothing is here. */
  readonly at: number | null
  readonly ageMs: number | null
  /** Peers that it is exchanged with now; null: it is this node's own. */
  readonly connections: number | null
  /** Blocks that are known to be there and are not here yet. */
  readonly behind: number
  /** Why it cannot be read on, if so. */
  readonly problem?: string
}

/** Sums over live devices only (model/status.ts `isLive`): what is offline, stale or unknown counts in no sum. null: nobody reports it. */
export interface Totals {
  devices: number
  live: number
  byKind: Record<string, number>
  byStatus: Record<string, number>
  byHealth: Record<string, number>
  hashrateThs: number | null
  expectedHashrateThs: number | null
  nominalHashrateThs: number | null
  /** Of the miners; of a group without miners that of its containers, without those that of its meters. */
  powerW: number | null
  /** As the containers measure it: their miners, cooling and all. */
  containerPowerW: number | null
  /** At the site's connection, of the meters that stand there; below zero into the grid. */
  sitePowerW: number | null
  /** Power of the devices that report both, over their hashrate. */
  efficiencyJTh: number | null
  /** How many devices stand behind the sums. */
  reporting: { hashrateThs: number; powerW: number }
  boardTempMaxC: number | null
  chipTempMaxC: number | null
  /** Device errors by severity. */
  errors: Record<string, number>
  /** When the oldest and the newest of the counted values were measured, ms; null without any. */
  oldestAt: number | null
  newestAt: number | null
  /** Some or all of the devices are simulated. */
  simulated: number
}

export interface Group {
  key: string
  totals: Totals
}

export type GroupBy = 'site' | 'container' | 'rack' | 'model' | 'worker' | 'tag'

export interface DeviceQuery {
  filter?: DeviceFilter
  /** A record field or a metric, `-` in front for descending; default `id`. Unknown values sort last both ways. */
  sort?: string
  /** Default 100, at most 1000. */
  limit?: number
  /** From `nextCursor`; stable while devices come and go. */
  cursor?: string
}

export interface DevicePage {
  data: DeviceRecord[]
  nextCursor: string | null
  /** How many match in all. */
  total: number
}

/** One fleet out of any number of readers: what gateway, CLI, SDK and desktop ask. Holds nothing that the readers do not hold. */
export interface FleetView {
  device(id: string): DeviceRecord | undefined
  /** Whose word about the device is shown: who is sent what is meant for it. */
  readerOf(id: string): Reader | undefined
  /** Devices that are another feed's, and that a later one claims, too. */
  readonly contested: number
  devices(query: DeviceQuery): DevicePage
  /** All that match, unpaged, in id order. */
  match(filter: DeviceFilter): DeviceRecord[]
  totals(filter?: DeviceFilter): Totals
  groups(by: GroupBy, filter?: DeviceFilter): Group[]
  history(query: HistoryQuery): Promise<Series>
  /**
   * Sum, mean or maximum per interval, as `fields[metric].group` says, over the devices of each group; at a step of at least 1m. The interval
   * that is not over is null until as many devices have spoken in it as in the one before.
   */
  groupHistory(query: {
    groupBy?: GroupBy
    filter?: DeviceFilter
    metrics: readonly Metric[]
    from: number
    to: number
    step: Exclude<Step, 'raw'>
  }): Promise<{ key: string; series: Series }[]>
  events(query: FleetEventQuery): Promise<Event[]>
  settings(deviceId: string, limit?: number): Promise<{ at: number; settings: unknown }[]>
  /** How current each feed is, by site and worker. */
  feeds(): FeedAge[]
  /** What feeds say of devices that are theirs to speak for: a feed that speaks of another site's is not heard. */
  watch(listener: (change: Change) => void): () => void
  close(): void
}
