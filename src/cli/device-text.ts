import { type DeviceRecord, type Field, fields, type Metric } from '#model'
import { age, aligned, type Column, duration, fixed, hashrate, nothing, power } from './output.js'

type Fact = readonly [name: string, value: string | number | null | undefined]

/** Everything about one device, for people; `width` of the terminal. What is not reported is left out. */
export function describe(device: DeviceRecord, width: number): string {
  const facts: Fact[] = [...who(device), ...(device.kind === 'miner' ? mining(device) : []), ...where(device)]
  return [
    ...facts
      .filter(([, value]) => value !== null && value !== undefined && value !== '')
      .map(([name, value]) => `${name.padEnd(12)}${value}`),
    ...(device.kind === 'miner' ? [] : section('Values', values(device))),
    ...parts(device, width - 2).flatMap(([title, rows]) => section(title, rows)),
  ].join('\n')
}

function section(title: string, rows: readonly string[]): string[] {
  return rows.length > 0 ? ['', title, ...rows.map((row) => `  ${row}`)] : []
}

function who(device: DeviceRecord): Fact[] {
  const { id, name, kind, make, model, variant, unknownModel, firmware, status, statusReason, health, at } = device
  const unknown = unknownModel ? ' (not in the hardware table)' : ''
  return [
    ['id', id],
    ['name', name],
    ['kind', kind],
    ['model', [make, model, variant].filter(Boolean).join(' ') + unknown],
    ['firmware', [firmware.family, firmware.version].filter(Boolean).join(' ')],
    ['status', statusReason ? `${status} (${statusReason})` : status],
    ['health', health],
    ['read', at === null ? 'never' : `${age(at)} ago`],
  ]
}

function mining({ metrics }: DeviceRecord): Fact[] {
  const expected = metrics.expectedHashrateThs ?? metrics.nominalHashrateThs
  return [
    ['hashrate', `${hashrate(metrics.hashrateThs)} of ${hashrate(expected)}`],
    ['power', power(metrics.powerW)],
    ['efficiency', `${fixed(metrics.efficiencyJTh)} J/TH`],
    ['temperature', `board ${fixed(metrics.boardTempMaxC)} °C, chip ${fixed(metrics.chipTempMaxC)} °C`],
  ]
}

function where({ address, serial, mac, tags, simulated, capabilities }: DeviceRecord): Fact[] {
  return [
    ['address', address],
    ['serial', serial],
    ['MAC', mac],
    ['tags', tags.join(', ')],
    ['simulated', simulated ? 'yes' : ''],
    ['can do', capabilities.join(', ')],
  ]
}

/** Every value that it reports, by the vocabulary's own titles. */
function values({ metrics }: DeviceRecord): string[] {
  const given = (Object.keys(fields) as Metric[]).filter(
    (name) => metrics[name] !== null && metrics[name] !== undefined,
  )
  const width = Math.max(0, ...given.map((name) => fields[name].title.length))
  return given.map((name) => `${fields[name].title.padEnd(width)}  ${valueText(metrics[name]!, fields[name])}`)
}

function valueText(value: number, { unit }: Field): string {
  if (unit === 'TH/s') return hashrate(value)
  if (unit === 'W') return power(value)
  if (unit === 's') return duration(value * 1000)
  const text = Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)))
  return unit === '1' || unit === '' ? text : `${text} ${unit}`
}

