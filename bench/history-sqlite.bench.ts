/**
 * The same data and questions in SQLite (libSQL's build of it, which brings its binary along), a column a number, a transaction a tick, WAL, with the
 * roll-ups that the questions need: ratios of one run. SQLite answers on one machine; a feed is also on others.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import type { DeviceRecord } from '#model'
import { fleetView, openStore, type Store } from '#replication'
import { idOf, intervalMs, Miner, start } from './miners.js'
import { median, report } from './report.js'

const folder = mkdtempSync(join(tmpdir(), 'history-sqlite-'))
const path = (name: string) => join(folder, name)
const worker = { worker: 'wm', site: 'home', intervalMs }
const day = 86_400_000

interface Tick {
  readonly at: number
  readonly records: readonly DeviceRecord[]
}
type Row = readonly (number | null)[]

/** Every number of a record under a name: the device's own, and those of its parts. */
function numbersOf({ metrics, boards, fans, pools }: DeviceRecord): Map<string, number | null> {
  const numbers = new Map<string, number | null>(Object.entries(metrics))
  for (const [kind, list] of Object.entries({ board: boards, fan: fans, pool: pools })) {
    for (const [index, part] of list.entries()) {
      for (const [name, value] of Object.entries(part))
        if (typeof value === 'number') numbers.set(`${kind}${index}_${name}`, value)
    }
  }
  return numbers
}

const names = [...numbersOf(new Miner(0).read(start)).keys()]
const rowOf = (record: DeviceRecord): Row => {
  const numbers = numbersOf(record)
  return names.map((name) => numbers.get(name) ?? null)
}

class Sqlite {
  readonly db: InstanceType<typeof Database>
  readonly #file: string
  readonly #write: (rows: readonly (readonly (number | null)[])[]) => void

  constructor(file: string) {
    this.#file = file
    this.db = new Database(file)
    this.db.exec('PRAGMA journal_mode = WAL')
    this.db.exec('PRAGMA synchronous = NORMAL')
    const columns = names.map((name) => `"${name}"`)
    this.db.exec(
      `CREATE TABLE sample (device INTEGER, at INTEGER, ${columns.join(', ')}, PRIMARY KEY (device, at)) WITHOUT ROWID`,
    )
    const insert = this.db.prepare(`INSERT INTO sample VALUES (?, ?, ${columns.map(() => '?').join(', ')})`)
    this.#write = this.db.transaction((rows: readonly (readonly (number | null)[])[]) => {
      for (const row of rows) insert.run(...row)
    })
  }

  append(rows: readonly (readonly (number | null)[])[]): void {
    this.#write(rows)
  }

  /** What a query for hours over weeks needs: as a feed has it. */
  rollUp(): void {
    this.db.exec(
      `CREATE TABLE hour (at INTEGER, device INTEGER, sum REAL, count INTEGER, PRIMARY KEY (at, device)) WITHOUT ROWID`,
    )
    this.db.exec(
      `INSERT INTO hour SELECT at / 3600000 * 3600000, device, sum(hashrateThs), count(hashrateThs) FROM sample GROUP BY 1, 2`,
    )
  }

  /** After everything was packed as well as it can. */
  get bytes(): number {
    this.db.exec('VACUUM')
    this.db.pragma('wal_checkpoint(TRUNCATE)')
    return statSync(this.#file).size
  }
}

/** What is polled in each second when visits are spread evenly. */
function* ticks(devices: number, spanMs: number, everyMs = intervalMs, slots = 10): Generator<Tick> {
  const miners = Array.from({ length: devices }, (_, index) => new Miner(index))
  for (let at = start; at < start + spanMs; at += everyMs / slots) {
    const slot = Math.round((at - start) / (everyMs / slots)) % slots
    yield { at, records: miners.filter((_, index) => index % slots === slot).map((miner) => miner.read(at)) }
  }
}

const deviceOf = new Map(Array.from({ length: 10_000 }, (_, index) => [idOf(index), index]))
const rowsOf = ({ records }: Tick) => records.map((record) => [deviceOf.get(record.id)!, record.at, ...rowOf(record)])

interface Filled {
  readonly store: Store
  readonly sqlite: Sqlite
  readonly samples: number
  readonly storeMs: number
  readonly sqliteMs: number
}

/** The same ticks into both, each on its own time. */
async function filled(name: string, data: Iterable<Tick>): Promise<Filled> {
  const store = await openStore({ path: path(name), ...worker, keep: { raw: {} } })
  const sqlite = new Sqlite(path(`${name}.db`))
  let [samples, storeMs, sqliteMs] = [0, 0, 0]
  for (const tick of data) {
    samples += tick.records.length
    const rows = rowsOf(tick)
    const began = performance.now()
    await store.append(tick)
    const between = performance.now()
    sqlite.append(rows)
    storeMs += between - began
    sqliteMs += performance.now() - between
  }
  const began = performance.now()
  for (let round = 0; round < 100; round++) await store.append({ at: 0, records: [] })
  storeMs += performance.now() - began
  return { store, sqlite, samples, storeMs, sqliteMs }
}

async function size(devices: number, hours: number) {
  const { store, sqlite, samples, storeMs, sqliteMs } = await filled('size', ticks(devices, hours * 3_600_000))
  const { rawBytes = 0, packedSamples = 1 } = store.stats()
  await store.close()
  const [ours, theirs] = [rawBytes / packedSamples, sqlite.bytes / samples]
  report('sqlite-size', { samples, bytesASample: ours, sqliteBytesASample: theirs, ofSqlite: ours / theirs })
  const [ourUs, theirUs] = [(storeMs * 1000) / samples, (sqliteMs * 1000) / samples]
  report('sqlite-append', { usASample: ourUs, sqliteUsASample: theirUs, ofSqlite: ourUs / theirUs })
  sqlite.db.close()
}

