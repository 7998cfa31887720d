import { commands, kinds, type Metrics, metricsOf } from '#model'
import type { Device, Telemetry } from './define.js'

/** Names of libraries stand in configurations, become names of workers and parts of ids: `miner-acme`. */
const libraryName = /^[a-z][a-z0-9]*(-[a-z0-9]+)+$/
const longestName = 63
/** A library that would poll more often, or wait longer, is not meant so. */
const intervalMs = { least: 100, most: 86_400_000 } as const
const timeoutMs = { least: 10, most: 600_000 } as const

type Part = Readonly<Record<string, unknown>>
type Rule = readonly [field: string, fits: (value: never) => boolean, must: string]

const isText = (value: unknown) => typeof value === 'string' && value !== ''
const isPart = (value: unknown): value is Part => typeof value === 'object' && value !== null && !Array.isArray(value)
const isPort = (value: unknown) =>
  isPart(value) && isText(value.name) && Number.isInteger(value.default) && Number(value.default) > 0
const isFunction = (value: unknown) => typeof value === 'function'
const isWithin = (value: unknown, { least, most }: { least: number; most: number }) =>
  typeof value === 'number' && value >= least && value <= most

const isRead = (value: unknown) =>
  isPart(value) &&
  isFunction(value.parse) &&
  isPart(value.protocol) &&
  isFunction(value.protocol.ask) &&
  isPort(value.protocol.port)

const rules: readonly Rule[] = [
  [
    'library',
    (value: string) => isText(value) && libraryName.test(value) && value.length <= longestName,
    'be a name such as miner-acme',
  ],
  ['kind', (value: string) => (kinds as readonly string[]).includes(value), `be one of ${kinds.join(', ')}`],
  ['make', isText, 'name the maker'],
  ['family', isText, 'name the firmware, or be `stock`'],
  ['mainPort', isPort, 'have a name and a default port'],
  ['models', (value: Part) => isPart(value) && Object.values(value).every(isPart), 'be hardware facts by model'],
  ['modelOf', isFunction, 'be made by defineDevice'],
  [
    'identify',
    (value: Part) =>
      isPart(value) &&
      isFunction(value.match) &&
      Array.isArray(value.probes) &&
      value.probes.every((probe) => isPart(probe) && isFunction(probe.run) && isPort(probe.port)),
    'have probes and a match',
  ],
  ['reads', (value: Part) => isPart(value) && Object.values(value).every(isRead), 'be made by read'],
  ['telemetry', (value: unknown) => Array.isArray(value) && value.length > 0, 'name at least one field'],
  [
    'commands',
    (value: Part) => isPart(value) && Object.values(value).every((each) => isPart(each) && isFunction(each.run)),
    'be what can be run',
  ],
  [
    'defaults',
    (value: Part) =>
      isPart(value) &&
      isWithin(value.intervalMs, intervalMs) &&
      isWithin(value.timeoutMs, timeoutMs) &&
      Array.isArray(value.credentials),
    'have intervalMs, timeoutMs and credentials',
  ],
]

/** Fields of the telemetry that are no metrics. */
const parts: Readonly<Record<Exclude<keyof Telemetry, keyof Metrics>, true>> = {
  model: true,
  variant: true,
  firmwareVersion: true,
  apiVersion: true,
  controlBoard: true,
  serial: true,
  mac: true,
  hostname: true,
  psu: true,
  boards: true,
  fans: true,
  pools: true,
  errors: true,
  tuning: true,
  network: true,
  led: true,
  asleep: true,
  tuningNow: true,
  running: true,
  pdus: true,
  cooling: true,
  ups: true,
  tactics: true,
  readings: true,
  workers: true,
  payments: true,
  limits: true,
  fanSetting: true,
}

/** What is wrong with a value that a package says is a device definition, in words; nothing: it can be used. */
export function deviceProblems(value: unknown): string[] {
  if (!isPart(value)) return ['is no device definition: make it with defineDevice']
  const wrong = rules
    .filter(([field, fits]) => !fits(value[field] as never))
    .map(([field, , must]) => `${field} must ${must}`)
  if (wrong.length > 0) return wrong
  const device = value as unknown as Device
  const metrics = new Set<string>(metricsOf(device.kind))
  const strangers = device.telemetry
    .map(([field]) => field)
    .filter((field) => !Object.hasOwn(parts, field) && !metrics.has(field))
  const unknown = Object.keys(device.commands).filter((name) => !Object.hasOwn(commands, name))
  return [
    ...strangers.map((field) => `a ${device.kind} has no field ${field}`),
    ...unknown.map((name) => `there is no command ${name}`),
  ]
}
