declare module 'blind-relay' {
  import type { EventEmitter } from 'node:events'
  import type { NoiseStream, RawStream } from 'hyperdht'

  interface Session extends EventEmitter {
    destroy(error?: Error): void
  }
  /** Passes on what two peers say to each other; it cannot read it. */
  export class Server {
    constructor(options: { createStream(options: object): RawStream })
    readonly stats: { pairings: { active: number; matched: number }; sessions: { active: number } }
    accept(stream: NoiseStream, options: { id: Uint8Array }): Session
    close(): Promise<void>
  }
}
