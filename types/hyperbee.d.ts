declare module 'hyperbee' {
  import type Hypercore from 'hypercore'

  interface Range {
    gt?: string
    gte?: string
    lt?: string
    lte?: string
  }
  interface Reading {
    /** false: a block that is not here is an error, and not waited for. */
    wait?: boolean
    /** ms for each block, then it is an error. */
    timeout?: number
  }
  interface Entry<V> {
    seq: number
    key: string
    value: V
  }
  interface Batch<V> {
    /** Sees what the batch has put. */
    get(key: string): Promise<Entry<V> | null>
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
    get(key: string, options?: Reading): Promise<Entry<V> | null>
    /** What one block says, without the tree; a value of null is that of a key that was deleted. */
    getBySeq(seq: number, options?: Reading): Promise<{ key: string; value: V | null }>
    /** `update: false`: on the state as it is here, without asking peers. */
    batch(options?: { update?: boolean }): Batch<V>
    createReadStream(range?: Range, options?: Reading & { reverse?: boolean; limit?: number }): AsyncIterable<Entry<V>>
    /** Every change in order, from the block `gte` on. */
    createHistoryStream(options?: Reading & { gte?: number }): AsyncIterable<Entry<V> & { type: 'put' | 'del' }>
    /** The tree as it was at a length of its log; to be closed by the caller. */
    checkout(version: number): Hyperbee<V>
    /** The tree as it is now; to be closed by the caller. */
    snapshot(): Hyperbee<V>
    /** Closes its session of the core, too. */
    close(): Promise<void>
  }
}
