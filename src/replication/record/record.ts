import type { Duplex } from 'node:stream'
import type Corestore from 'corestore'
import { type Key, type KeyPair, keyOf } from '#keys'
import { type Clock, type Log, SdkError, silentLog, systemClock, toSdkError, within } from '#model'
import { openCores } from '../cores.js'
import { storeError } from '../layout.js'
import { makeApply } from './apply.js'
import { type Base, hexOf, openBase } from './base.js'
import { Follower } from './follower.js'
import type { Intent } from './intents/index.js'
import { Mirror } from './mirror.js'
import { atOnce, readAudit, readDevices, readEvents, readInvite, readInvites, readRefused, readSites } from './read.js'
import type { RecordChange, TimeQuery } from './shapes.js'
import { claimLog } from './signed.js'
import type { FleetRecord, RecordLimits, RecordOptions, RecordSettings } from './types.js'
import { Upkeep } from './upkeep.js'
import type { View } from './view.js'
import { Writing } from './writing.js'

const defaults: RecordLimits = {
  writeMs: 30_000,
  ackMs: 1000,
  peerMs: 15_000,
  settleMs: 3000,
  beaconMs: 60_000,
  lookMs: 5000,
  stuckMs: 30_000,
  quietMs: 20_000,
}

/** For what is here already. */
const openMs = 5000
const closeMs = 10_000

/** Opens a peer's copy of the fleet's record. Throws RECORD_KEY_WRONG, STORE_FAILED. */
export async function openRecord(options: RecordOptions): Promise<FleetRecord> {
  const { path, log = silentLog } = options
  const own = path === undefined ? undefined : await openCores(path, log, options.primaryKey)
  const record = new OpenRecord({ ...options, cores: (options.cores ?? own)! }, own)
  try {
    await record.open()
    return record
  } catch (error) {
    await record.close().catch(() => undefined)
    throw storeError(error, 'the fleet record cannot be opened')
  }
}

type OpenOptions = RecordSettings & { readonly cores: Corestore }

class OpenRecord implements FleetRecord {
  #base: Base
  readonly #mirror = new Mirror()
  readonly #follower: Follower
  readonly #writing: Writing
  readonly #options: OpenOptions
  /** Closed with the record. */
  readonly #own: Corestore | undefined
  readonly #clock: Clock
  readonly #log: Log
  readonly #limits: RecordLimits
  readonly #listeners = new Set<(change: RecordChange) => void>()
  readonly #counts = { taken: 0, updates: 0, failures: 0, renewed: 0 }
  readonly #streams = new Set<Duplex>()
  /** A mark of the block that is being taken in. */
  #applying = 0
  #renewing = false
  #upkeep: Upkeep | undefined
  #stopped: SdkError | undefined
  #closing: Promise<void> | undefined