/** Each part of a record that has any. */
function parts(device: DeviceRecord, width: number): [title: string, rows: string[]][] {
  const { boards, fans, pools, readings = [], pdus = [], cooling, workers = [], payments = [] } = device
  return [
    ['Boards', boards.length === 0 ? [] : aligned(boards, boardColumns, width)],
    ['Fans', fans.map((fan) => `${fan.index} ${fan.location ?? ''} ${fan.rpm ?? nothing} RPM`)],
    [
      'Pools',
      pools
        .filter((pool) => pool.url)
        .map(
          ({ index, url, user, alive, active }) =>
            `${index} ${url} ${user} ${alive === false ? 'dead' : active ? 'active' : ''}`,
        ),
    ],
    [
      'Readings',
      readings.map(
        ({ id, name, quantity, value, unit, fault }) =>
          `${name ?? `channel ${id}`}: ${fault ?? `${value === null ? nothing : fixed(value)} ${unit}`} (${quantity})`,
      ),
    ],
    ['Cooling', cooling ? coolingRows(cooling) : []],
    ['Sockets', pdus.length === 0 ? [] : aligned(pdus, pduColumns, width)],
    ['Workers', workers.length === 0 ? [] : aligned(workers.slice(0, mostListed), workerColumns, width)],
    [
      'Payments',
      payments
        .slice(0, mostListed)
        .map(
          ({ at, type, amountBtc }) => `${new Date(at).toISOString().slice(0, 10)} ${type} ${amountBtc.toFixed(8)} BTC`,
        ),
    ],
    [
      'Errors',
      device.errors.map(({ severity, message, action }) => `${severity}: ${message}${action ? ` ${action}` : ''}`),
    ],
    ['Missing', Object.entries(device.missing).map(([field, { message }]) => `${field}: ${message}`)],
  ]
}

/** `--json` has the others. */
const mostListed = 20

type Pdu = NonNullable<DeviceRecord['pdus']>[number]

/** A socket a character, so that a container's hundreds fit a screen. */
const pduColumns: readonly Column<Pdu>[] = [
  { title: 'PDU', get: ({ id, online }) => (online === false ? `${id} (no answer)` : id) },
  {
    title: 'on',
    get: ({ sockets }) => `${sockets.filter(({ enabled }) => enabled).length}/${sockets.length}`,
    align: 'right',
  },
  { title: 'power', get: ({ powerW }) => power(powerW), align: 'right' },
  {
    title: 'sockets (o on, . off)',
    get: ({ sockets }) => sockets.map(({ enabled }) => (enabled == null ? '?' : enabled ? 'o' : '.')).join(''),
  },
]

const workerColumns: readonly Column<NonNullable<DeviceRecord['workers']>[number]>[] = [
  { title: 'worker', get: ({ name }) => name },
  { title: 'online', get: ({ online }) => (online == null ? nothing : online ? 'yes' : 'no') },
  { title: 'hashrate', get: ({ hashrateThs }) => hashrate(hashrateThs), align: 'right' },
  { title: '24 h', get: ({ hashrate24hThs }) => hashrate(hashrate24hThs), align: 'right' },
  { title: 'last share', get: ({ lastShareAt }) => age(lastShareAt), align: 'right' },
]

interface Moves {
  running?: boolean | null
  fault?: boolean | null
  speedPct?: number | null
}

const moving = ({ running, fault, speedPct }: Moves) =>
  (fault ? 'failed' : running == null ? nothing : running ? 'on' : 'off') + (speedPct == null ? '' : ` ${speedPct} %`)

function coolingRows({
  on,
  mode,
  pumps = [],
  fans = [],
  dryCoolers = [],
  tanks = [],
  limits = {},
}: NonNullable<DeviceRecord['cooling']>): string[] {
  return [
    `${on == null ? nothing : on ? 'on' : 'off'}${mode ? `, ${mode}` : ''}`,
    ...pumps.map((pump) => `${pump.type} pump ${pump.id}: ${moving(pump)}`),
    ...fans.map((fan) => `fan ${fan.id}: ${moving(fan)}`),
    ...dryCoolers.map((cooler) => `dry cooler ${cooler.id}: ${moving(cooler)}`),
    ...tanks.map(({ id, coldC, hotC }) => `tank ${id}: ${fixed(coldC)} to ${fixed(hotC)} °C`),
    ...Object.entries(limits).flatMap(([name, value]) => (value == null ? [] : [`${name}: ${value}`])),
  ]
}

const boardColumns: readonly Column<DeviceRecord['boards'][number]>[] = [
  { title: 'slot', get: (board) => board.slot },
  { title: 'status', get: (board) => board.status },
  { title: 'hashrate', get: (board) => hashrate(board.hashrateThs), align: 'right' },
  { title: 'chips', get: (board) => `${board.chips ?? nothing}/${board.expectedChips ?? nothing}`, align: 'right' },
  { title: 'board °C', get: (board) => fixed(board.boardTempC), align: 'right' },
  { title: 'chip °C', get: (board) => fixed(board.chipTempMaxC), align: 'right' },
]
