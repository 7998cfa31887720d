import type { ErrorInfo } from './errors.js'
import { type Metrics, metricNames } from './fields.js'
import { kinds } from './kinds.js'
import { plantParts } from './plant.js'
import { type Static, Type } from './schema.js'

/** What the states mean and the order in which they are decided: status.ts. */
export const statuses = [
  'mining',
  'starting',
  'tuning',
  'sleeping',
  'curtailed',
  'not-mining',
  'running',
  'stopped',
  'rebooting',
  'updating',
  'offline',
  'stale',
  'error',
  'unknown',
] as const
export type Status = (typeof statuses)[number]

/** `ok`: nothing to do. `degraded`: works, but something is wrong. `critical`: act now. `unknown`: not to be told. */
export const healths = ['ok', 'degraded', 'critical', 'unknown'] as const
export type Health = (typeof healths)[number]

export const severities = ['info', 'low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof severities)[number]

export const components = [
  'board',
  'chip',
  'fan',
  'psu',
  'control',
  'pool',
  'network',
  'cooling',
  'env',
  'pdu',
  'sensor',
  'security',
  'device',
] as const
export type Component = (typeof components)[number]

const nullable = <T extends import('./schema.js').TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const optionalNumber = Type.Optional(nullable(Type.Number()))
const optionalString = Type.Optional(nullable(Type.String()))

export const KindSchema = Type.Enum(kinds)
export const StatusSchema = Type.Enum(statuses)
export const HealthSchema = Type.Enum(healths)

export const BoardSchema = Type.Object({
  /** 0-based. */
  slot: Type.Integer({ minimum: 0 }),
  serial: optionalString,
  status: Type.Optional(Type.Enum(['ok', 'degraded', 'missing', 'disabled', 'error'])),
  hashrateThs: optionalNumber,
  expectedHashrateThs: optionalNumber,
  chips: optionalNumber,
  expectedChips: optionalNumber,
  frequencyMhz: optionalNumber,
  voltageV: optionalNumber,
  powerW: optionalNumber,
  boardTempC: optionalNumber,
  chipTempMinC: optionalNumber,
  chipTempMaxC: optionalNumber,
  chipTempAvgC: optionalNumber,
  inletTempC: optionalNumber,
  outletTempC: optionalNumber,
  hwErrors: optionalNumber,
  hwErrorPct: optionalNumber,
  tuned: Type.Optional(nullable(Type.Boolean())),
  /** The vendor's chip map: `o` good, `x` bad, `-` absent. */
  chipMap: optionalString,
})
export type Board = Static<typeof BoardSchema>

export const FanSchema = Type.Object({
  /** 0-based. */
  index: Type.Integer({ minimum: 0 }),
  location: Type.Optional(Type.Enum(['in', 'out', 'psu', 'case'])),
  rpm: optionalNumber,
  dutyPct: optionalNumber,
  status: Type.Optional(Type.Enum(['ok', 'failed'])),
})
export type Fan = Static<typeof FanSchema>

export const PoolSchema = Type.Object({
  /** 0-based; the order in which the miner prefers them is `priority`. */
  index: Type.Integer({ minimum: 0 }),
  url: Type.String(),
  user: Type.String(),
  active: Type.Optional(nullable(Type.Boolean())),
  alive: Type.Optional(nullable(Type.Boolean())),
  priority: optionalNumber,
  quota: optionalNumber,
  accepted: optionalNumber,
  rejected: optionalNumber,
  stale: optionalNumber,
  rejectPct: optionalNumber,
  /** ms since the epoch. */
  lastShareAt: optionalNumber,
  difficulty: optionalNumber,
  devFee: Type.Optional(Type.Boolean()),
})
export type Pool = Static<typeof PoolSchema>

export const DeviceErrorSchema = Type.Object({
  /** Ours, stable: `fan-speed`, `board-missing` ... */
  code: Type.String(),
  vendorCode: optionalString,
  severity: Type.Enum(severities),
  component: Type.Enum(components),
  /** 0-based position of the component. */
  index: Type.Optional(nullable(Type.Integer())),
  message: Type.String(),
  cause: optionalString,
  action: optionalString,
  /** ms since the epoch, of the first and the last reading that showed it. */
  firstSeenAt: optionalNumber,
  lastSeenAt: optionalNumber,
})
export type DeviceError = Static<typeof DeviceErrorSchema>

export const powerModes = ['low', 'normal', 'high', 'custom', 'sleep'] as const
export type PowerMode = (typeof powerModes)[number]

export const TuningSchema = Type.Object({
  mode: Type.Optional(nullable(Type.Enum(powerModes))),
  targetW: optionalNumber,
  targetThs: optionalNumber,
  percent: optionalNumber,
  frequencyPct: optionalNumber,
  preset: optionalString,
  tuned: Type.Optional(nullable(Type.Boolean())),
})
export type Tuning = Static<typeof TuningSchema>

export const NetworkSchema = Type.Object({
  dhcp: Type.Optional(nullable(Type.Boolean())),
  ip: optionalString,
  netmask: optionalString,
  gateway: optionalString,
  dns: Type.Optional(Type.Array(Type.String())),
})
export type Network = Static<typeof NetworkSchema>

export const PsuSchema = Type.Object({ model: optionalString, serial: optionalString, version: optionalString })
export type Psu = Static<typeof PsuSchema>

export const LocationSchema = Type.Object(
  {
    container: Type.Optional(Type.String({ maxLength: 64 })),
    rack: Type.Optional(Type.Union([Type.Integer(), Type.String({ maxLength: 64 })])),
    slot: Type.Optional(Type.Union([Type.Integer(), Type.String({ maxLength: 64 })])),
  },
  { additionalProperties: false },
)
export type Location = Static<typeof LocationSchema>

export const ErrorInfoSchema = Type.Object({
  code: Type.String(),
  message: Type.String(),
  details: Type.Optional(Type.Unknown()),
})

export const MetricsSchema = Type.Object(
  Object.fromEntries(metricNames.map((name) => [name, optionalNumber])) as Record<string, typeof optionalNumber>,
)

/** One shape everywhere (interface.md §3). null or absent: unknown. 0: measured zero. Units are in the names. */
export const DeviceRecordSchema = Type.Object({
  id: Type.String(),
  kind: KindSchema,
  make: optionalString,
  model: optionalString,
  variant: optionalString,
  /** True if the model is not in the hardware table: it is read all the same, without expected values. */
  unknownModel: Type.Optional(Type.Boolean()),
  firmware: Type.Object({ family: optionalString, version: optionalString, api: optionalString }),
  site: Type.String(),
  worker: Type.String(),
  address: Type.String(),
  serial: optionalString,
  mac: optionalString,
  hostname: optionalString,
  controlBoard: optionalString,
  psu: Type.Optional(nullable(PsuSchema)),
  name: optionalString,
  tags: Type.Array(Type.String()),
  location: LocationSchema,
  simulated: Type.Boolean(),
  status: StatusSchema,
  /** Why the status is what it is, in words; null where the status speaks for itself. */
  statusReason: optionalString,
  health: HealthSchema,
  /** When the values were measured (ms, collector's clock); null if the device never answered. */
  at: nullable(Type.Number()),
  /** When the device was last asked. */
  askedAt: nullable(Type.Number()),
  /** How long it took to answer, ms. */
  latencyMs: optionalNumber,
  metrics: MetricsSchema,
  boards: Type.Array(BoardSchema),
  fans: Type.Array(FanSchema),
  pools: Type.Array(PoolSchema),
  errors: Type.Array(DeviceErrorSchema),
  tuning: Type.Optional(nullable(TuningSchema)),
  ...plantParts,
  network: Type.Optional(nullable(NetworkSchema)),
  led: Type.Optional(nullable(Type.Enum(['on', 'off', 'blink']))),
  /** Field to reason, for fields that this device reports but that could not be read this time. */
  missing: Type.Record(Type.String(), ErrorInfoSchema),
  capabilities: Type.Array(Type.String()),
})
export interface DeviceRecord extends Omit<Static<typeof DeviceRecordSchema>, 'metrics' | 'missing'> {
  metrics: Metrics
  missing: Record<string, ErrorInfo>
}

/** Checked against the schema of the library, wherever they come from. */
export const OptionsSchema = Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), {
  description: 'Settings of the library; docs/supported-devices.md lists them.',
})
export type Options = Readonly<Record<string, unknown>>