async function oneDay(devices: number) {
  const { store, sqlite } = await filled('day', ticks(devices, day, intervalMs, 1))
  const metrics = ['hashrateThs', 'powerW', 'chipTempMaxC'] as const
  const select = sqlite.db.prepare(
    `SELECT at, ${metrics.join(', ')} FROM sample WHERE device = ? AND at BETWEEN ? AND ? ORDER BY at`,
  )
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let device = 0; device < devices; device++) {
    const began = performance.now()
    const { at } = await store.history({ deviceId: idOf(device), metrics, from: start, to: start + day, step: 'raw' })
    const between = performance.now()
    const rows = select.raw().all(device, start, start + day)
    theirs.push(performance.now() - between)
    ours.push(between - began)
    if (rows.length !== day / intervalMs || at.length < rows.length)
      throw new Error(`${at.length}, ${rows.length} rows`)
  }
  await store.close()
  sqlite.db.close()
  report('sqlite-day', compared(ours, theirs))
}

async function month(devices: number) {
  const everyMs = 1_800_000
  // All devices read what one does: to work out more of them would take longer than all that is measured.
  function* alike(): Generator<Tick> {
    for (const { at, records } of ticks(1, 30 * day, everyMs, 1))
      yield { at, records: Array.from({ length: devices }, (_, index) => ({ ...records[0]!, id: idOf(index) })) }
  }
  const { store, sqlite } = await filled('month', alike())
  sqlite.rollUp()
  const clock = { now: () => start + 30 * day, hr: () => performance.now(), after: () => () => {} }
  const view = fleetView({ readers: () => [store] }, { clock })
  const select = sqlite.db.prepare(
    'SELECT at, sum(sum / count) FROM hour WHERE at >= ? AND at < ? GROUP BY at ORDER BY at',
  )
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let round = 0; round < 7; round++) {
    // Another span each time: no answer stands ready.
    const [from, to] = [start + round * 3_600_000, start + 30 * day]
    const began = performance.now()
    const [group] = await view.groupHistory({ metrics: ['hashrateThs'], from, to, step: '1h' })
    const between = performance.now()
    const rows = select.raw().all(from, to) as [number, number][]
    theirs.push(performance.now() - between)
    ours.push(between - began)
    const shown = group?.series.series.hashrateThs?.at(-2) ?? 0
    if (Math.abs(shown - rows.at(-2)![1]) > shown / 100) throw new Error(`${shown} here, ${rows.at(-2)![1]} there`)
  }
  view.close()
  await store.close()
  sqlite.db.close()
  report('sqlite-month', { devices, ...compared(ours, theirs) })
}

/** Totals by status and the first page, after a device has changed: no answer stands ready. */
async function fleet(devices: number) {
  const store = await openStore({ path: path('fleet'), ...worker })
  for (const tick of ticks(devices, intervalMs)) await store.append(tick)
  const { db } = new Sqlite(path('fleet.db'))
  db.exec(
    'CREATE TABLE state (id TEXT PRIMARY KEY, status TEXT, hashrateThs REAL, powerW REAL, record TEXT) WITHOUT ROWID',
  )
  db.exec('CREATE INDEX by_hashrate ON state (hashrateThs DESC)')
  const put = db.prepare('INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?, ?)')
  const write = ({ id, status, metrics, ...rest }: DeviceRecord) =>
    put.run(id, status, metrics.hashrateThs ?? null, metrics.powerW ?? null, JSON.stringify({ metrics, ...rest }))
  db.transaction((records: readonly DeviceRecord[]) => records.forEach(write))(store.records())
  const totals = db.prepare('SELECT status, count(*), sum(hashrateThs), sum(powerW) FROM state GROUP BY status')
  const page = db.prepare('SELECT record FROM state ORDER BY hashrateThs DESC, id LIMIT 100')
  const clock = { now: () => start + 10_000, hr: () => performance.now(), after: () => () => {} }
  const view = fleetView({ readers: () => [store] }, { clock })
  view.totals()
  const [ours, theirs]: [number[], number[]] = [[], []]
  const miner = new Miner(0)
  for (let round = 0; round < 30; round++) {
    const record = miner.read(start + 10_000 + round)
    await store.append({ at: record.askedAt!, records: [record] })
    write(record)
    const began = performance.now()
    view.totals()
    view.devices({ sort: '-hashrateThs', limit: 100 })
    const between = performance.now()
    totals.raw().all()
    for (const [text] of page.raw().all() as [string][]) JSON.parse(text)
    theirs.push(performance.now() - between)
    ours.push(between - began)
  }
  view.close()
  await store.close()
  db.close()
  report('sqlite-fleet', { devices, ...compared(ours, theirs) })
}

function compared(ours: readonly number[], theirs: readonly number[]) {
  return { ms: median(ours), sqliteMs: median(theirs), ofSqlite: median(ours) / median(theirs) }
}

const parts: Record<string, () => Promise<void>> = {
  size: () => size(100, 3),
  day: () => oneDay(3),
  month: () => month(20),
  fleet: () => fleet(10_000),
}
const asked = process.argv.slice(2).filter((name) => Object.hasOwn(parts, name))
for (const name of asked.length > 0 ? asked : Object.keys(parts)) await parts[name]!()
rmSync(folder, { recursive: true, force: true })
