import type { Duplex } from 'node:stream'
import type Corestore from 'corestore'
import type { Grant, Key, KeyPair, Role } from '#keys'
import type { Clock, Event, Log, SdkError } from '#model'
import type { Fleet, Reason } from './intent.js'
import type { Intent } from './intents/index.js'

/** Rows of the view: see `view.ts` for where they stand. */
export interface MemberRow {
  readonly key: Key
  readonly name: string
  readonly grant: Grant
  readonly at: number
  /** Who let it in; absent: it was there from the beginning. */
  readonly by?: Key
  readonly invite?: string
}
export interface RevokedRow {
  readonly at: number
  readonly by: Key
  /** Only the owner takes it back. */
  readonly owner: boolean
  readonly reason?: string
}
export interface WriterRow {
  readonly member: Key
  readonly at: number
  readonly removed?: true
}
export interface ServiceRow {
  readonly member: Key
  readonly name: string
  readonly kind: string
  readonly site?: string
  readonly contracts: readonly string[]
  /** The main log of its feed, where its history is read. */
  readonly feed?: Key
  readonly version?: string
  readonly at: number
  readonly withdrawn?: true
}
export interface InviteRow {
  readonly id: string
  readonly role: Role
  readonly sites?: readonly string[]
  readonly name?: string
  readonly until: number
  readonly at: number
  readonly by: Key
  readonly state: 'open' | 'used' | 'revoked'
  readonly usedBy?: Key
  readonly closedAt?: number
}
export interface TopicRow {
  readonly epoch: number
  /** 32 bytes in hex, mixed into the topic: who no longer gets the record cannot know the next one. */
  readonly salt: string
}
export interface SiteRow {
  readonly site: string
  readonly at: number
  readonly by: Key
  readonly totals: Readonly<Record<string, number | null>>
}
export interface DevicesRow {
  readonly at: number
  readonly pages: number
  readonly count: number
  readonly data: string
}
export interface RefusedRow {
  readonly count: number
  readonly last: { readonly log: string; readonly op?: string; readonly at?: number }
}
export interface AuditRow {
  readonly at: number
  readonly op: string
  readonly by?: Key
  readonly about: string
}

export interface Member extends MemberRow {
  readonly revoked: boolean
  /** Its logs that may write the record. */
  readonly writers: readonly Key[]
}
export type Service = Omit<ServiceRow, 'withdrawn'>
export interface Invite extends Omit<InviteRow, 'state'> {
  readonly state: 'open' | 'used' | 'revoked' | 'expired'
}
/** What happened to all of them: an event of a worker that an aggregator found worth it. */
export interface FleetEvent extends Event {
  readonly site?: string
  readonly worker?: string
}
/** A device as the record knows it: enough to find it, its place, and the feed that has the rest. */
export interface DevicePlace {
  readonly id: string
  readonly name?: string
  readonly model?: string
  readonly location?: Readonly<Record<string, string | number>>
}
export interface TimeQuery {
  readonly from?: number
  readonly to?: number
  /** Newest first; default 100, at most 1000. */
  readonly limit?: number
}

export type RecordPart =
  | 'fleet'
  | 'topic'
  | 'indexers'
  | 'members'
  | 'writers'
  | 'services'
  | 'devices'
  | 'sites'
  | 'invites'
  | 'events'
/** After the view has changed: what may have; and keys that are revoked now and were not before. Or what is wrong with the record. */
export interface RecordChange {
  readonly parts: ReadonlySet<RecordPart>
  readonly revoked: readonly Key[]
  readonly problem?: SdkError
}

export interface RecordOptions {
  /** A Corestore of its own: all its logs go over every connection that is given to `replicate`. */
  readonly cores: Corestore
  /** The record's key; without one a new record is begun, or the one goes on that this store began. */
  readonly key?: Key
  /** 32 bytes; whoever does not have them can keep a copy, and not read it. */
  readonly encryptionKey: Uint8Array
  /** The member's own key pair: for claiming a log, and for vouching that the record is current. A reader needs none. */
  readonly member?: KeyPair
  readonly clock?: Clock
  readonly log?: Log
  readonly limits?: Partial<RecordLimits>
}

/** Times in ms. */
export interface RecordLimits {
  /** How long a write may wait for its place. */
  readonly writeMs: number
  /** After so much quiet who signs signs what is new. */
  readonly ackMs: number
}

/** The fleet's shared record. All that is not a promise is from memory, and follows the view. */
export interface FleetRecord {
  readonly key: Key
  /** Of the log that this peer writes, or would. */
  readonly writerKey: Key
  readonly writable: boolean
  /** Undefined until the first block is here. */
  readonly fleet: Fleet | undefined
  readonly topic: TopicRow | undefined
  readonly indexers: readonly Key[]
  members(): readonly Member[]
  member(key: Key): Member | undefined
  /** The key, the grant by its id, or who let the key in. */
  isRevoked(keyOrGrant: Key | string): boolean
  /** Those of members that are not revoked. */
  services(): readonly Service[]
  invites(): Promise<Invite[]>
  sites(): Promise<SiteRow[]>
  /** The inventory of one service; of all without one. */
  devices(of?: {
    readonly member: Key
    readonly service: string
  }): AsyncIterable<DevicePlace & { member: Key; service: string }>
  events(query?: TimeQuery): Promise<FleetEvent[]>
  audit(query?: TimeQuery): Promise<AuditRow[]>
  /** Intents that were not taken, by reason. */
  refused(): Promise<Partial<Record<Reason, RefusedRow>>>
  watch(listener: (change: RecordChange) => void): () => void
  /**
   * Durable and taken into the view here when it resolves; all of several or none is stored. With `as` it is signed by that key pair, and
   * counts as its word, whoever brings it. Throws BAD_REQUEST or TOO_LARGE before anything is stored; FORBIDDEN, CONFLICT or NOT_FOUND if the
   * record did not take it; UNAVAILABLE while this peer may not write.
   */
  write(intent: Intent | readonly Intent[], options?: { readonly as?: KeyPair }): Promise<void>
  /** Makes this peer's log one of the member's that may write, if its role does. Resolves when it may. */
  becomeWriter(): Promise<void>
  /** For `recover`: up to where the record is signed. */
  recovery(): { readonly system: Key; readonly length: number }
  /** Exchanges the record with a peer, for as long as the stream lives. A boolean makes a stream: whether this side begins. */
  replicate(stream: Duplex | boolean): Duplex
  stats(): Readonly<Record<string, number>>
  close(): Promise<void>
}
