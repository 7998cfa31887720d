import { Gauge, Registry } from 'prom-client'
import { type DeviceRecord, isLive, kinds, statuses } from '#model'
import type { Totals } from '#replication'
import type { Caller, ServiceHealth } from '#rpc'
import type { Gateway } from './gateway.js'
import { seenBy } from './sight.js'

/** The value, or undefined: then there is no sample, for unknown is not 0. */
type Value = number | null | undefined
const scaled = (value: Value, factor: number): Value => (value == null ? value : value * factor)

const hashesPerTerahash = 1e12
const ms = 1e-3

/** One sample a site. Base units: hashes per second, watts, degrees Celsius, seconds. */
const siteFamilies: readonly [name: string, help: string, value: (totals: Totals) => Value][] = [
  ['hashrate_hashes_per_second', 'Sum over live devices', (t) => scaled(t.hashrateThs, hashesPerTerahash)],
  [
    'expected_hashrate_hashes_per_second',
    'What live devices aim at',
    (t) => scaled(t.expectedHashrateThs, hashesPerTerahash),
  ],
  [
    'nominal_hashrate_hashes_per_second',
    'What the labels of live devices say',
    (t) => scaled(t.nominalHashrateThs, hashesPerTerahash),
  ],
  ['power_watts', 'Sum over live miners, or what stands in for them', (t) => t.powerW],
  ['container_power_watts', 'Sum over live containers, as they measure it', (t) => t.containerPowerW],
  ['site_power_watts', "At the site's connection, by its meters", (t) => t.sitePowerW],
  ['board_temperature_max_celsius', 'Hottest board', (t) => t.boardTempMaxC],
  ['chip_temperature_max_celsius', 'Hottest chip', (t) => t.chipTempMaxC],
  ['live_devices', 'Devices whose values count', (t) => t.live],
  ['simulated_devices', 'Devices that are simulated', (t) => t.simulated],
  ['oldest_sample_timestamp_seconds', 'When the oldest value that counts was measured', (t) => scaled(t.oldestAt, ms)],
  ['newest_sample_timestamp_seconds', 'When the newest value that counts was measured', (t) => scaled(t.newestAt, ms)],
]

/** One sample a device, and only if asked for. */
const deviceFamilies: readonly [name: string, help: string, value: (record: DeviceRecord) => Value][] = [
  ['hashrate_hashes_per_second', 'Hashrate', (d) => scaled(d.metrics.hashrateThs, hashesPerTerahash)],
  ['power_watts', 'Power at the wall, or through the meter', (d) => d.metrics.powerW],
  ['board_temperature_max_celsius', 'Hottest board', (d) => d.metrics.boardTempMaxC],
  ['chip_temperature_max_celsius', 'Hottest chip', (d) => d.metrics.chipTempMaxC],
]

const serviceFamilies: readonly [name: string, help: string, value: (service: ServiceHealth) => Value][] = [
  ['up', 'It runs', (s) => Number(s.state === 'running')],
  ['ready', 'It does its work', (s) => Number(s.ready)],
  ['restarts', 'Restarts since the node started', (s) => s.restarts],
]

/** The Prometheus text of what the caller may see, made anew for each scrape so that nothing of a removed device stays. */
export async function metricsText(
  { fleet, stream, auth, audit, startedAt }: Gateway,
  caller: Caller,
  services: readonly ServiceHealth[],
  perDevice: boolean,
): Promise<string> {
  const registry = new Registry()
  const gauge = (name: string, help: string, labelNames: string[]) =>
    new Gauge({ name: `miningsdk_${name}`, help, labelNames, registers: [registry] })
  const sight = seenBy(fleet, caller)
  const sites = sight.groups('site')

  for (const [name, help, value] of siteFamilies) {
    const family = gauge(`site_${name}`, help, ['site'])
    for (const { key, totals } of sites) set(family, { site: key }, value(totals))
  }
  const byStatus = gauge('devices', 'Devices by status', ['site', 'status'])
  const byKind = gauge('devices_by_kind', 'Devices by kind', ['site', 'kind'])
  const errors = gauge('device_errors', 'Errors that devices show, by severity', ['site', 'severity'])
  for (const { key: site, totals } of sites) {
    for (const status of statuses) byStatus.set({ site, status }, totals.byStatus[status] ?? 0)
    for (const kind of kinds) byKind.set({ site, kind }, totals.byKind[kind] ?? 0)
    for (const [severity, count] of Object.entries(totals.errors)) errors.set({ site, severity }, count)
  }

  for (const [name, help, value] of serviceFamilies) {
    const family = gauge(`service_${name}`, help, ['site', 'service', 'kind'])
    for (const one of services) set(family, { site: one.site, service: one.name, kind: one.kind }, value(one))
  }
  const figures = gauge('service_stat', 'What a service counts of itself', ['site', 'service', 'stat'])
  for (const { site, name, stats } of services) {
    for (const [stat, value] of Object.entries(stats)) set(figures, { site, service: name, stat }, value)
  }

  gauge('gateway_streams', 'Live streams that are open', []).set(stream.clients)
  gauge('gateway_sessions', 'Browsers that are signed in', []).set(auth.sessions.size)
  gauge('gateway_audit_lost', 'Audit entries that could not be written', []).set(audit.lost)
  gauge('gateway_start_time_seconds', 'When the gateway started', []).set(startedAt * ms)
  processFigures(registry)

  if (perDevice) perDeviceFigures(registry, sight.match({}))
  return registry.metrics()
}

function perDeviceFigures(registry: Registry, records: readonly DeviceRecord[]): void {
  const labelNames = ['id', 'site', 'model']
  const live = new Gauge({ name: 'miningsdk_device_live', help: 'Its values count', labelNames, registers: [registry] })
  for (const record of records) live.set(labelsOf(record), Number(isLive(record.status)))
  for (const [name, help, value] of deviceFamilies) {
    const family = new Gauge({ name: `miningsdk_device_${name}`, help, labelNames, registers: [registry] })
    for (const record of records) if (isLive(record.status)) set(family, labelsOf(record), value(record))
  }
}

function labelsOf({ id, site, model }: DeviceRecord) {
  return { id, site, model: model ?? 'unknown' }
}

/** The names that dashboards for Node.js expect. */
function processFigures(registry: Registry): void {
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  const figures: [name: string, help: string, value: number][] = [
    ['process_resident_memory_bytes', 'Resident memory', rss],
    ['nodejs_heap_size_used_bytes', 'Used heap', heapUsed],
    ['process_cpu_seconds_total', 'User and system CPU', (user + system) * 1e-6],
    ['process_uptime_seconds', 'Since the process started', process.uptime()],
  ]
  for (const [name, help, value] of figures) new Gauge({ name, help, registers: [registry] }).set(value)
}

function set<L extends string>(gauge: Gauge<L>, labels: Record<L, string>, value: Value): void {
  if (value != null && Number.isFinite(value)) gauge.set(labels, value)
}
