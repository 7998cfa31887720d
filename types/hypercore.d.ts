declare module 'hypercore' {
  /** What is used of a session on an append-only log. */
  export default class Hypercore {
    readonly length: number
    readonly byteLength: number
    readonly closing: Promise<void> | null
    ready(): Promise<void>
    /** All blocks or none. */
    append(blocks: Uint8Array | readonly Uint8Array[]): Promise<{ length: number; byteLength: number }>
    get(index: number, options?: { wait?: boolean; timeout?: number }): Promise<Uint8Array | null>
    /** Forgets the blocks from start to before end. */
    clear(start: number, end: number): Promise<unknown>
    close(): Promise<void>
  }
}
