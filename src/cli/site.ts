import { devices } from '#devices'
import { gateway } from '#gateway'
import { SdkError } from '#model'
import { type ConfigKind, dht, type MeshOptions, monitor, type Placement, type Service, type SiteConfig } from '#node'
import { createShelf, defaultIntervalMs, workerEntryProblems, workerEntryRules, workerServices } from '#workers'
import { hostOf } from './mesh.js'

/** The device libraries of this process. A package is looked for where the command was called, and beside the SDK. */
export const shelf = createShelf({
  builtIn: devices,
  sdkUrl: import.meta.resolve('miningsdk'),
  folders: [process.cwd(), import.meta.dirname],
})

/** The built-in services, by kind. Composition happens here, because only here every room is known. */
const services: readonly Service[] = [...workerServices(shelf), gateway, dht, monitor]

/** Told by their role. */
const roleKinds = ['aggregator', 'dht', 'monitor'] as const

/** How an entry of `services[]` tells what it is: `lib` makes a device worker, `port` the gateway, `role` the rest. */
export const kinds: readonly ConfigKind[] = [
  {
    kind: 'device-worker',
    matches: (entry) => 'lib' in entry,
    schema: serviceOf('device-worker').config,
    check: (config) => workerEntryProblems(devices, config),
    rules: workerEntryRules(devices),
  },
  {
    kind: 'gateway',
    matches: (entry) => 'port' in entry && !('lib' in entry) && !('role' in entry),
    schema: serviceOf('gateway').config,
  },
  ...roleKinds.map((kind) => ({
    kind,
    matches: (entry: Readonly<Record<string, unknown>>) => entry.role === kind,
    schema: serviceOf(kind).config,
  })),
]

function serviceOf(kind: string): Service {
  const found = services.find((service) => service.kind === kind)
  if (!found)
    throw new SdkError(
      'CONFIG_INVALID',
      `this version has no service of the kind ${kind}; remove it from the configuration`,
    )
  return found
}

/**
 * The services that a configuration asks for, and those that belong to every site with workers: the scanner, the commander and the librarian.
 * Throws CONFIG_INVALID for a service that does not exist.
 */
export function placementsOf(config: SiteConfig, mesh?: MeshOptions): Placement[] {
  const { services: entries, only } = config
  const configured = entries.map(({ name, kind, config: own }) => ({ name, service: serviceOf(kind), config: own }))
  const belonging = companionsOf(config, mesh).map(({ kind, config: own }) => ({
    name: freeName(kind, entries),
    service: serviceOf(kind),
    config: own,
  }))
  const all = [...configured, ...belonging]
  if (only === null) return all
  const chosen = all.filter(({ name }) => name === only)
  if (chosen.length === 0)
    throw new SdkError(
      'CONFIG_INVALID',
      `MININGSDK_SERVICE names ${only}; there are ${all.map(({ name }) => name).join(', ')}`,
    )
  return only === hostOf(config) ? [...chosen, ...belonging] : chosen
}

function companionsOf({ services }: SiteConfig, mesh: MeshOptions | undefined): { kind: string; config: object }[] {
  const has = (wanted: string) => services.some(({ kind }) => kind === wanted)
  const workers = services
    .filter(({ kind }) => kind === 'device-worker')
    .map(({ name, config }) => ({ name, lib: String(config.lib) }))
  return [
    ...(has('device-worker') || has('gateway') ? [{ kind: 'librarian', config: { workers } }] : []),
    ...(has('device-worker') ? ['scanner', 'commander'].map((kind) => ({ kind, config: {} })) : []),
    ...(mesh?.aggregates && !has('aggregator') ? [{ kind: 'aggregator', config: { role: 'aggregator' } }] : []),
  ]
}

function freeName(wanted: string, taken: readonly { name: string }[]): string {
  return taken.some(({ name }) => name === wanted) ? `${wanted}-service` : wanted
}

/** With the poll interval of each worker as it will be: where its entry says nothing, its library does. One that was added says it when it is loaded. */
export function withIntervals(config: SiteConfig): SiteConfig {
  const services = config.services.map((entry) => {
    const candidates = devices.filter(({ library }) => library === entry.config.lib)
    if (entry.kind !== 'device-worker' || candidates.length === 0) return entry
    return { ...entry, config: { intervalMs: defaultIntervalMs(candidates), ...entry.config } }
  })
  return { ...config, services }
}
