import { type Clock, type DeviceRecord, type Event, toSdkError } from '#model'
import type { LocalStore, Tick } from '#replication'

/** Collects what the visits bring and writes it in few, larger blocks. */
export interface Ticks {
  /** A newer sample of a device replaces one that waits still; events and settings are all kept. */
  add(change: { record?: DeviceRecord; events?: readonly Event[]; settings?: { at: number; settings: unknown } }): void
  /** Drops what waits of a device that is gone, but not its events. */
  drop(id: string): void
  /** Writes what waits; resolves when it is durable or the store refused it. */
  flush(): Promise<void>
  /** Too much waits: nobody should be polled until it is written. */
  readonly full: boolean
  /** Why the last write failed; null if it did not. */
  readonly trouble: string | null
  /** It failed so often in a row that it will not mend by itself: the store has to be opened anew. */
  readonly broken: boolean
  stats(): Record<string, number>
  close(): Promise<void>
}

/** A tick is written this long after its first sample, or when it has so many. */
const tickMs = 1000
const tickRecords = 1000
/** Events are for people: they do not wait for the tick. */
const eventMs = 100
/** A store that fails is tried again after this, doubled up to the longest. */
const retryMs = 500
const maxRetryMs = 10_000
/** After so many failures in a row, about a quarter of a minute, the store is given up. */
const failuresToBreak = 6
/** From so many waiting events and settings on the polls have to wait for the store. */
const maxWaiting = 20_000

type Settings = NonNullable<Tick['settings']>[number]

export function openTicks(
  store: Pick<LocalStore, 'append'>,
  options: { clock: Clock; onState?: () => void; onWritten?: () => void },
): Ticks {
  const { clock } = options
  let records = new Map<string, DeviceRecord>()
  let events: Event[] = []
  let settings: Settings[] = []
  let writing: Promise<void> | undefined
  let disarm: (() => void) | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let failures = 0
  let trouble: string | null = null
  let closed = false
  const counts = { ticks: 0, samples: 0, replaced: 0, failed: 0 }

  const isEmpty = () => records.size === 0 && events.length === 0 && settings.length === 0

  function arm(ms: number) {
    if (closed || writing) return
    const due = clock.hr() + ms
    if (due >= dueAt) return
    disarm?.()
    dueAt = due
    disarm = clock.after(ms, () => void flush())
  }

  function flush(): Promise<void> {
    if (writing) return writing
    disarm?.()
    dueAt = Number.POSITIVE_INFINITY
    if (isEmpty()) return Promise.resolve()
    writing = write().finally(() => {
      writing = undefined
      if (!isEmpty()) arm(failures > 0 ? Math.min(maxRetryMs, retryMs * 2 ** (failures - 1)) : tickMs)
    })
    return writing
  }

  async function write() {
    const tick = { at: clock.now(), records: [...records.values()], events, settings }
    records = new Map()
    events = []
    settings = []
    try {
      await store.append(tick)
      counts.ticks++
      counts.samples += tick.records.length
      failures = 0
      say(null)
      options.onWritten?.()
    } catch (error) {
      failures++
      counts.failed++
      putBack(tick)
      say(toSdkError(error, 'STORE_FAILED').message)
    }
  }

  /** What could not be written stands before what came since; of one device only the newest sample. */
  function putBack(tick: { records: DeviceRecord[]; events: Event[]; settings: Settings[] }) {
    const newer = records
    records = new Map(tick.records.map((record) => [record.id, record]))
    for (const [id, record] of newer) {
      if (records.has(id)) counts.replaced++
      records.set(id, record)
    }
    events = [...tick.events, ...events]
    settings = [...tick.settings, ...settings]
  }

  function say(text: string | null) {
    if (trouble === text) return
    trouble = text
    options.onState?.()
  }

  return {
    add(change) {
      if (change.record) {
        if (records.has(change.record.id)) counts.replaced++
        records.set(change.record.id, change.record)
        if (change.settings) settings.push({ deviceId: change.record.id, ...change.settings })
      }
      if (change.events?.length) events.push(...change.events)
      if (isEmpty() || failures > 0) return
      if (records.size >= tickRecords) void flush()
      else arm(events.length > 0 ? eventMs : tickMs)
    },
    drop(id) {
      records.delete(id)
    },
    flush,
    get full() {
      return events.length + settings.length >= maxWaiting
    },
    get trouble() {
      return trouble
    },
    get broken() {
      return failures >= failuresToBreak
    },
    stats: () => ({ ...counts, waiting: records.size + events.length + settings.length }),
    async close() {
      closed = true
      disarm?.()
      await writing
      await flush()
    },
  }
}
