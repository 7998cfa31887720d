import type { Grant, Key, Role } from '#keys'
import type { Event, SdkError } from '#model'

/** Rows of the view: see `view.ts` for where they stand. */
export interface MemberRow {
  readonly key: Key
  readonly name: string
  readonly grant: Grant
  readonly at: number
  /** Who let it in; absent: it was there from the beginning. */
  readonly by?: Key
  readonly invite?: string
  /** The member of whose machine it is another process: revoked with it. */
  readonly host?: Key
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
  /** How often the feed grows, ms. */
  readonly intervalMs?: number
  /** The key of the relay that it is. */
  readonly relay?: Key
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
