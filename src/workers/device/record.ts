import type { Device, Observation, Telemetry } from '#devices'
import {
  type DeviceEntry,
  type DeviceError,
  type DeviceRecord,
  type ErrorCode,
  errorInfo,
  healthOf,
  type Kind,
  kinds,
  type Metrics,
  metricsOf,
  offlineAfterFailures,
  type PlantPart,
  plantPartNames,
  type SdkError,
  type Status,
  statusOf,
} from '#model'
import { kept } from './same.js'

/** A restart that was caused by us and is not over yet. */
export interface Pending {
  readonly status: 'rebooting' | 'updating'
  readonly since: number
  /** How long it had been running before; a shorter time afterwards shows that it restarted. */
  readonly runningS: number | null
  /** After this it is over, whatever the device shows. */
  readonly until: number
}

/** Where a record belongs, and what stands in it before the device was ever read. */
export interface Home {
  readonly site: string
  readonly worker: string
  readonly kind: Kind
  readonly make: string
  readonly mainPort: number
  readonly simulated: boolean
}

export function emptyRecord(home: Home, id: string, entry: DeviceEntry): DeviceRecord {
  return placed(
    {
      id,
      kind: home.kind,
      make: home.make,
      model: null,
      variant: null,
      unknownModel: false,
      firmware: {},
      site: home.site,
      worker: home.worker,
      address: '',
      serial: null,
      mac: null,
      hostname: null,
      controlBoard: null,
      psu: null,
      name: null,
      tags: [],
      location: {},
      simulated: home.simulated,
      status: 'unknown',
      statusReason: 'not asked yet',
      health: 'unknown',
      at: null,
      askedAt: null,
      latencyMs: null,
      metrics: {},
      boards: [],
      fans: [],
      pools: [],
      errors: [],
      tuning: null,
      network: null,
      led: null,
      missing: {},
      capabilities: [],
    },
    home,
    entry,
  )
}

/** The record with what the operator says of the device. */
export function placed(record: DeviceRecord, home: Home, entry: DeviceEntry, device?: Device): DeviceRecord {
  return {
    ...record,
    address: addressOf(home, entry, device),
    name: entry.name ?? null,
    tags: entry.tags ?? [],
    location: entry.location ?? {},
    simulated: entry.simulated ?? home.simulated,
  }
}

export function addressOf(home: Home, entry: DeviceEntry, device?: Device): string {
  return `${entry.host}:${entry.port ?? device?.mainPort.default ?? home.mainPort}`
}

/** What does not change by itself: if it could not be read this time, what was read before stands. */
type Lasting = 'model' | 'variant' | 'serial' | 'mac' | 'hostname' | 'controlBoard' | 'psu' | 'tuning' | 'network'

/** The record after a visit that read the device at `at`. */
export function readRecord(
  previous: DeviceRecord,
  device: Device,
  seen: Observation,
  facts: { at: number; askedAt: number; pending: Pending | undefined },
): DeviceRecord {
  const { telemetry, missing } = seen
  const metrics = numbersOf(device.kind, telemetry)
  const errors = seenErrors(previous.errors, telemetry.errors, missing.errors !== undefined, facts.at)
  const status = statusOf(device.kind, {
    failures: 0,
    never: false,
    pending: facts.pending?.status,
    asleep: telemetry.asleep,
    tuning: telemetry.tuningNow,
    running: telemetry.running,
    metrics,
    errors,
  })
  const stands = <F extends Lasting>(field: F, now: NonNullable<DeviceRecord[F]> | undefined) =>
    now ?? (missing[field] ? (previous[field] ?? null) : null)
  // Written out, not copied from `previous`: that takes twenty times as long, on every poll.
  const record: Required<Omit<DeviceRecord, PlantPart>> = {
    id: previous.id,
    kind: device.kind,
    make: device.make,
    model: stands('model', telemetry.model),
    variant: stands('variant', telemetry.variant),
    unknownModel: seen.model === undefined && telemetry.model !== undefined,
    firmware: kept(previous.firmware, {
      family: device.family,
      version: telemetry.firmwareVersion ?? (missing.firmwareVersion ? (previous.firmware.version ?? null) : null),
      api: telemetry.apiVersion ?? (missing.apiVersion ? (previous.firmware.api ?? null) : null),
    }),
    site: previous.site,
    worker: previous.worker,
    address: previous.address,
    serial: stands('serial', telemetry.serial),
    mac: stands('mac', telemetry.mac),
    hostname: stands('hostname', telemetry.hostname),
    controlBoard: stands('controlBoard', telemetry.controlBoard),
    psu: kept(previous.psu, stands('psu', telemetry.psu)),
    name: previous.name ?? null,
    tags: previous.tags,
    location: previous.location,
    simulated: previous.simulated,
    status,
    statusReason: reasonOf(status, errors),
    health: healthOf(status, metrics, errors),
    at: facts.at,
    askedAt: facts.askedAt,
    latencyMs: seen.latencyMs,
    metrics,
    boards: kept(previous.boards, telemetry.boards ?? []),
    fans: kept(previous.fans, telemetry.fans ?? []),
    pools: kept(previous.pools, telemetry.pools ?? []),
    errors,
    tuning: kept(previous.tuning, stands('tuning', telemetry.tuning)),
    network: kept(previous.network, stands('network', telemetry.network)),
    led: telemetry.led ?? null,
    missing: kept(previous.missing, missing),
    capabilities: device.capabilities as DeviceRecord['capabilities'],
  }
  return device.kind === 'miner' ? record : { ...record, ...plantPartsOf(telemetry) }
}

