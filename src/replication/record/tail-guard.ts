import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import { type Clock, type Log, SdkError, sleep, within } from '#model'
import type { Base } from './base.js'
import type { Left } from './start-mark.js'

const lookMs = 50
const askAgainMs = 3000
/** The library may hang while it takes something in: then it is looked at again whether the log is whole. */
const updateMs = 2000

export type Doubt = Exclude<Left, 'clean' | 'crashed'>

const why: Readonly<Record<Doubt, string>> = {
  new: 'it is here for the first time',
  'lost-power': 'the machine stopped while it was open',
  copied: 'it is a copy, or was restored',
}

/**
 * Keeps a copy that may have lost its end from writing. A block that is appended to a log where others already have another one closes
 * that log at all peers, for good. So before the first block, a copy in doubt catches up with a peer: our own log too is read from others.
 */
export class TailGuard {
  #doubt: Doubt | undefined
  readonly #base: Base
  readonly #clock: Clock
  readonly #log: Log
  /** Our own log as any other: to be downloaded. */
  readonly #own: Hypercore | undefined
  readonly #origin: Hypercore | undefined
  readonly #alone: () => boolean
  readonly #settleMs: number
  /** How much of our log the library knew at its start. */
  readonly #began: number
  /** How long it was already, while it caught up. */
  #seen = 0
  #download: { readonly range: ReturnType<Hypercore['download']>; readonly since: number } | undefined
  /** When the first peer came that is there still. */
  #met: number | undefined
  #closed = false

  constructor(options: {
    base: Base
    cores: Corestore
    left: Left
    clock: Clock
    log: Log
    /** Nobody else is, or was, a member: no other copy can be ahead. */
    alone: () => boolean
    settleMs: number
  }) {
    const { base, cores, left, clock, log, alone, settleMs } = options
    this.#base = base
    this.#clock = clock
    this.#log = log
    this.#alone = alone
    this.#began = base.local.length
    this.#settleMs = settleMs
    const began = left === 'new' && base.key.every((byte, index) => byte === base.local.key[index])
    // A record that begins here has no end to lose, unless there is one.
    const sure = left === 'clean' || left === 'crashed' || (began && base.local.length === 0)
    this.#doubt = sure ? undefined : left
    if (this.#doubt === undefined) return
    this.#own = cores.get({ key: base.local.key, writable: false })
    this.#origin = cores.get({ key: base.key, writable: false })
    if (left !== 'new')
      log.warn({ reason: this.#doubt }, 'this copy of the fleet record catches up with a peer before it writes')
  }

  /** As what it was left, while it is in doubt. */
  get doubt(): Doubt | undefined {
    return this.#doubt
  }

  get clear(): boolean {
    return this.#doubt === undefined
  }

  /** The operator's word: there is no newer copy. */
  trust(): void {
    this.#doubt = undefined
  }

  /**
   * Resolves when it is safe to append. True: not before the record was opened anew, because more of our log has come than the library knew
   * at its start; or because the library cut it back to that, as it does when it is in the middle of taking something in. Until then the copy
   * stays in doubt. Throws UNAVAILABLE after `ms` without a peer.
   */
  async pass(ms: number): Promise<boolean> {
    const [own, origin] = [this.#own, this.#origin]
    if (this.clear || !own || !origin) return false
    await Promise.all([own.ready(), origin.ready()])
    const deadline = this.#clock.hr() + ms
    for (;;) {
      if (own.length < this.#seen || this.#lost(own)) return true
      if (this.#closed) throw new SdkError('STORE_FAILED', 'the fleet record is closed')
      const how = await this.#safe(own, origin)
      if (how !== undefined) {
        if (own.length > this.#began) return true
        this.#log.info({ how }, 'this copy of the fleet record may write')
        this.#doubt = undefined
        return false
      }
      if (this.#clock.hr() >= deadline)
        throw new SdkError(
          'UNAVAILABLE',
          `this copy of the fleet record must meet a peer before it writes: ${why[this.#doubt ?? 'copied']}, and others may have more of its log`,
        )
      await sleep(this.#clock, lookMs)
    }
  }

  /** It grew, and nobody speaks of it any more: its channel may have broken while it was cut back, and is not opened again by itself. */
  #lost(own: Hypercore): boolean {
    return own.length > this.#began && own.peers.length === 0
  }

  /** Why it is safe now; undefined while it is not. */
  async #safe(own: Hypercore, origin: Hypercore): Promise<string | undefined> {
    if (this.#alone()) return 'nobody else is a member'
    // A peer that has not said yet how much of our log it has may have more than we think.
    if (own.peers.length > 0) {
      const said = own.peers.every(({ remoteSynced }) => remoteSynced)
      return said && (await this.#caughtUp(own)) ? 'a peer knows its log' : undefined
    }
    if (origin.peers.length === 0) {
      this.#met = undefined
      return undefined
    }
    this.#met ??= this.#clock.hr()
    const settled = this.#clock.hr() - this.#met >= this.#settleMs
    return settled && (await this.#known()) <= own.length ? 'no peer knows its log' : undefined
  }

  async #caughtUp(own: Hypercore): Promise<boolean> {
    const length = Math.max(own.length, ...own.peers.map(({ remoteLength }) => remoteLength))
    if (own.length < length) {
      // Not awaited: it waits for something newer, and that may have come meanwhile.
      own.update({ wait: true, force: true }).catch(() => undefined)
      return false
    }
    this.#seen = length
    if (!(await own.has(0, length))) {
      this.#fetch(own, length)
      return false
    }
    this.#endDownload()
    const limits = { what: 'taking in what has come', ms: updateMs, signals: [], clock: this.#clock }
    const updated = await within(limits, () => this.#base.update()).then(
      () => true,
      () => false,
    )
    // It may have been cut back meanwhile.
    return updated && own.length >= length && (await this.#known()) <= own.length
  }

  /** Not awaited, and asked for anew now and then: what was asked for before the log was cut back is never told of. */
  #fetch(own: Hypercore, length: number): void {
    const now = this.#clock.hr()
    if (this.#download && now - this.#download.since < askAgainMs) return
    this.#endDownload()
    this.#download = { range: own.download({ start: 0, end: length }), since: now }
  }

  #endDownload(): void {
    this.#download?.range.destroy()
    this.#download = undefined
  }

  /** How long our log is, by what others wrote after it. */
  async #known(): Promise<number> {
    return (await this.#base.system?.get(this.#base.local.key))?.length ?? 0
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#endDownload()
    await this.#own?.close()
    await this.#origin?.close()
  }
}
