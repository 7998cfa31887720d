import { join } from 'node:path'
import { ownerFile, type Role } from '#keys'
import { type Log, systemClock } from '#model'
import { createFleet, loadGrant, loadMembership, type MeshOptions, mainProcess, type SiteConfig } from '#node'
import type { Keep } from '#replication'

/** Whether the fleet's DHT is not on this machine: then its processes need another one to meet while the way out is cut. */
async function isElsewhere({ storage, network }: SiteConfig): Promise<boolean> {
  const bootstrap = network.bootstrap ?? (await loadMembership(storage))?.bootstrap ?? 'local'
  return bootstrap !== 'local' && !(Array.isArray(bootstrap) && bootstrap.every((node) => node.startsWith('127.')))
}

const roleOf: Readonly<Record<string, Role>> = { gateway: 'gateway', aggregator: 'aggregator', monitor: 'monitor' }

/**
 * How this process takes part in the fleet of its folder; undefined: there is none. Where every service has a process of its own there
 * always is one, for how else would they meet.
 */
export async function meshOf(config: SiteConfig): Promise<MeshOptions | undefined> {
  const { storage, site, mode, only, network, services: entries } = config
  const split = mode === 'microservices' && only !== null
  // A node of the DHT belongs to nobody and needs no key.
  if (split && entries.some(({ name, kind }) => name === only && kind === 'dht')) return undefined
  if (!split && !(await loadMembership(storage))) return undefined
  const host = hostOf(config)
  const main = !split || only === host
  const siblings = entries
    .filter(({ name, kind }) => name !== host && kind !== 'dht')
    .map(({ name, kind }) => ({ process: name, role: roleOf[kind] ?? 'worker', site }))
  const keep = entries.find(({ kind }) => kind === 'monitor')?.config.keep as Keep | undefined
  return {
    process: main ? mainProcess : only!,
    siblings: split && main ? siblings : [],
    aggregates: main && (await loadGrant(storage, mainProcess))?.role === 'aggregator',
    bootstrap: network.bootstrap ?? undefined,
    site: network.site ?? (split && (await isElsewhere(config)) ? 'local' : undefined),
    port: main ? (network.port ?? undefined) : undefined,
    host: network.host ?? undefined,
    relay: main && network.relay,
    keep,
    maxRecordAgeMs: network.trustRecordHours * 3_600_000,
  }
}

/**
 * Services with a process each meet as peers of a fleet. Where nobody made one, the process that stands for the site makes it for this
 * machine alone; the owner's key then lies in the storage folder.
 */
export async function ensureFleet(config: SiteConfig, log: Log): Promise<void> {
  const { storage, site, mode, only, network } = config
  if (mode !== 'microservices' || only === null || only !== hostOf(config) || (await loadMembership(storage))) return
  await createFleet({
    storage,
    name: site,
    member: only,
    bootstrap: network.bootstrap ?? 'local',
    ownerFile: join(storage, ownerFile),
    clock: systemClock,
    log,
  })
}

/** Where every service has a process of its own, the one that also runs what belongs to the site as a whole: the gateway's, else the first. */
export function hostOf({ services }: SiteConfig): string | undefined {
  const first = (kind: string) => services.find((service) => service.kind === kind)
  return (first('gateway') ?? first('aggregator') ?? first('device-worker') ?? services[0])?.name
}
