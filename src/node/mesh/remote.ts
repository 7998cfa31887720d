import type { Key } from '#keys'
import type { FleetRecord, Reader } from '#replication'
import type { Transport } from '#rpc'
import type { RemoteAnswer, RemoteSource } from '../directory.js'

/** A service that another node announced. */
export type KnownService = ReturnType<FleetRecord['services']>[number]

export interface RemoteOptions {
  readonly own: Key
  services(): readonly KnownService[]
  readers(): readonly Reader[]
  /** The copy of the feed that the service announced, if it is its member's. */
  readerOf(service: KnownService): Reader | undefined
  transport(node: Key, contract: string, service: string): Transport
  /** Called with what tells that services or readers changed. */
  watch(listener: () => void): () => void
}

/** What other nodes answer and share, for the directory; worked out anew only after a change. */
export function remoteSource({ own, services, readers, readerOf, transport, watch }: RemoteOptions): RemoteSource {
  let answers: readonly RemoteAnswer[] | undefined
  const list = () =>
    services()
      .filter(({ member }) => member !== own)
      .flatMap((service) => {
        const { member, name, site = '', contracts } = service
        const reader = readerOf(service)
        return contracts.map((contract) => ({
          contract,
          service: name,
          site,
          node: member,
          reader,
          transport: transport(member, contract, name),
        }))
      })
  return {
    answers() {
      answers ??= list()
      return answers
    },
    readers,
    watch: (listener) =>
      watch(() => {
        answers = undefined
        listener()
      }),
  }
}
