import type { Key } from '#keys'
import { SdkError } from '#model'
import type { FleetRecord } from '#replication'
import { type Client, client, registrar, type SwarmPool } from '#rpc'
import type { Network } from '../network/index.js'
import type { Membership } from './membership.js'

export type Registrar = Client<(typeof registrar)['methods']>

export interface WritersOptions {
  readonly own: Key
  readonly membership: Membership
  readonly record: FleetRecord
  readonly network: Network
  readonly pool: SwarmPool
  /** The service that answers for them. */
  readonly service: string
}

/** The other members that write the record: a node holds a connection with each, for it is through them that it hears and is heard. */
export interface Writers {
  /** They may be others now. */
  call(): void
  registrars(): readonly Registrar[]
}

export function createWriters({ own, membership, record, network, pool, service }: WritersOptions): Writers {
  const called = new Set<Key>()
  /** As the record says itself, or as this node was told when it joined. */
  const others = (): Key[] => {
    const known = record.members().filter(({ grant, revoked }) => !revoked && grant.role === 'aggregator')
    return (record.fleet ? known.map(({ key }) => key) : membership.hosts).filter((key) => key !== own)
  }
  return {
    call() {
      const now = new Set(others())
      for (const key of now) if (!called.has(key)) network.joinPeer(key)
      for (const key of called) if (!now.has(key)) network.leavePeer(key)
      called.clear()
      for (const key of now) called.add(key)
    },
    registrars: () => others().map((key) => client(registrar, pool.transport(key, registrar.name, service))),
  }
}

/** Asks one after the other until one answers; throws what the last one said, UNAVAILABLE if there is none. */
export async function firstThatAnswers<T>(
  registrars: readonly Registrar[],
  ask: (registrar: Registrar) => Promise<T>,
): Promise<T> {
  let last: unknown = new SdkError('UNAVAILABLE', 'no aggregator of the fleet can be reached')
  for (const registrar of registrars) {
    try {
      return await ask(registrar)
    } catch (error) {
      last = error
    }
  }
  throw last
}
