declare module 'corestore' {
  import type { Duplex } from 'node:stream'
  import type Hypercore from 'hypercore'
  import type Rache from 'rache'

  interface CoreOptions {
    writable?: boolean
    /** How its blocks are read: see Autobase. */
    encryption?: unknown
  }
  interface Options {
    /** Opens a folder that was moved or copied. */
    allowBackup?: boolean
    /** 32 bytes: the keys of all logs with a name come from it. Passing it needs `unsafe: true`. */
    primaryKey?: Uint8Array | undefined
    unsafe?: boolean | undefined
    readOnly?: boolean
    /** false: a replicated stream carries only the logs that are attached to it one by one. */
    active?: boolean
    wait?: boolean
    /** Shared by the trees of all its logs. */
    globalCache?: Rache
  }

  export default class Corestore {
    /** A folder, or the storage of one. */
    constructor(storage: string | object, options?: Options)
    readonly primaryKey: Uint8Array
    readonly storage: {
      /** The folder. */
      readonly path: string
      /** Gives the space of what was cleared back to the disk. */
      compact(): Promise<void>
      /** The database below; `flush` resolves when all that was written before is on the disk itself. */
      readonly db: { flush(): Promise<void>; close(): Promise<void> }
      readonly rocks: { close(): Promise<void> }
      /** What locks the folder. */
      readonly deviceFile: { close(): Promise<void> } | null
    }
    ready(): Promise<void>
    /** `wait: false`: a block that is not here is null, whoever asks for it. */
    get(options: { name: string; wait?: boolean } | ({ key: Uint8Array } & CoreOptions)): Hypercore
    namespace(name: string): Corestore
    /** Exchanges all logs that are open with the peer at the other end. */
    replicate(stream: Duplex | boolean): Duplex
    suspend(): Promise<void>
    resume(): Promise<void>
    close(): Promise<void>
  }
}
