import type { Duplex } from 'node:stream'
import type Corestore from 'corestore'
import type { Key, KeyPair } from '#keys'
import type { Clock, Log } from '#model'
import type { Fleet, Reason } from './intent.js'
import type { Intent } from './intents/index.js'
import type {
  AuditRow,
  DevicePlace,
  FleetEvent,
  Invite,
  Member,
  RecordChange,
  RefusedRow,
  Service,
  SiteRow,
  TimeQuery,
  TopicRow,
} from './shapes.js'

/**
 * Where the copy lies: a folder of its own, opened and closed with the record, `primaryKey` (32 secret bytes, the same at every start) making
 * the keys of its logs; or a Corestore that is open. All logs of it go over every connection that is given to `replicate`.
 */
export type RecordPlace =
  | { readonly path: string; readonly primaryKey?: Uint8Array; readonly cores?: never }
  | { readonly cores: Corestore; readonly path?: never }

export type RecordOptions = RecordPlace & RecordSettings

export interface RecordSettings {
  /** The record's key; without one a new record is begun, or the one goes on that this store began. */
  readonly key?: Key
  /** 32 bytes; whoever does not have them can keep a copy, and not read it. */
  readonly encryptionKey: Uint8Array
  /** The member's own key pair: for claiming a log, and for vouching that the record is current. A reader needs none. */
  readonly member?: KeyPair
  /** There is no newer copy of this one: it may write although it was restored, or its machine stopped while it was open. */
  readonly trustCopy?: boolean
  /** Names the start of this machine; for tests. */
  readonly boot?: string
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
  /** How long a copy that may be behind waits for a peer before it refuses to write. */
  readonly peerMs: number
  /** Peers that are connected get so long to show that they know our log. */
  readonly settleMs: number
  /** So often a writer vouches for what there is, and the others pass it on. */
  readonly beaconMs: number
  /** So often it is looked whether the record takes in what there is; after `stuckMs` without it is said. */
  readonly lookMs: number
  readonly stuckMs: number
  /** Who only reads completes its copy when nothing has come for so long. */
  readonly quietMs: number
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
  /** When this copy was last known to be current, ms: nothing older is missing. null: never. Who may write the record is current. */
  readonly currentAt: number | null
  members(): readonly Member[]
  member(key: Key): Member | undefined
  /** The key, the grant by its id, or who let the key in. */
  isRevoked(keyOrGrant: Key | string): boolean
  /** Those of members that are not revoked. */
  services(): readonly Service[]
  /** The logs that everything here is made of: what somebody without the key has to keep for others. */
  logs(): readonly Key[]
  invites(): Promise<Invite[]>
  invite(id: string): Promise<Invite | undefined>
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
