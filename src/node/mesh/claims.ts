import { fingerprintOf, type Key } from '#keys'
import { SdkError } from '#model'
import type { FleetRecord } from '#replication'
import { type AnnouncedService, deviceWorker } from '#rpc'
import type { KnownService } from './remote.js'

type Member = NonNullable<ReturnType<FleetRecord['member']>>

/** A service that is announced anew, and another living member's that has its name or its feed already. */
export interface Claim {
  readonly service: AnnouncedService
  readonly other: KnownService
  readonly owner: Member
  /** Another process of the same machine: it ran there until now. */
  readonly sameMachine: boolean
}

const machineOf = ({ key, host }: Member) => host ?? key
const isWorker = ({ contracts }: { readonly contracts: readonly string[] }) => contracts.includes(deviceWorker.name)

/**
 * What of the announced services others have: the name of a device worker at its site, for by that name people command its devices and
 * give it passwords; and any feed. What every machine runs, a scanner for example, has the same name everywhere.
 */
export function claimsOf(
  record: FleetRecord,
  now: number,
  member: Key,
  services: readonly AnnouncedService[],
): Claim[] {
  const claimer = record.member(member)
  const known = record.services()
  const living = (key: Key) => {
    const found = record.member(key)
    return found && !found.revoked && (found.grant.until ?? Number.POSITIVE_INFINITY) > now ? found : undefined
  }
  return services.flatMap((service) => {
    const main = service.feed?.main
    const hasName = (one: KnownService) => one.name === service.name && one.site === service.site && isWorker(one)
    const own = known.find((one) => one.member === member && one.name === service.name)
    const newName = isWorker(service) && !(own && hasName(own))
    const newFeed = main !== undefined && own?.feed !== main
    return known.flatMap((other) => {
      if (other.member === member || !((newName && hasName(other)) || (newFeed && other.feed === main))) return []
      const owner = living(other.member)
      if (!owner) return []
      return [{ service, other, owner, sameMachine: claimer !== undefined && machineOf(claimer) === machineOf(owner) }]
    })
  })
}

/** CONFLICT, in words that say whose it is and what to do. */
export function conflictOf({ other, owner }: Claim): SdkError {
  const whose = `${owner.name} (${fingerprintOf(owner.key)})`
  const message = `${other.name} of ${other.site} is a service of ${whose} already: give one of the two another name, or revoke that member if its machine is gone`
  return new SdkError('CONFLICT', message)
}
