declare module 'protomux' {
  import type { Duplex } from 'node:stream'

  export interface Message {
    /** False when the stream below wants a pause. */
    send(data: unknown): boolean
  }
  export interface MessageOptions {
    encoding?: object
    onmessage?(data: unknown): unknown
  }
  export interface Channel {
    readonly opened: boolean
    readonly closed: boolean
    addMessage(options: MessageOptions): Message
    open(handshake?: unknown): void
    close(): void
    cork(): void
    uncork(): void
    fullyOpened(): Promise<boolean>
  }
  export interface ChannelOptions {
    protocol: string
    id?: Uint8Array | null
    /** false: any number of the same name at once. */
    unique?: boolean
    handshake?: object | null
    onopen?(handshake: unknown): unknown
    onclose?(isRemote: boolean): unknown
    ondestroy?(): unknown
  }
  /** Many channels on one stream. */
  class Protomux {
    static from(stream: Duplex): Protomux
    readonly stream: Duplex
    /** False once the stream wanted a pause, until it has drained. */
    readonly drained: boolean
    /** null: the stream has ended, or (if unique) there is one of that name. */
    createChannel(options: ChannelOptions): Channel | null
    /** Calls when the other side opens a channel that nobody here has opened. */
    pair(name: { protocol: string; id?: Uint8Array | null }, notify: () => unknown): void
    unpair(name: { protocol: string; id?: Uint8Array | null }): void
    opened(name: { protocol: string; id?: Uint8Array | null }): boolean
  }
  export default Protomux
}
