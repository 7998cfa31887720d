import type { Key } from '#keys'
import type { Log } from '#model'
import type { Reader } from '#replication'
import type { AnnouncedService } from '#rpc'
import type { OwnAnswer } from '../directory.js'
import { version } from '../version.js'
import { isOwnFeed } from './feeds.js'
import { firstThatAnswers, type Registrar } from './writers.js'

export interface AnnounceOptions {
  readonly site: string
  own(): { answers: readonly OwnAnswer[]; readers: readonly Reader[] }
  kindOf(service: string): string
  /** The key of the relay that this node is; null: it is none. */
  readonly relay: Key | null
  /** Who writes the record, the nearest first. */
  registrars(): readonly Registrar[]
  readonly log: Log
}

/** The service of a node that tells of its relay. */
const relayService = 'mesh'
/** Contracts that are nobody else's business. */
const privately = ['gateway']

/**
 * Tells the fleet what this node answers and shares, whenever that differs from what was told last. Call it again and again; it throws
 * UNAVAILABLE while no registrar takes it.
 */
export function announcer({ site, own, kindOf, relay, registrars, log }: AnnounceOptions): () => Promise<void> {
  let told: string | undefined
  return async () => {
    const services = announced(own(), site, kindOf).map((service) => ({
      ...service,
      relay: service.name === relayService ? relay : null,
    }))
    const text = JSON.stringify(services)
    if (text === told) return
    await firstThatAnswers(registrars(), (registrar) => registrar.announce({ version, services }))
    told = text
    log.info({ services: services.map(({ name }) => name) }, 'announced to the fleet')
  }
}

function announced(
  { answers, readers }: ReturnType<AnnounceOptions['own']>,
  site: string,
  kindOf: (service: string) => string,
): Omit<AnnouncedService, 'relay'>[] {
  const names = new Set([...answers.map(({ service }) => service), ...readers.map(({ worker }) => worker)])
  return [...names].sort().map((name) => {
    const reader = readers.find((one) => one.worker === name)
    return {
      name,
      kind: kindOf(name),
      site,
      contracts: answers
        .filter(({ service, contract }) => service === name && !privately.includes(contract))
        .map(({ contract }) => contract)
        .sort(),
      feed: reader && isOwnFeed(reader) ? { main: reader.feed.main, intervalMs: reader.intervalMs } : null,
    }
  })
}
