import type { DeviceRecord } from '#model'

/** Where a command prints. Answers go to stdout: a table on a terminal, TSV when piped, JSON when asked. All else goes to stderr. */
export interface Output {
  readonly json: boolean
  readonly terminal: boolean
  readonly width: number
  table<T>(rows: readonly T[], columns: readonly Column<T>[]): void
  value(value: unknown, text: string): void
  line(text: string): void
  note(text: string): void
}

export interface Column<T> {
  readonly title: string
  readonly get: (row: T) => string | number | null | undefined
  readonly align?: 'right'
}

export const nothing = '—'

export function createOutput(json: boolean): Output {
  const terminal = Boolean(process.stdout.isTTY)
  const line = (text: string) => void process.stdout.write(`${text}\n`)
  return {
    json,
    terminal,
    width: process.stdout.columns ?? 120,
    line,
    note: (text) => void process.stderr.write(`${text}\n`),
    value: (value, text) => line(json ? JSON.stringify(value, null, 2) : text),
    table(rows, columns) {
      if (json) return line(JSON.stringify(rows, null, 2))
      for (const row of terminal ? aligned(rows, columns, process.stdout.columns ?? 120) : tsv(rows, columns)) line(row)
    },
  }
}

function cell(value: string | number | null | undefined): string {
  return value === null || value === undefined || value === '' ? nothing : String(value)
}

function tsv<T>(rows: readonly T[], columns: readonly Column<T>[]): string[] {
  const clean = (text: string) => text.replace(/[\t\n\r]/g, ' ')
  return [
    columns.map((column) => column.title),
    ...rows.map((row) => columns.map((column) => clean(cell(column.get(row))))),
  ].map((line) => line.join('\t'))
}

/** Columns as wide as their longest cell; a line longer than the terminal is cut, so that rows stay rows. */
export function aligned<T>(rows: readonly T[], columns: readonly Column<T>[], width: number): string[] {
  const lines = [
    columns.map((column) => column.title.toUpperCase()),
    ...rows.map((row) => columns.map((column) => cell(column.get(row)))),
  ]
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]!.length)))
  return lines.map((line) => {
    const text = line
      .map((part, index) =>
        columns[index]!.align === 'right' ? part.padStart(widths[index]!) : part.padEnd(widths[index]!),
      )
      .join('  ')
      .trimEnd()
    return text.length > width ? `${text.slice(0, width - 1)}…` : text
  })
}

const siSteps = [
  [1e6, 'EH/s'],
  [1e3, 'PH/s'],
  [1, 'TH/s'],
] as const

export function hashrate(ths: number | null | undefined): string {
  if (ths === null || ths === undefined) return nothing
  const [size, unit] = siSteps.find(([step]) => ths >= step) ?? siSteps[2]
  return `${(ths / size).toFixed(ths / size >= 100 ? 1 : 2)} ${unit}`
}

export function power(watts: number | null | undefined): string {
  if (watts === null || watts === undefined) return nothing
  if (watts >= 1e6) return `${(watts / 1e6).toFixed(2)} MW`
  return watts >= 1e3 ? `${(watts / 1e3).toFixed(2)} kW` : `${Math.round(watts)} W`
}

export function fixed(value: number | null | undefined, digits = 1): string {
  return value === null || value === undefined ? nothing : value.toFixed(digits)
}

const ageSteps = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
] as const

export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return nothing
  const [size, unit] = ageSteps.find(([step]) => ms >= step) ?? ageSteps[3]
  return `${Math.floor(Math.max(0, ms) / size)} ${unit}`
}

export function age(at: number | null | undefined, now = Date.now()): string {
  return at === null || at === undefined ? nothing : duration(now - at)
}

/** The columns of every list of devices. */
export const deviceColumns: readonly Column<DeviceRecord>[] = [
  { title: 'id', get: (device) => device.id },
  { title: 'model', get: (device) => [device.model, device.variant].filter(Boolean).join(' ') },
  { title: 'status', get: (device) => device.status },
  { title: 'health', get: (device) => device.health },
  { title: 'hashrate', get: (device) => hashrate(device.metrics.hashrateThs), align: 'right' },
  { title: 'power', get: (device) => power(device.metrics.powerW), align: 'right' },
  { title: 'J/TH', get: (device) => fixed(device.metrics.efficiencyJTh), align: 'right' },
  { title: 'temp °C', get: (device) => fixed(temperatureOf(device)), align: 'right' },
  { title: 'errors', get: (device) => device.errors.length, align: 'right' },
  { title: 'age', get: (device) => age(device.at), align: 'right' },
  { title: 'address', get: (device) => (device.simulated ? `${device.address} (simulated)` : device.address) },
]

/** The hottest board of a miner, the coolant that leaves a container, the hottest channel of a sensor. */
function temperatureOf({ kind, metrics }: DeviceRecord): number | null | undefined {
  if (kind === 'miner') return metrics.boardTempMaxC
  return metrics.returnTempC ?? metrics.supplyTempC ?? metrics.temperatureC
}
