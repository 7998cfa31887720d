import type { Duplex } from 'node:stream'
import b4a from 'b4a'
import type Corestore from 'corestore'
import { type Key, keyOf, roles } from '#keys'
import { type Clock, type Log, SdkError, toSdkError } from '#model'
import { thisBoot } from '../feeds.js'
import { Acker } from './acker.js'
import type { Base } from './base.js'
import { Currency } from './currency.js'
import { FullCopy } from './full-copy.js'
import { KeyCheck } from './key-check.js'
import type { Mirror } from './mirror.js'
import { Pace } from './pace.js'
import { readMark, writeMark } from './start-mark.js'
import { TailGuard } from './tail-guard.js'
import type { RecordLimits, RecordSettings } from './types.js'
import { Watchdog } from './watchdog.js'

interface Parts {
  readonly base: Base
  readonly mirror: Mirror
  readonly options: RecordSettings & { readonly cores: Corestore }
  readonly limits: RecordLimits
  readonly clock: Clock
  readonly log: Log
  readonly writable: () => boolean
  /** The base is about to be opened anew: it must not append. */
  readonly renewing: () => boolean
  /** A mark of the block that is being taken in; 0: none is. */
  readonly applying: () => number
  /** It takes nothing in although there is something. */
  readonly stuck: () => void
  /** Something is wrong, and goes on. */
  readonly problem: (error: SdkError) => void
  /** Something is wrong for good. */
  readonly stop: (error: SdkError) => void
}

const rememberMs = 600_000

/** What keeps one copy of the record sound while it is open: its key, its end, its signatures, its age, its progress. */
export class Upkeep {
  readonly #parts: Parts
  readonly #boot: string
  readonly #guard: TailGuard
  readonly #currency: Currency
  readonly #watchdog: Watchdog
  readonly #keyCheck: KeyCheck
  readonly #acker: Acker
  readonly #fullCopy: FullCopy
  readonly #pace: Pace
  #stop: () => void = () => undefined

  /** Throws RECORD_KEY_WRONG. */
  static async open(parts: Parts): Promise<Upkeep> {
    const { base, options } = parts
    const { cores, encryptionKey, boot = await thisBoot() } = options
    if (base.encryptionKey && !b4a.equals(base.encryptionKey, encryptionKey)) throw new SdkError('RECORD_KEY_WRONG')
    const upkeep = new Upkeep(parts, boot, await readMark(cores.storage.path, boot))
    try {
      await upkeep.#begin()
      return upkeep
    } catch (error) {
      await upkeep.close()
      throw error
    }
  }

  private constructor(parts: Parts, boot: string, mark: Awaited<ReturnType<typeof readMark>>) {
    this.#parts = parts
    this.#boot = boot
    const { base, options, limits, clock, log, applying } = parts
    const { cores, member, trustCopy } = options
    const { settleMs, beaconMs, lookMs, stuckMs, ackMs, quietMs } = limits
    const alone = () => this.#alone()
    this.#guard = new TailGuard({ base, cores, clock, log, left: mark.left, settleMs, alone })
    if (trustCopy) this.#guard.trust()
    const { writable } = parts
    const maySpeak = (key: Key) => this.#maySpeak(key)
    const others = () => this.#others()
    this.#currency = new Currency({ base, clock, everyMs: beaconMs, member, writable, maySpeak, others }, mark.current)
    const said = (why: string | undefined) => this.#stuck(why)
    this.#watchdog = new Watchdog({ base, clock, everyMs: lookMs, stuckMs, applying, said })
    this.#keyCheck = new KeyCheck(cores, base)
    this.#pace = new Pace({ base, clock, members: () => parts.mirror.members.size, reads: () => !this.#mayWrite() })
    this.#fullCopy = new FullCopy({ base, clock, quietMs, writable })
    this.#acker = new Acker(base, clock, ackMs, () => this.#guard.clear && !parts.renewing())
  }

  async #begin(): Promise<void> {
    await this.#mark(true)
    this.#remember()
    if (await this.#keyCheck.here()) return
    this.#keyCheck.comes().catch((error: unknown) => this.#parts.stop(toSdkError(error)))
  }

  get currentAt(): number | null {
    return this.#currency.at
  }

  attach(stream: Duplex): void {
    this.#currency.attach(stream)
  }

  /** The library has taken up other logs. */
  moved(): void {
    this.#fullCopy.changed()
  }

  /** The view has changed. */
  updated(): void {
    this.#pace.updated()
    if (!this.#parts.writable()) this.#fullCopy.changed()
    this.#acker.look()
    this.#currency.look().catch(() => undefined)
  }

  /** Resolves when it is safe to append; true: the base has to be opened anew, and this asked again. Throws UNAVAILABLE. */
  async pass(): Promise<boolean> {
    if (this.#guard.clear) return false
    if (await this.#guard.pass(this.#parts.limits.peerMs)) return true
    await this.#mark(true)
    this.#acker.look()
    return false
  }

  async #mark(open: boolean): Promise<void> {
    const { storage } = this.#parts.options.cores
    const { doubt } = this.#guard
    const current = this.#currency.at
    await writeMark(storage.path, { open, boot: this.#boot, current, ...(doubt ? { doubt } : {}) })
  }

  /** A process that dies leaves the age of its copy behind, too. */
  #remember(): void {
    this.#stop = this.#parts.clock.after(rememberMs, () => {
      this.#mark(true).catch((error: unknown) => this.#parts.problem(toSdkError(error, 'STORE_FAILED')))
      this.#remember()
    })
  }

  /** Nobody else is or was a member. */
  #alone(): boolean {
    const { members, fleet } = this.#parts.mirror
    return fleet !== undefined && members.size <= 1
  }

  #mayWrite(): boolean {
    const { member } = this.#parts.options
    return this.#parts.writable() || (member !== undefined && this.#maySpeak(keyOf(member)))
  }

  #maySpeak(key: Key): boolean {
    const { mirror } = this.#parts
    const member = mirror.members.get(key)
    return member !== undefined && roles[member.grant.role].record && !mirror.isRevoked(key)
  }

  #others(): Key[] | undefined {
    const { mirror, options } = this.#parts
    if (mirror.fleet === undefined) return undefined
    const own = options.member && keyOf(options.member)
    const writing = new Set<Key>()
    for (const { member, removed } of mirror.writers.values()) if (!removed) writing.add(member)
    return [...writing].filter((key) => key !== own && this.#maySpeak(key))
  }

  #stuck(why: string | undefined): void {
    const { log, problem } = this.#parts
    if (why === undefined) {
      log.info({}, 'the fleet record goes on')
      return
    }
    log.error({ why }, 'the fleet record takes nothing in')
    problem(new SdkError('TIMEOUT', `the fleet record takes nothing in: ${why}`))
    this.#parts.stuck()
  }

  stats(): Record<string, number> {
    return {
      waiting: this.#watchdog.waiting,
      stuck: this.#watchdog.stuck ? 1 : 0,
      inDoubt: this.#guard.clear ? 0 : 1,
      ...this.#currency.stats(),
    }
  }

  /** Before the base is closed. */
  async close(): Promise<void> {
    this.#stop()
    this.#acker.close()
    this.#pace.close()
    this.#fullCopy.close()
    this.#watchdog.close()
    this.#currency.close()
    await this.#guard.close()
    await this.#keyCheck.close()
  }

  /** After it: all that was written is with the system. */
  closed(): Promise<void> {
    return this.#mark(false)
  }
}
