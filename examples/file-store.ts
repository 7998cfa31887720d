/**
 * A storage backend of your own: the history of a service as lines of JSON in one file, all of it in memory. For a few devices, or as the
 * frame of a backend on the database that you have. What it opens is read in this process; only a feed also travels to other peers.
 */
import { type FileHandle, mkdir, open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type DeviceEntry,
  type DeviceRecord,
  type Event,
  type Field,
  fields,
  type HistoryQuery,
  isMetric,
  type LocalStore,
  type Metric,
  type Metrics,
  type OpenStore,
  SdkError,
  type Series,
  type StoreOptions,
  stepMs,
  type Tick,
} from 'miningsdk'

type Line =
  | { tick: Tick }
  | { entry: DeviceEntry; id: string; events: readonly Event[] }
  | { gone: string; events: readonly Event[] }
  | { document: string; value?: unknown }

type Setting = { at: number; settings: unknown }

const newestFirst = (a: { at: number }, b: { at: number }) => b.at - a.at
const between = (at: number, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY) => at >= from && at <= to
/** Silence of so many intervals is a gap. */
const gapIntervals = 3
const most = (limit: number | undefined, usual: number) => Math.min(Math.max(0, limit ?? usual), 1000)

/** Opens the history in a folder. Throws STORE_LOCKED while another one has it, STORE_FAILED for what cannot be read. */
export const openFileStore: OpenStore = async (options) => {
  const path = options.path
  const lock = join(path, 'lock')
  try {
    await mkdir(path, { recursive: true })
    await takeLock(lock)
    const file = join(path, 'history.ndjson')
    const lines = await readLines(file)
    return new FileStore(options, await open(file, 'a'), lines, () => rm(lock, { force: true }))
  } catch (error) {
    if (error instanceof SdkError) throw error
    throw new SdkError('STORE_FAILED', `the store cannot be opened: ${(error as Error).message}`, { cause: error })
  }
}

/** Who holds it stands in it; a process that was killed holds nothing. */
async function takeLock(lock: string): Promise<void> {
  const holder = Number(await readFile(lock, 'utf8').catch(() => '0'))
  if (holder > 0 && isAlive(holder)) throw new SdkError('STORE_LOCKED')
  await rm(lock, { force: true })
  await writeFile(lock, String(process.pid), { flag: 'wx' })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** All whole lines; what a cut left half written is taken off. */
async function readLines(file: string): Promise<Line[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  if (whole.length < text.length) await truncate(file, Buffer.byteLength(whole))
  return whole
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line)
}

class FileStore implements LocalStore {
  readonly worker: string
  readonly site: string
  readonly intervalMs: number
  readonly #file: FileHandle
  readonly #unlock: () => Promise<void>
  readonly #records = new Map<string, DeviceRecord>()
  readonly #samples = new Map<string, Map<number, Metrics>>()
  readonly #entries = new Map<string, DeviceEntry>()
  readonly #documents = new Map<string, unknown>()
  readonly #events: Event[] = []
  readonly #settings = new Map<string, Setting[]>()
  readonly #listeners = new Set<Parameters<LocalStore['watch']>[0]>()
  #last: Promise<unknown> = Promise.resolve()
  #lines = 0
  #closed = false

  constructor(options: StoreOptions, file: FileHandle, lines: readonly Line[], unlock: () => Promise<void>) {
    this.worker = options.worker
    this.site = options.site
    this.intervalMs = options.intervalMs
    this.#file = file
    this.#unlock = unlock
    for (const line of lines) this.#take(line)
  }

