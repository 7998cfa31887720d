import { devices } from '#devices'
import { gateway } from '#gateway'
import { SdkError, Type } from '#model'
import type { ConfigKind, Placement, Service, SiteConfig } from '#node'
import { workerEntryProblems, workerEntryRules, workerServices } from '#workers'

/** The built-in services, by kind. Composition happens here, because only here every room is known. */
const services: readonly Service[] = [...workerServices(devices), gateway]

/** Roles that a configuration may already name; their services come with the mesh. */
const laterRoles = ['aggregator', 'dht', 'monitor'] as const

/** How an entry of `services[]` tells what it is: `lib` makes a device worker, `port` the gateway, `role` the rest. */
export const kinds: readonly ConfigKind[] = [
  {
    kind: 'device-worker',
    matches: (entry) => 'lib' in entry,
    schema: serviceOf('device-worker').config,
    check: (config) => workerEntryProblems(devices, config),
    rules: workerEntryRules(devices),
  },
  { kind: 'gateway', matches: (entry) => 'port' in entry && !('lib' in entry), schema: serviceOf('gateway').config },
  ...laterRoles.map((role) => ({
    kind: role,
    matches: (entry: Readonly<Record<string, unknown>>) => entry.role === role,
    schema: Type.Object({ role: Type.Literal(role) }, { additionalProperties: false }),
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
 * The services that a configuration asks for, and those that belong to every site with workers: the scanner and the commander.
 * Throws CONFIG_INVALID for a service that does not exist.
 */
export function placementsOf(config: SiteConfig): Placement[] {
  const { services: entries, only } = config
  const configured = entries.map(({ name, kind, config: own }) => ({ name, service: serviceOf(kind), config: own }))
  const belonging = companionsOf(config).map((kind) => ({
    name: freeName(kind, entries),
    service: serviceOf(kind),
    config: {},
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

/** Where every service has a process of its own, the one that also runs what belongs to the site as a whole: the gateway's, else the first. */
export function hostOf({ services }: SiteConfig): string | undefined {
  return (services.find(({ kind }) => kind === 'gateway') ?? services[0])?.name
}

function companionsOf({ services }: SiteConfig): string[] {
  return services.some(({ kind }) => kind === 'device-worker') ? ['scanner', 'commander'] : []
}

function freeName(wanted: string, taken: readonly { name: string }[]): string {
  return taken.some(({ name }) => name === wanted) ? `${wanted}-service` : wanted
}
