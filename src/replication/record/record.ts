import type { Duplex } from 'node:stream'
import b4a from 'b4a'
import { type Key, type KeyPair, keyOf, roles } from '#keys'
import { type Clock, type Log, SdkError, silentLog, systemClock, toSdkError, within } from '#model'
import { Acker } from './acker.js'
import { makeApply } from './apply.js'
import { type Base, hexOf, openBase } from './base.js'
import { Currency } from './currency.js'
import { encode, refusal } from './encode.js'
import { Follower } from './follower.js'
import type { Reason } from './intent.js'
import type { Intent } from './intents/index.js'
import { KeyCheck } from './key-check.js'
import { Mirror } from './mirror.js'
import { readAudit, readDevices, readEvents, readInvites, readRefused, readSites } from './read.js'
import type { RecordChange, TimeQuery } from './shapes.js'
import { claimLog } from './signed.js'
import { bootId, readMark, writeMark } from './start-mark.js'
import { TailGuard } from './tail-guard.js'
import type { FleetRecord, RecordLimits, RecordOptions } from './types.js'
import { Watchdog } from './watchdog.js'

const defaults: RecordLimits = {
  writeMs: 30_000,
  ackMs: 1000,
  peerMs: 15_000,
  settleMs: 1500,
  beaconMs: 60_000,
  lookMs: 5000,
  stuckMs: 30_000,
}

/** For what is here already. */
const openMs = 5000

/** Opens a peer's copy of the fleet's record. Throws RECORD_KEY_WRONG, STORE_FAILED. */
export async function openRecord(options: RecordOptions): Promise<FleetRecord> {
  const record = new OpenRecord(options)
  try {
    await record.open()
    return record
  } catch (error) {
    await record.close()
    throw toSdkError(error, 'STORE_FAILED')
  }
}

class OpenRecord implements FleetRecord {
  readonly #base: Base
  readonly #mirror = new Mirror()
  readonly #follower: Follower
  readonly #acker: Acker
  readonly #options: RecordOptions
  readonly #member: KeyPair | undefined
  readonly #clock: Clock
  readonly #log: Log
  readonly #limits: RecordLimits
  readonly #listeners = new Set<(change: RecordChange) => void>()
  /** Of our own log, by length: what became of it. */
  readonly #outcomes = new Map<number, Reason | undefined>()
  readonly #counts = { written: 0, refused: 0, taken: 0, updates: 0, failures: 0 }
  readonly #streams = new Set<Duplex>()
  /** A mark of the block that is being taken in. */
  #applying = 0
  #parts: { guard: TailGuard; currency: Currency; watchdog: Watchdog; keyCheck: KeyCheck; boot: string } | undefined
  #tail: Promise<unknown> = Promise.resolve()
  #stopped: SdkError | undefined
  #closing: Promise<void> | undefined