/** Since its last start, s; firmware that does not tell its own uptime tells that of mining. */
export function runningTime({ uptimeS, miningUptimeS }: Metrics): number | null {
  return uptimeS ?? miningUptimeS ?? null
}

/** What containers, sensors and pool accounts have beside what miners have. */
function plantPartsOf(telemetry: Telemetry): Partial<DeviceRecord> {
  return Object.fromEntries(plantPartNames.map((name) => [name, telemetry[name]]))
}

/**
 * All metrics of a kind, so that those of its records have one shape: copying and comparing them is what every poll does. Not frozen: to
 * copy a frozen object takes ten times as long.
 */
const noMetrics = Object.fromEntries(kinds.map((kind) => [kind, blankOf(kind)])) as Record<Kind, Readonly<Metrics>>

function blankOf(kind: Kind): Readonly<Metrics> {
  return Object.fromEntries(metricsOf(kind).map((name) => [name, undefined]))
}

function numbersOf(kind: Kind, telemetry: Telemetry): Metrics {
  const metrics: Metrics = { ...noMetrics[kind] }
  for (const name of metricsOf(kind)) {
    const value = telemetry[name]
    if (value !== undefined) metrics[name] = value
  }
  return metrics
}

/** Two readings of one error have the same key. */
export function errorKey(error: DeviceError): string {
  return `${error.code}/${error.vendorCode ?? ''}/${error.component}/${error.index ?? ''}`
}

/** Written out, so that all errors have one shape. */
function seenError(error: DeviceError, firstSeenAt: number, lastSeenAt: number): DeviceError {
  const { code, vendorCode = null, severity, component, index = null, message, cause = null, action = null } = error
  return { code, vendorCode, severity, component, index, message, cause, action, firstSeenAt, lastSeenAt }
}

/** The errors with when they came. Those that could not be asked for this time are not gone: nobody saw that. */
function seenErrors(
  before: readonly DeviceError[],
  now: readonly DeviceError[] | undefined,
  unread: boolean,
  at: number,
): DeviceError[] {
  if (!unread && !now?.length) return []
  const known = new Map(before.map((error) => [errorKey(error), error]))
  const errors = (now ?? []).map((error) => {
    const key = errorKey(error)
    const first = known.get(key)?.firstSeenAt ?? at
    known.delete(key)
    return seenError(error, first, at)
  })
  return unread ? [...errors, ...known.values()] : errors
}

/** Why a status is what it is, where it does not speak for itself. */
export function reasonOf(status: Status, errors: readonly DeviceError[]): string | null {
  if (status === 'rebooting') return 'it was told to restart'
  if (status === 'updating') return 'its firmware is being changed'
  if (status !== 'error' && status !== 'not-mining') return null
  const worst = ['critical', 'high', 'medium', 'low', 'info'].flatMap((severity) =>
    errors.filter((error) => error.severity === severity),
  )
  return worst[0]?.message ?? null
}

/** These say that something answered: the device is there, but it could not be read. */
const answers: ReadonlySet<ErrorCode> = new Set([
  'DEVICE_AUTH',
  'DEVICE_REFUSED',
  'DEVICE_WRITE_DISABLED',
  'DEVICE_UNSUPPORTED',
  'DEVICE_UNKNOWN',
  'DEVICE_NOT_ACCEPTED',
  'DEVICE_BAD_REPLY',
  'DEVICE_BUSY',
])

export function isAnswer(error: SdkError): boolean {
  return answers.has(error.code)
}

/**
 * The record after a visit that failed. Values stay with their age. A first failure changes nothing; then a device that does not answer is
 * offline, and one that answers something that cannot be read is unknown, with the reason.
 */
export function failedRecord(
  previous: DeviceRecord,
  error: SdkError,
  facts: { failures: number; askedAt: number; pending: Pending | undefined },
): DeviceRecord {
  const { failures, askedAt, pending } = facts
  const never = previous.at === null
  const refused = error.code === 'DEVICE_NOT_ACCEPTED'
  if (failures < offlineAfterFailures && !never && !refused && !pending) return { ...previous, askedAt }
  const status =
    isAnswer(error) && !pending
      ? 'unknown'
      : statusOf(previous.kind, {
          failures,
          never,
          pending: pending?.status,
          metrics: previous.metrics,
          errors: previous.errors,
        })
  return {
    ...previous,
    status,
    statusReason: pending ? reasonOf(status, []) : error.message,
    health: healthOf(status, previous.metrics, previous.errors),
    askedAt,
    missing: { metrics: errorInfo(error) },
    ...(refused ? { capabilities: [] } : {}),
  }
}
