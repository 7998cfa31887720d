import { join } from 'node:path'
import { type Identity, openVault, type Vault } from '#keys'

/**
 * The vault of each service, in its own folder and under a key of its own; opened now, all together. Each is kept over restarts of its
 * service, or a run that is still ending could write over what the next one has set. One that cannot be opened is that service's trouble
 * alone, and is tried again at its next start.
 */
export async function openVaults(
  identity: Identity,
  storage: string,
  services: readonly string[],
): Promise<(service: string) => Promise<Vault>> {
  const vaults = new Map<string, Promise<Vault>>()
  const vaultOf = (service: string) => {
    const known = vaults.get(service)
    if (known) return known
    const opening = openVault(join(storage, service), identity.seed(`vault/${service}`))
    vaults.set(service, opening)
    opening.catch(() => vaults.delete(service))
    return opening
  }
  await Promise.allSettled(services.map(vaultOf))
  return vaultOf
}