  constructor(options: OpenOptions, own: Corestore | undefined) {
    this.#own = own
    const { clock = systemClock, log = silentLog, limits } = options
    this.#options = options
    this.#clock = clock
    this.#log = log
    this.#limits = { ...defaults, ...limits }
    this.#follower = new Follower(
      this.#mirror,
      clock,
      (parts, revoked) => this.#tell({ parts, revoked }),
      (error) => this.#problem(toSdkError(error, 'STORE_FAILED')),
    )
    this.#writing = new Writing({
      base: () => this.#base,
      peers: () => this.#streams.size,
      clock,
      ms: this.#limits.writeMs,
      usable: () => this.#assertUsable(),
      stopped: () => this.#stopped,
      pass: () => this.#pass(),
      follow: () => this.#follower.follow(this.#base.view),
    })
    this.#base = this.#openBase()
  }

  #openBase(): Base {
    const take = makeApply((log, length, reason) => {
      if (reason === undefined) this.#counts.taken++
      this.#writing.outcome(log, length, reason)
    })
    let applied = 0
    const apply: typeof take = async (nodes, view, host) => {
      this.#applying = ++applied
      try {
        await take(nodes, view, host)
      } finally {
        this.#applying = 0
      }
    }
    const { cores, key, encryptionKey } = this.#options
    const base: Base = openBase({ cores, key, encryptionKey, apply, follower: this.#follower })
    // What an earlier base says while it is closed is no news.
    const stop = (error: SdkError) => base === this.#base && this.#stop(error)
    base.on('error', (error: unknown) => stop(toSdkError(error, 'STORE_FAILED')))
    base.on('interrupt', (reason: unknown) => stop(new SdkError('STORE_NEWER', String(reason))))
    base.on('warning', (error: unknown) => this.#log.warn({ err: error }, 'the record warns'))
    base.on('update', () => base === this.#base && this.#updated())
    base.on('reboot', () => {
      this.#follower.all()
      if (base === this.#base) this.#upkeep?.moved()
    })
    return base
  }

  async open(): Promise<void> {
    await this.#base.ready()
    this.#upkeep = await this.#keep()
    // What it has itself is shown at once; for what peers must send nobody waits here.
    await within({ what: 'reading the record', ms: openMs, signals: [], clock: this.#clock }, () =>
      this.#follower.follow(this.#base.view),
    ).catch((error: unknown) => this.#log.warn({ err: error }, 'the fleet record is not all here yet'))
  }

  #keep(): Promise<Upkeep> {
    return Upkeep.open({
      base: this.#base,
      mirror: this.#mirror,
      options: this.#options,
      limits: this.#limits,
      clock: this.#clock,
      log: this.#log,
      writable: () => this.writable,
      renewing: () => this.#renewing,
      applying: () => this.#applying,
      stuck: () => this.#heal(),
      problem: (error) => this.#problem(error),
      stop: (error) => this.#stop(error),
    })
  }

  /** Before a write: the end of our log is sure to be here, and the library knows of it. Each turn of the loop, our log is longer. */
  async #pass(): Promise<void> {
    this.#renewing = true
    try {
      while (await this.#upkeep?.pass()) await this.#renew()
    } finally {
      this.#renewing = false
    }
  }

  /** The library keeps in mind how long our log was when it was opened; after more of it has come from peers it is opened anew. */
  async #renew(): Promise<void> {
    await this.#upkeep?.close()
    await this.#closeBase()
    await this.#upkeep?.closed()
    if (this.#closing) return
    this.#counts.renewed++
    this.#base = this.#openBase()
    await this.#base.ready()
    this.#follower.all()
    this.#upkeep = await this.#keep()
    for (const stream of this.#streams) if (!stream.destroyed) this.#exchange(stream)
    const limits = { what: 'taking in what has come', ms: this.#limits.writeMs, signals: [], clock: this.#clock }
    await within(limits, () => this.#base.update())
  }

  /** What hangs in the library goes on after it was opened anew; alone it may as well wait. */
  #heal(): void {
    if (this.#streams.size === 0 || this.#renewing || this.#closing) return
    this.#renewing = true
    this.#renew()
      .catch((error: unknown) => this.#stop(toSdkError(error, 'STORE_FAILED')))
      .finally(() => {
        this.#renewing = false
      })
  }

  #exchange(stream: Duplex | boolean): Duplex {
    const exchanged = this.#base.replicate(stream)
    this.#upkeep?.attach(exchanged)
    return exchanged
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
    return this.#upkeep?.currentAt ?? null
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
  logs(): readonly Key[] {
    return [...this.#mirror.writers.keys()].sort()
  }
  invites() {
    return this.#read((view) => readInvites(view, this.#clock))
  }
  invite(id: string) {
    return this.#read((view) => readInvite(view, id, this.#clock))
  }
  sites() {
    return this.#read(readSites)
  }
  devices(of?: { member: Key; service: string }) {
    return readDevices(this.#base.view, of)
  }
  events(query?: TimeQuery) {
    return this.#read((view) => readEvents(view, query))
  }
  audit(query?: TimeQuery) {
    return this.#read((view) => readAudit(view, query))
  }
  refused() {
    return this.#read(readRefused)
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
    return this.#writing.write(intents, options.as)
  }

  async becomeWriter(): Promise<void> {
    if (this.writable) return
    const { member } = this.#options
    if (!member) throw new SdkError('FORBIDDEN', 'a record that was opened without a member only reads')
    const claim = claimLog(this.key, this.writerKey, member)
    await this.write({ op: 'addWriter', member: keyOf(member), log: this.writerKey, claim })
    await this.#base.update()
    if (!this.writable)
      throw new SdkError('UNAVAILABLE', 'the record has not let this node write yet: try again shortly')
  }

  recovery() {
    return { system: hexOf(this.#base.core.key), length: this.#base.indexedLength }
  }

  replicate(stream: Duplex | boolean): Duplex {
    this.#assertUsable()
    const exchanged = this.#exchange(stream)
    this.#streams.add(exchanged)
    exchanged.once('close', () => this.#streams.delete(exchanged))
    return exchanged
  }

  stats(): Readonly<Record<string, number>> {
    const { members, revoked, services, writers } = this.#mirror
    const { view, local } = this.#base
    return {
      ...this.#counts,
      ...this.#writing.counts,
      members: members.size,
      revoked: revoked.size,
      services: services.size,
      writers: writers.size,
      blocks: local?.length ?? 0,
      viewBlocks: view.core.length,
      signedBlocks: view.core.signedLength,
      peers: this.#streams.size,
      ...this.#upkeep?.stats(),
      stopped: this.#stopped ? 1 : 0,
    }
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#listeners.clear()
      await this.#upkeep?.close()
      await this.#follower.close()
      try {
        await this.#closeBase()
        await this.#writing.idle()
        await this.#upkeep?.closed()
      } finally {
        await this.#own?.close()
      }
    })()
    return this.#closing
  }

  /** A block that hangs while it is taken in holds up nobody who wants to leave; the mark then says that it was not left well. */
  #closeBase(): Promise<void> {
    const limits = { what: 'closing the fleet record', ms: closeMs, signals: [], clock: this.#clock }
    return within(limits, () => this.#base.close())
  }

  #updated(): void {
    this.#counts.updates++
    this.#follower.stored()
    void this.#follower.follow(this.#base.view).then(() => this.#upkeep?.updated())
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

  async #read<T>(job: (view: View) => Promise<T>): Promise<T> {
    if (this.#closing) throw new SdkError('STORE_FAILED', 'the fleet record is closed')
    try {
      return await atOnce(this.#base.view, job)
    } catch (error) {
      throw toSdkError(error, 'STORE_FAILED')
    }
  }
}