  #take(line: Line): void {
    this.#lines++
    if ('tick' in line) this.#takeTick(line.tick)
    else if ('entry' in line) this.#entries.set(line.id, line.entry)
    else if ('document' in line) {
      if (line.value === undefined) this.#documents.delete(line.document)
      else this.#documents.set(line.document, line.value)
    } else {
      this.#entries.delete(line.gone)
      this.#records.delete(line.gone)
    }
    if ('events' in line) this.#events.push(...line.events)
  }

  #takeTick({ records, events = [], settings = [] }: Tick): void {
    for (const record of records) {
      this.#records.set(record.id, record)
      // Asked in vain, or told again: no new sample.
      if (record.at === null) continue
      const samples = this.#samples.get(record.id) ?? new Map<number, Metrics>()
      this.#samples.set(record.id, samples.set(record.at, record.metrics))
    }
    this.#events.push(...events)
    for (const { deviceId, ...one } of settings)
      this.#settings.set(deviceId, [one, ...(this.#settings.get(deviceId) ?? [])])
  }

  /** On the disk before it counts; one after the other. */
  #write(line: Line, tell: () => void): Promise<void> {
    const write = async () => {
      this.#assertOpen()
      try {
        await this.#file.appendFile(`${JSON.stringify(line)}\n`)
        await this.#file.datasync()
      } catch (error) {
        throw new SdkError('STORE_FAILED', `it was not stored: ${(error as Error).message}`, { cause: error })
      }
      this.#take(structuredClone(line))
      tell()
    }
    const written = this.#last.then(write)
    this.#last = written.catch(() => {})
    return written
  }

  #assertOpen(): void {
    if (this.#closed) throw new SdkError('STORE_FAILED', 'the store is closed')
  }

  #tell(change: Parameters<Parameters<LocalStore['watch']>[0]>[0]): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(change)
      } catch {
        // Its own affair.
      }
    }
  }

  append(tick: Tick): Promise<void> {
    const { records, events = [] } = tick
    return this.#write({ tick }, () => this.#tell({ records, removed: [], events }))
  }

  putEntry(id: string, entry: DeviceEntry, events: readonly Event[] = []): Promise<void> {
    return this.#write({ entry, id, events }, () => this.#tell({ records: [], removed: [], events }))
  }

  deleteEntry(id: string, events: readonly Event[] = []): Promise<void> {
    const removed = this.#records.has(id) ? [id] : []
    return this.#write({ gone: id, events }, () => this.#tell({ records: [], removed, events }))
  }

  putDocument(name: string, value: unknown): Promise<void> {
    return this.#write({ document: name, ...(value === undefined ? {} : { value }) }, () => {})
  }

  async getDocument<T>(name: string): Promise<T | undefined> {
    this.#assertOpen()
    return this.#documents.get(name) as T | undefined
  }

  async listDocuments<T>(prefix: string, { limit, reverse = false }: { limit?: number; reverse?: boolean } = {}) {
    this.#assertOpen()
    const names = [...this.#documents.keys()].filter((name) => name.startsWith(prefix)).sort()
    const chosen = (reverse ? names.reverse() : names).slice(0, limit)
    return chosen.map((name) => ({ name, value: this.#documents.get(name) as T }))
  }

  entries = () => this.#entries
  records = () => [...this.#records.values()]
  record = (id: string) => this.#records.get(id)

  async events({ deviceId, from, to, limit }: Parameters<LocalStore['events']>[0]): Promise<Event[]> {
    this.#assertOpen()
    return this.#events
      .filter((event) => (deviceId === undefined || event.deviceId === deviceId) && between(event.at, from, to))
      .reverse()
      .sort(newestFirst)
      .slice(0, most(limit, 100))
  }

  async settings(deviceId: string, limit?: number): Promise<Setting[]> {
    this.#assertOpen()
    return [...(this.#settings.get(deviceId) ?? [])].sort(newestFirst).slice(0, most(limit, 20))
  }

  async history(query: HistoryQuery): Promise<Series> {
    this.#assertOpen()
    const { deviceId, metrics, from, to, step, maxPoints = 50_000 } = query
    if (!(from <= to) || !metrics.every(isMetric)) throw new SdkError('BAD_REQUEST', 'no span of time, or no metric')
    const samples = [...(this.#samples.get(deviceId) ?? [])].sort(([a], [b]) => a - b)
    const rows = step === 'raw' ? this.#raw(samples, query) : stepsOf(samples, query, stepMs[step])
    if (rows.length > maxPoints) throw new SdkError('TOO_LARGE', `more than ${maxPoints} points`)
    const series = Object.fromEntries(metrics.map((name) => [name, rows.map(([, values]) => values[name] ?? null)]))
    return { from, to, step, at: rows.map(([at]) => at), series }
  }

  #raw(samples: readonly [number, Metrics][], { from, to }: HistoryQuery): [number, Metrics][] {
    const rows: [number, Metrics][] = []
    for (const [at, values] of samples) {
      if (!between(at, from, to)) continue
      const last = rows.at(-1)?.[0]
      if (last !== undefined && at - last > gapIntervals * this.intervalMs) rows.push([last + this.intervalMs, {}])
      rows.push([at, values])
    }
    return rows
  }

  watch(listener: Parameters<LocalStore['watch']>[0]): () => void {
    const own: typeof listener = (change) => listener(change)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  stats = () => ({ lines: this.#lines, devices: this.#records.size, events: this.#events.length })

  async close(): Promise<void> {
    if (this.#closed) return
    await this.#last
    this.#closed = true
    this.#listeners.clear()
    await this.#file.close()
    await this.#unlock()
  }
}

/** Every interval of the step, also the empty ones: the mean of its samples, or of what only grows the last. */
function stepsOf(samples: readonly [number, Metrics][], query: HistoryQuery, length: number): [number, Metrics][] {
  const { metrics, from, to, maxPoints = 50_000 } = query
  const first = Math.floor(from / length) * length
  const count = Math.max(0, Math.ceil((to - first) / length))
  if (count > maxPoints) throw new SdkError('TOO_LARGE', `more than ${maxPoints} points`)
  const intervals = Array.from({ length: count }, (): Metrics[] => [])
  for (const [at, values] of samples) intervals[Math.floor((at - first) / length)]?.push(values)
  return intervals.map((within, index) => {
    const values = metrics.map((name) => {
      const known = within.flatMap((each) => each[name] ?? [])
      if (known.length === 0) return [name, null] as const
      const mean = known.reduce((sum, value) => sum + value, 0) / known.length
      return [name, showsLast(name) ? known.at(-1)! : mean] as const
    })
    return [first + index * length, Object.fromEntries(values)]
  })
}

/** Of counters and durations a mean would say nothing. */
function showsLast(name: Metric): boolean {
  const { counter, unit }: Field = fields[name]
  return counter === true || unit === '1' || unit === 's'
}
