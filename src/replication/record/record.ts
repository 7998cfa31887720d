import type { Duplex } from 'node:stream'
import { type Key, type KeyPair, keyOf } from '#keys'
import { type Clock, type Log, SdkError, silentLog, systemClock, toSdkError, within } from '#model'
import { Acker } from './acker.js'
import { type Base, hexOf, openBase } from './base.js'
import { encode, refusal } from './encode.js'
import { Follower } from './follower.js'
import type { Reason } from './intent.js'
import type { Intent } from './intents/index.js'
import { Mirror } from './mirror.js'
import { readAudit, readDevices, readEvents, readInvites, readRefused, readSites } from './read.js'
import type { RecordChange, TimeQuery } from './shapes.js'
import { claimLog } from './signed.js'
import type { FleetRecord, RecordLimits, RecordOptions } from './types.js'

const defaults: RecordLimits = { writeMs: 30_000, ackMs: 1000 }

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
  readonly #member: KeyPair | undefined
  readonly #clock: Clock
  readonly #log: Log
  readonly #limits: RecordLimits
  readonly #listeners = new Set<(change: RecordChange) => void>()
  /** Of our own log, by length: what became of it. */
  readonly #outcomes = new Map<number, Reason | undefined>()
  readonly #counts = { written: 0, refused: 0, taken: 0, updates: 0 }
  #tail: Promise<unknown> = Promise.resolve()
  #stopped: SdkError | undefined
  #closing: Promise<void> | undefined

  constructor({ cores, key, encryptionKey, member, clock = systemClock, log = silentLog, limits }: RecordOptions) {
    this.#member = member
    this.#clock = clock
    this.#log = log
    this.#limits = { ...defaults, ...limits }
    this.#follower = new Follower(
      this.#mirror,
      (parts, revoked) => this.#tell({ parts, revoked }),
      (error) => this.#problem(toSdkError(error, 'STORE_FAILED')),
    )
    const outcome = (log: string, length: number, reason: Reason | undefined) => {
      if (reason === undefined) this.#counts.taken++
      if (this.#base.local && log === this.writerKey) this.#outcomes.set(length, reason)
    }
    this.#base = openBase({ cores, key, encryptionKey, outcome, follower: this.#follower })
    this.#acker = new Acker(this.#base, clock, this.#limits.ackMs)
  }

  async open(): Promise<void> {
    const base = this.#base
    base.on('error', (error: unknown) => this.#stop(toSdkError(error, 'STORE_FAILED')))
    base.on('interrupt', (reason: unknown) => this.#stop(new SdkError('STORE_NEWER', String(reason))))
    base.on('warning', (error: unknown) => this.#log.warn({ err: error }, 'the record warns'))
    base.on('update', () => this.#updated())
    base.on('reboot', () => this.#follower.all())
    await base.ready()
    await this.#follower.follow(base.view)
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
    // The library shows blocks of strangers one at a time.
    const appends = strangers ? blocks.map(({ bytes }) => [bytes]) : [blocks.map(({ bytes }) => bytes)]
    for (const append of appends) await this.#append(append, strangers)
  }

  async #append(blocks: readonly Uint8Array[], optimistic: boolean): Promise<void> {
    this.#outcomes.clear()
    const length = await within(
      { what: 'writing into the fleet record', ms: this.#limits.writeMs, signals: [], clock: this.#clock },
      () => this.#base.append(blocks.length === 1 ? blocks[0]! : blocks, { optimistic }),
    )
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
    return this.#base.replicate(stream)
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
      stopped: this.#stopped ? 1 : 0,
    }
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#acker.close()
      this.#listeners.clear()
      await this.#tail
      await this.#follower.close()
      await this.#base.close()
    })()
    return this.#closing
  }

  #updated(): void {
    this.#counts.updates++
    this.#acker.look()
    void this.#follower.follow(this.#base.view)
  }

  /** It goes on showing what it has, and takes nothing more. */
  #stop(error: SdkError): void {
    if (this.#stopped || this.#closing) return
    this.#stopped = error
    this.#log.error({ err: error }, 'the fleet record stopped here')
    this.#problem(error)
  }

  #problem(problem: SdkError): void {
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