  constructor(options: RecordOptions) {
    const { cores, key, encryptionKey, member, clock = systemClock, log = silentLog, limits } = options
    this.#options = options
    this.#member = member
    this.#clock = clock
    this.#log = log
    this.#limits = { ...defaults, ...limits }
    this.#follower = new Follower(
      this.#mirror,
      (parts, revoked) => this.#tell({ parts, revoked }),
      (error) => this.#problem(toSdkError(error, 'STORE_FAILED')),
    )
    let applied = 0
    const take = makeApply((log, length, reason) => {
      if (reason === undefined) this.#counts.taken++
      if (log === this.writerKey) this.#outcomes.set(length, reason)
    })
    const apply: typeof take = async (nodes, view, host) => {
      this.#applying = ++applied
      try {
        await take(nodes, view, host)
      } finally {
        this.#applying = 0
      }
    }
    this.#base = openBase({ cores, key, encryptionKey, apply, follower: this.#follower })
    this.#acker = new Acker(this.#base, clock, this.#limits.ackMs, () => this.#parts?.guard.clear === true)
  }

  async open(): Promise<void> {
    const base = this.#base
    base.on('error', (error: unknown) => this.#stop(toSdkError(error, 'STORE_FAILED')))
    base.on('interrupt', (reason: unknown) => this.#stop(new SdkError('STORE_NEWER', String(reason))))
    base.on('warning', (error: unknown) => this.#log.warn({ err: error }, 'the record warns'))
    base.on('update', () => this.#updated())
    base.on('reboot', () => this.#follower.all())
    await base.ready()
    const { cores, encryptionKey, trustCopy, boot = await bootId() } = this.#options
    if (base.encryptionKey && !b4a.equals(base.encryptionKey, encryptionKey)) throw new SdkError('RECORD_KEY_WRONG')
    const { left, current } = await readMark(cores.storage.path, boot)
    const parts = { base, cores, clock: this.#clock, log: this.#log }
    const guard = new TailGuard({ ...parts, left, settleMs: this.#limits.settleMs, alone: () => this.#alone() })
    if (trustCopy) guard.trust()
    const currency = new Currency({ ...parts, ...this.#speaking(), everyMs: this.#limits.beaconMs }, current)
    const watchdog = new Watchdog({
      ...parts,
      everyMs: this.#limits.lookMs,
      stuckMs: this.#limits.stuckMs,
      applying: () => this.#applying,
      said: (why) => this.#stuck(why),
    })
    const keyCheck = new KeyCheck(cores, base)
    this.#parts = { guard, currency, watchdog, keyCheck, boot }
    await this.#mark(true)
    if (!(await keyCheck.here())) keyCheck.comes().catch((error: unknown) => this.#stop(toSdkError(error)))
    // What it has itself is shown at once; for what peers must send nobody waits here.
    await within({ what: 'reading the record', ms: openMs, signals: [], clock: this.#clock }, () =>
      this.#follower.follow(base.view),
    ).catch((error: unknown) => this.#log.warn({ err: error }, 'the fleet record is not all here yet'))
  }

  /** Until it has passed, a copy in doubt counts as open still: it stays in doubt at the next start. */
  async #mark(open: boolean): Promise<void> {
    const { guard, currency, boot } = this.#parts!
    if (!guard.clear) return
    const mark = { open, boot, current: currency.at }
    await writeMark(this.#options.cores.storage.path, mark)
  }

  /** Nobody else is or was a member. */
  #alone(): boolean {
    const { members, fleet } = this.#mirror
    return fleet !== undefined && members.size <= 1
  }

  #speaking() {
    return {
      member: this.#member,
      writable: () => this.writable,
      maySpeak: (key: Key) => {
        const member = this.#mirror.members.get(key)
        return member !== undefined && roles[member.grant.role].record && !this.#mirror.isRevoked(key)
      },
    }
  }

  get key(): Key {
    return hexOf(this.#base.key)
  }
  get writerKey(): Key {
    return hexOf(this.#base.local.key)
  }
  get writable(): boolean {
    return this.#base.writable && !this.#stopped
  }
  get fleet() {
    return this.#mirror.fleet
  }
  get currentAt(): number | null {
    return this.#parts?.currency.at ?? null
  }
  get topic() {
    return this.#mirror.topic
  }
  get indexers() {
    return this.#mirror.indexers
  }

  members() {
    return this.#mirror.lists.members
  }
  member(key: Key) {
    return this.#mirror.lists.byKey.get(key)
  }
  isRevoked(keyOrGrant: string): boolean {
    return this.#mirror.isRevoked(keyOrGrant)
  }
  services() {
    return this.#mirror.lists.services
  }
  invites() {
    return this.#read(() => readInvites(this.#base.view, this.#clock))
  }
  sites() {
    return this.#read(() => readSites(this.#base.view))
  }
  devices(of?: { member: Key; service: string }) {
    return readDevices(this.#base.view, of)
  }
  events(query?: TimeQuery) {
    return this.#read(() => readEvents(this.#base.view, query))
  }
  audit(query?: TimeQuery) {
    return this.#read(() => readAudit(this.#base.view, query))
  }
  refused() {
    return this.#read(() => readRefused(this.#base.view))
  }

  watch(listener: (change: RecordChange) => void): () => void {
    const own = (change: RecordChange) => listener(change)
    this.#listeners.add(own)
    return () => {
      this.#listeners.delete(own)
    }
  }

  write(intent: Intent | readonly Intent[], options: { as?: KeyPair } = {}): Promise<void> {
    const intents = Array.isArray(intent) ? (intent as readonly Intent[]) : [intent as Intent]
    const run = this.#tail.then(() => this.#write(intents, options.as))
    this.#tail = run.catch(() => undefined)
    return run
  }

  async #write(intents: readonly Intent[], as: KeyPair | undefined): Promise<void> {
    this.#assertUsable()
    if (intents.length === 0) return
    const blocks = intents.map((intent) => encode(intent, { at: this.#clock.now(), record: this.key, as }))
    const strangers = !this.#base.writable
    if (strangers && !blocks.every(({ fromStrangers }) => fromStrangers))
      throw new SdkError(
        'UNAVAILABLE',
        'this node may not write the fleet record: its role does not, or it waits to be let in',
      )
    await this.#pass()
    // The library shows blocks of strangers one at a time.
    const appends = strangers ? blocks.map(({ bytes }) => [bytes]) : [blocks.map(({ bytes }) => bytes)]
    for (const append of appends) await this.#append(append, strangers)
  }

  async #append(blocks: readonly Uint8Array[], optimistic: boolean): Promise<void> {
    this.#outcomes.clear()
    const length = await within(
      { what: 'writing into the fleet record', ms: this.#limits.writeMs, signals: [], clock: this.#clock },
      () => this.#base.append(blocks.length === 1 ? blocks[0]! : blocks, { optimistic }),
    ).catch((error: unknown) => {
      throw this.#stopped ?? toSdkError(error, 'STORE_FAILED')
    })
    this.#counts.written += blocks.length
    await this.#follower.follow(this.#base.view)
    for (let index = 0; index < blocks.length; index++) {
      const at = length - blocks.length + index + 1
      const reason = this.#outcomes.get(at)
      if (reason !== undefined) {
        this.#counts.refused++
        throw refusal(reason)
      }
      if (!this.#outcomes.has(at))
        throw new SdkError('UNAVAILABLE', 'it is stored and will be taken in when what it builds on has come')
    }
  }

  async #pass(): Promise<void> {
    const { guard } = this.#parts!
    if (guard.clear) return
    await guard.pass(this.#limits.peerMs)
    await this.#mark(true)
    this.#acker.look()
  }

  async becomeWriter(): Promise<void> {
    if (this.writable) return
    if (!this.#member) throw new SdkError('FORBIDDEN', 'a record that was opened without a member only reads')
    const claim = claimLog(this.key, this.writerKey, this.#member)
    await this.write({ op: 'addWriter', member: keyOf(this.#member), log: this.writerKey, claim })
    await this.#base.update()
    if (!this.writable)
      throw new SdkError('UNAVAILABLE', 'the record has not let this node write yet: try again shortly')
  }

  recovery() {
    return { system: hexOf(this.#base.core.key), length: this.#base.indexedLength }
  }

  replicate(stream: Duplex | boolean): Duplex {
    this.#assertUsable()
    const exchanged = this.#base.replicate(stream)
    this.#parts!.currency.attach(exchanged)
    this.#streams.add(exchanged)
    exchanged.once('close', () => this.#streams.delete(exchanged))
    return exchanged
  }

  stats(): Readonly<Record<string, number>> {
    const { members, revoked, services, writers } = this.#mirror
    const { view, local } = this.#base
    return {
      ...this.#counts,
      members: members.size,
      revoked: revoked.size,
      services: services.size,
      writers: writers.size,
      blocks: local?.length ?? 0,
      viewBlocks: view.core.length,
      signedBlocks: view.core.signedLength,
      peers: this.#streams.size,
      waiting: this.#parts?.watchdog.waiting ?? 0,
      stuck: this.#parts?.watchdog.stuck ? 1 : 0,
      inDoubt: this.#parts?.guard.clear === false ? 1 : 0,
      beaconsIgnored: this.#parts?.currency.ignored ?? 0,
      stopped: this.#stopped ? 1 : 0,
    }
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      const parts = this.#parts
      this.#acker.close()
      this.#listeners.clear()
      parts?.watchdog.close()
      parts?.currency.close()
      await parts?.guard.close()
      await this.#tail
      await this.#follower.close()
      await parts?.keyCheck.close()
      await this.#base.close()
      if (parts) await this.#mark(false)
    })()
    return this.#closing
  }

  #updated(): void {
    this.#counts.updates++
    this.#acker.look()
    void this.#follower.follow(this.#base.view)
    this.#parts?.currency.look().catch(() => undefined)
  }

  #stuck(why: string | undefined): void {
    if (why === undefined) {
      this.#log.info({}, 'the fleet record goes on')
      return
    }
    this.#log.error({ why }, 'the fleet record takes nothing in')
    this.#problem(new SdkError('TIMEOUT', `the fleet record takes nothing in: ${why}`))
  }

  /** It goes on showing what it has, and takes nothing more. */
  #stop(error: SdkError): void {
    if (this.#stopped || this.#closing) return
    this.#stopped = error
    this.#log.error({ err: error }, 'the fleet record stopped here')
    this.#problem(error)
  }

  #problem(problem: SdkError): void {
    this.#counts.failures++
    this.#tell({ parts: new Set(), revoked: [], problem })
  }

  #tell(change: RecordChange): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(change)
      } catch (error) {
        this.#log.error({ err: error }, 'a listener of the record failed')
      }
    }
  }

  #assertUsable(): void {
    if (this.#closing) throw new SdkError('STORE_FAILED', 'the fleet record is closed')
    if (this.#stopped) throw this.#stopped
  }

  async #read<T>(job: () => Promise<T>): Promise<T> {
    if (this.#closing) throw new SdkError('STORE_FAILED', 'the fleet record is closed')
    try {
      return await job()
    } catch (error) {
      throw toSdkError(error, 'STORE_FAILED')
    }
  }
}
