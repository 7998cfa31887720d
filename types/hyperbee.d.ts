declare module 'hyperbee' {
  import type Hypercore from 'hypercore'

  interface Range {
    gt?: string
    gte?: string
    lt?: string
    lte?: string
  }
  interface Entry<V> {
    seq: number
    key: string
    value: V
  }
  interface Batch<V> {
    put(key: string, value: V): Promise<void>
    del(key: string): Promise<void>
    /** Writes all of it or nothing. */
    flush(): Promise<void>
    close(): Promise<void>
  }
  interface Options {
    keyEncoding: 'utf-8'
    valueEncoding: 'json' | 'binary'
    /** The replication extension; false is off. */
    extension?: false
  }

  export default class Hyperbee<V> {
    constructor(core: Hypercore, options: Options)
    readonly core: Hypercore
    readonly version: number
    ready(): Promise<void>
    get(key: string): Promise<Entry<V> | null>
    batch(): Batch<V>
    /** `wait: false`: a block that is not here is an error, and not waited for. */
    createReadStream(
      range?: Range,
      options?: { reverse?: boolean; limit?: number; wait?: boolean },
    ): AsyncIterable<Entry<V>>
    /** The tree as it is now; to be closed by the caller. */
    snapshot(): Hyperbee<V>
    /** Closes its session of the core, too. */
    close(): Promise<void>
  }
}
