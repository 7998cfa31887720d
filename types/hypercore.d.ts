declare module 'hypercore' {
  import type { EventEmitter } from 'node:events'
  import type { Duplex } from 'node:stream'

  interface Options {
    timeout?: number
    /** false: a block that is not here is null, and not waited for. */
    wait?: boolean
  }
  interface Download {
    done(): Promise<void>
    destroy(): void
  }

  /** What is used of a session on an append-only log. Events: `append`, `truncate`, `close`, `conflict`. */
  export default class Hypercore extends EventEmitter {
    /** One end of an encrypted connection; the other end takes its bytes. */
    static createProtocolStream(isInitiator: boolean): Duplex
    /** The storage of a folder. `allowBackup`: also of one that was moved or copied. `writeBufferSize`: what is kept in memory before it is sorted, bytes. */
    static defaultStorage(path: string, options: { allowBackup?: boolean; writeBufferSize?: number }): object
    readonly length: number
    /** Up to where a quorum signed it. */
    readonly signedLength: number
    readonly contiguousLength: number
    readonly byteLength: number
    readonly fork: number
    readonly key: Uint8Array
    readonly discoveryKey: Uint8Array
    readonly writable: boolean
    readonly closing: Promise<void> | null
    /** The peers that this log is exchanged with now, each over a channel of its own. */
    readonly peers: readonly {
      readonly protomux: object
      readonly channel: { close(): void }
      /** The peer has said how much it has. */
      readonly remoteSynced: boolean
      readonly remoteLength: number
      /** It has all blocks before this one, and of the rest those that are set. */
      readonly remoteContiguousLength: number
      readonly remoteBitfield: { get(index: number): boolean }
    }[]
    /** Null until the log is open. */
    readonly core: {
      readonly replicator: { detachFrom(protomux: object): void }
      /** Reads every block and compares it with its hash; answers how many are as they were signed. With `dryRun` nothing is changed. */
      audit(options: { tree: boolean; bitfield: boolean; dryRun: boolean }): Promise<{ readonly blocks: number }>
    } | null
    readonly closed: boolean
    ready(): Promise<void>
    /** All blocks or none. */
    append(blocks: Uint8Array | readonly Uint8Array[]): Promise<{ length: number; byteLength: number }>
    get(index: number, options?: Options): Promise<Uint8Array | null>
    has(start: number, end?: number): Promise<boolean>
    /** Asks connected peers for a newer length; with `wait` until one has answered. `force`: also for a log of our own. */
    update(options?: { wait?: boolean; force?: boolean }): Promise<boolean>
    download(range: { start?: number; end?: number; linear?: boolean; blocks?: readonly number[] }): Download
    /** Forgets the blocks from start to before end. */
    clear(start: number, end: number): Promise<unknown>
    /** Gives the space of what was cleared back to the disk. */
    compact(): Promise<void>
    /** Exchanges this log alone with the peer at the other end. */
    replicate(stream: Duplex | boolean, options?: { keepAlive?: boolean }): Duplex
    findingPeers(): () => void
    session(options?: Record<string, unknown>): Hypercore
    close(): Promise<void>
  }
}
