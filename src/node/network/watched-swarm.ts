import type { NoiseStream } from 'hyperdht'
import Hyperswarm, { type Options } from 'hyperswarm'

/**
 * A swarm that leaves it to us which of two connections to a peer is kept. By itself it takes the newer one if the older has carried bytes,
 * at once and on trust; when both sides call at the same moment that one may be dead already, and the good one is gone. Here both live until
 * they have said hello (see `peers.ts`). Overrides two inner names of the pinned version; a test with two processes holds it.
 */
export class WatchedSwarm extends Hyperswarm {
  readonly #onSecond: (stream: NoiseStream) => void

  constructor(options: Options, onSecond: (stream: NoiseStream) => void) {
    super(options)
    this.#onSecond = onSecond
  }

  override _handleServerConnection(stream: NoiseStream): void {
    const first = this.destroyed || this.suspended ? null : this._allConnections.get(stream.remotePublicKey)
    if (!first) {
      super._handleServerConnection(stream)
      return
    }
    stream.on('error', () => {})
    this.#onSecond(stream)
    // Once it is the only one the swarm has to know of it, or it would call the peer again.
    first.once('close', () => {
      if (!stream.destroying) this._handleServerConnection(stream)
    })
  }
}
