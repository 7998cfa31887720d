import Hyperbee from 'hyperbee'
import type Hypercore from 'hypercore'
import { SdkError } from '#model'

/**
 * Where things are. One Corestore: `main`, a Hyperbee of what is few and stays (inventory, documents, events, settings, which segments
 * are done); `journal-N`, a log of the newest frames, a block a tick, cleared whole once it is chunked; `raw-N`, a Hyperbee of chunks by
 * device and segment for the segments of about a day. A full one becomes `day-raw-N`, `day-1m-N`, `day-5m-N`, logs with one chunk a
 * device, and chunks by device and day in `hours-N`, a Hyperbee of about a month; then it is cleared. So old history is dropped a whole
 * log at a time. Up to format 2 there were no days, and `rollup-N` of 5 minutes, by segment.
 */
export const format = 3

/** Segments in one volume, about a day of them; volumes in one of hours; segments in one of format 2's roll-ups. */
export const rawSpan = 24
export const hoursSpan = 30
export const rollupSpan = 720

/** How fine history is kept; `raw` is every sample. */
export const tiers = ['raw', '1m', '5m', '1h'] as const
export type Tier = (typeof tiers)[number]

export const journalName = (segment: number) => `journal-${segment}`
/** Of another log: -1. */
export const journalNumber = (name: string) => Number(/^journal-(\d+)$/.exec(name)?.[1] ?? -1)
/** `table`: another than the first of its volume; one is begun where the one before cannot be written any more. */
export const rawName = (segment: number, table = 0) => `raw-${volumeOf(segment)}${table > 0 ? `.${table}` : ''}`
/** Of which volume such a table is; undefined of other logs. */
export const volumeOfRaw = (name: string) =>
  name.startsWith('raw-') ? Math.floor(Number(name.slice('raw-'.length))) : undefined
export const rollupName = (segment: number) => `rollup-${Math.floor(segment / rollupSpan)}`

export const volumeOf = (segment: number) => Math.floor(segment / rawSpan)
/** Where a tier of a volume stands. */
export const tierName = (tier: Tier, volume: number) =>
  tier === '1h' ? `hours-${Math.floor(volume / hoursSpan)}` : `day-${tier}-${volume}`

/** Sorts after every continuation of a prefix. */
const end = '\u{10ffff}'
const part = encodeURIComponent
const number = (value: number, digits: number) => String(Math.max(0, Math.trunc(value))).padStart(digits, '0')
const timeDigits = 15

export const keys = {
  state: 'state',
  entries: 'entry/',
  entry: (id: string) => `entry/${part(id)}`,
  gones: 'gone/',
  gone: (id: string) => `gone/${part(id)}`,
  logs: 'log/',
  log: (name: string) => `log/${name}`,
  document: (name: string) => `document/${name}`,
  volumes: 'volume/',
  volume: (volume: number) => `volume/${number(volume, 9)}`,
  days: 'day/',
  day: (volume: number) => `day/${number(volume, 9)}`,
  events: 'event/',
  event: (at: number, origin: string) => `event/${number(at, timeDigits)}/${origin}`,
  deviceEvents: (id: string) => `device-event/${part(id)}/`,
  deviceEvent: (id: string, at: number, origin: string) =>
    `${keys.deviceEvents(id)}${number(at, timeDigits)}/${origin}`,
  /** Whether an event came with the inventory: those of frames stand in the journal first. */
  isOwnEvent: (key: string) => /^event\/\d+\/m/.test(key),
  settings: (id: string) => `setting/${part(id)}/`,
  setting: (id: string, at: number, origin: string) => `${keys.settings(id)}${number(at, timeDigits)}/${origin}`,
  chunk: (id: string, segment: number) => `${part(id)}/${number(segment, 9)}`,
  /** Groups of devices stand beside devices; their keys sort together, none is a device's. */
  crowds: '|',
  crowdsBy: (by: string) => `|${by}/`,
  crowd: (by: string, kind: string, key: string, segment: number) =>
    `|${by}/${kind}/${part(key)}/${number(segment, 9)}`,
  /** Sorts after all chunks of the device. */
  afterChunks: (id: string) => `${part(id)}/~`,
  deviceOf: (chunk: string) => decodeURIComponent(chunk.slice(0, chunk.lastIndexOf('/'))),
  /** Of the `index`-th thing in a block of the journal: the same whenever the block is read again. */
  origin: (segment: number, block: number, index: number) =>
    `${number(segment, 9)}.${number(block, 9)}.${number(index, 6)}`,
}

export const under = (prefix: string) => ({ gte: prefix, lt: prefix + end })

/** Keys of a time from `from` to `to`, both included. */
export function between(prefix: string, from: number | undefined, to: number | undefined) {
  return {
    gte: `${prefix}${from === undefined ? '' : number(Math.ceil(from), timeDigits)}`,
    lt: `${prefix}${to === undefined ? '' : number(to, timeDigits)}${to === undefined ? end : `/${end}`}`,
  }
}

export type Main = Hyperbee<unknown>

/** Whether blocks that are not here are waited for, and how long for each, ms. */
export interface Patience {
  readonly wait?: boolean
  readonly timeout?: number
}

export const mainName = 'main'

export function openMain(log: Hypercore): Main {
  return new Hyperbee(log, { keyEncoding: 'utf-8', valueEncoding: 'json', extension: false })
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

/** Any failure of the storage below as one of ours. */
export function storeError(error: unknown, what: string): SdkError {
  if (error instanceof SdkError) return error
  const message = messageOf(error)
  if (/could not be locked|lock hold/i.test(message)) return new SdkError('STORE_LOCKED', undefined, { cause: error })
  return new SdkError('STORE_FAILED', `${what}: ${message}`, { cause: error })
}

/** With its reason: what is below says only that a batch was not applied, and its cause that the disk is full. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}

/** Closes each, whatever the one before said: what stays open keeps the folder locked. Answers the first failure. */
export async function closeEach(parts: readonly { close(): Promise<void> }[]): Promise<unknown> {
  let failure: unknown
  for (const part of parts)
    await part.close().catch((error: unknown) => {
      failure ??= error
    })
  return failure
}
