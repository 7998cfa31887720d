declare module 'autobase' {
  import type { EventEmitter } from 'node:events'
  import type { Duplex } from 'node:stream'
  import type Corestore from 'corestore'
  import type Hypercore from 'hypercore'

  interface Options<V> {
    /** Makes the view of its store, and of nothing else. */
    open(store: { get(name: string): Hypercore }): V
    /** Takes the blocks of one append of one writer into the view. Deterministic: it is undone and done again in another order. */
    apply(nodes: readonly Node[], view: V, host: Host): Promise<void>
    /** Called before a new state of the view is stored. */
    update?(view: V, changes: Changes): Promise<void>
    close?(view: V): Promise<void>
    valueEncoding: 'binary'
    /** Blocks of those who are no writers are shown to `apply`, marked. */
    optimistic?: boolean
    encryptionKey: Uint8Array
    /** 0: appends nothing by itself. */
    ackInterval: number
  }
  interface Node {
    from: Hypercore
    /** Of the writer's log, with this block. */
    length: number
    value: Uint8Array
    optimistic: boolean
  }
  interface Member {
    isIndexer: boolean
    isRemoved: boolean
    length: number
  }
  interface SystemView {
    core: Hypercore
    indexers: readonly { key: Uint8Array; length: number }[]
    heads: readonly { key: Uint8Array; length: number }[]
    get(key: Uint8Array): Promise<Member | null>
    /** As it was at a length; to be closed by the caller. */
    checkout(length: number): Promise<SystemView>
    close(): Promise<void>
  }
  /** What `apply` may ask and change of the base. */
  interface Host {
    readonly key: Uint8Array
    readonly system: SystemView
    addWriter(key: Uint8Array, options: { indexer: boolean }): Promise<void>
    removeWriter(key: Uint8Array): Promise<void>
    removeable(key: Uint8Array): boolean
    /** Starts a new system log with these indexers after `length` blocks of the old one; false if the old one is not as said. */
    fork(indexers: readonly Uint8Array[], system: { key: Uint8Array; length: number }): Promise<boolean>
    /** Stops the base here, without storing anything of this block. */
    interrupt(reason: string): never
  }
  interface Changes {
    /** Lengths of a view's log: before, after, and what stayed of it. */
    get(name: string): { from: number; to: number; shared: number } | undefined
  }
  interface Writer {
    readonly core: Hypercore
    /** How many blocks were taken in. */
    readonly length: number
    readonly isRemoved: boolean
  }

  /** Events: `update`, `writable`, `unwritable`, `interrupt`, `error`, `warning`, `fast-forward`, `reboot`. */
  export default class Autobase<V> extends EventEmitter {
    constructor(store: Corestore, key: Uint8Array | null, options: Options<V>)
    readonly key: Uint8Array
    readonly discoveryKey: Uint8Array
    /** The one that the store keeps, if it was opened before. */
    readonly encryptionKey: Uint8Array | null
    readonly view: V
    /** The log that this peer appends to. */
    readonly local: Hypercore
    /** The system log. */
    readonly core: Hypercore
    readonly system: SystemView | null
    readonly writable: boolean
    readonly isIndexer: boolean
    readonly interrupted: string | null
    readonly closing: Promise<void> | null
    readonly activeWriters: Iterable<Writer>
    readonly signedLength: number
    readonly indexedLength: number
    readonly length: number
    ready(): Promise<void>
    update(): Promise<void>
    /** Until `resume` nothing is taken in. */
    pause(): void
    resume(): void
    /** The length of the own log afterwards. null only acknowledges. */
    append(value: Uint8Array | readonly Uint8Array[] | null, options?: { optimistic?: boolean }): Promise<number>
    ack(): Promise<void>
    hintWakeup(hints: readonly { key: Uint8Array; length: number }[]): void
    /** Exchanges all open logs of the store, and tells the peer which writers have news. */
    replicate(stream: Duplex | boolean): Duplex
    getWriterEncryption(): unknown
    getUserData(name: string): Promise<Uint8Array | null>
    setUserData(name: string, value: Uint8Array | null): Promise<void>
    close(): Promise<void>
  }
}