/** What the operator says of a device: address, names, places, credentials by reference. Kept by the worker. */
export const DeviceEntrySchema = Type.Object(
  {
    host: Type.String({ minLength: 1, maxLength: 253, pattern: '^[A-Za-z0-9._:-]+$' }),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535 })),
    /** Further ports by protocol name (`{ "http": 8080 }`), for devices behind a port forward. */
    ports: Type.Optional(Type.Record(Type.String(), Type.Integer({ minimum: 1, maximum: 65535 }))),
    /** True for devices of our simulators; the record and every surface say so. */
    simulated: Type.Optional(Type.Boolean()),
    id: Type.Optional(Type.String({ minLength: 1, maxLength: 128, pattern: '^[A-Za-z0-9._~-]+$' })),
    name: Type.Optional(Type.String({ maxLength: 128 })),
    unit: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
    username: Type.Optional(Type.String({ maxLength: 128 })),
    password: Type.Optional(
      Type.Union([
        Type.String({ maxLength: 256 }),
        Type.Object({ env: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
      ]),
    ),
    tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 64 })),
    location: Type.Optional(LocationSchema),
    /** Settings of its library (a meter's scaling, a register map ...); the library says which there are and refuses others. */
    options: Type.Optional(OptionsSchema),
  },
  { additionalProperties: false },
)
export type DeviceEntry = Static<typeof DeviceEntrySchema>

/** Makes a URL-safe id of any text (interface.md §3: `[A-Za-z0-9._~-]+`). */
export function idOf(...parts: string[]): string {
  return parts.map((part) => part.replace(/[^A-Za-z0-9._~-]+/g, '-')).join('.')
}
