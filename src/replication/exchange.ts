import type { Duplex } from 'node:stream'
import type Hypercore from 'hypercore'

/**
 * Which logs of one feed go over which connections: only these, over only those. All logs over all connections would cost the product of
 * both (`Corestore.replicate` does that).
 */
export class Exchange {
  readonly #streams = new Set<Duplex>()
  readonly #logs = new Map<string, Hypercore>()

  /** Connections that are open. */
  get connections(): number {
    return this.#streams.size
  }

  /** Exchanges all logs of now and later with the peer at the other end, until the stream closes. */
  attach(stream: Duplex): void {
    if (this.#streams.has(stream) || stream.destroyed) return
    this.#streams.add(stream)
    stream.once('close', () => this.#streams.delete(stream))
    for (const log of this.#logs.values()) log.replicate(stream)
  }

  has(name: string): boolean {
    return this.#logs.has(name)
  }

  /** Takes over a session of the log: it is closed with `drop`. */
  add(name: string, log: Hypercore): void {
    this.#logs.set(name, log)
    for (const stream of this.#streams) log.replicate(stream)
  }

  /** The log goes over no connection any more, though they stay open for others. */
  async drop(name: string): Promise<void> {
    const log = this.#logs.get(name)
    if (!log) return
    this.#logs.delete(name)
    for (const peer of [...log.peers]) {
      log.core?.replicator.detachFrom(peer.protomux)
      peer.channel.close()
    }
    await log.close()
  }

  async close(): Promise<void> {
    for (const name of [...this.#logs.keys()]) await this.drop(name)
    this.#streams.clear()
  }
}
