import type Protomux from 'protomux'
import type { Channel, ChannelOptions, Message, MessageOptions } from 'protomux'
import { SdkError } from '#model'

/** Messages that may wait for a connection that is still to come. */
const maxWaiting = 4_096

/**
 * What stands in for a protomux while there is no connection yet: it has channels at once, and what is sent on them waits for the real one.
 * Behind it many users share one stream; each may have channels of the same name, and closing one is nothing to the others.
 */
export class SharedMux {
  /** How protomux knows its own. */
  readonly isProtomux = true
  readonly stream: unknown
  #mux: Protomux | undefined
  #waiting: WaitingChannel[] = []
  #failed = false

  constructor(stream: unknown, mux?: Protomux) {
    this.stream = stream
    this.#mux = mux
  }

  /** False while the stream below, or the waiting for it, holds things up. */
  get drained(): boolean {
    return this.#mux?.drained ?? false
  }

  createChannel(options: ChannelOptions): Channel {
    const real = this.#mux?.createChannel({ ...options, unique: false })
    if (real) return real
    const waiting = new WaitingChannel(options)
    // The stream has ended meanwhile, or never came: the channel is closed as soon as its user can hear of it.
    if (this.#mux || this.#failed) queueMicrotask(() => waiting.fail())
    else this.#waiting.push(waiting)
    return waiting
  }

  bind(mux: Protomux): void {
    this.#mux = mux
    for (const channel of this.#waiting.splice(0)) channel.bind(mux)
  }

  /** There will be no connection: whoever waits is told. */
  fail(): void {
    this.#failed = true
    for (const channel of this.#waiting.splice(0)) channel.fail()
  }
}

/** A channel that is not there yet: it takes what is said and says it once it is. */
class WaitingChannel implements Channel {
  readonly #options: ChannelOptions
  readonly #messages: { options: MessageOptions; real: Message | undefined }[] = []
  #queue: (() => void)[] = []
  #real: Channel | undefined
  #opening: { handshake: unknown } | undefined
  #corks = 0
  #closed = false

  constructor(options: ChannelOptions) {
    this.#options = options
  }

  get opened(): boolean {
    return this.#real?.opened ?? false
  }

  get closed(): boolean {
    return this.#real?.closed ?? this.#closed
  }

  addMessage(options: MessageOptions): Message {
    if (this.#real) return this.#real.addMessage(options)
    const message: { options: MessageOptions; real: Message | undefined } = { options, real: undefined }
    this.#messages.push(message)
    return {
      send: (data) => {
        if (message.real) return message.real.send(data)
        if (this.#closed) return false
        if (this.#queue.length >= maxWaiting) {
          throw new SdkError('RATE_LIMITED', `more than ${maxWaiting} messages wait for one connection`)
        }
        this.#queue.push(() => void message.real?.send(data))
        return false
      },
    }
  }

  open(handshake?: unknown): void {
    if (this.#real) this.#real.open(handshake)
    else this.#opening = { handshake }
  }

  close(): void {
    if (this.#real) this.#real.close()
    else this.fail()
  }

  cork(): void {
    if (this.#real) this.#real.cork()
    else this.#corks++
  }

  uncork(): void {
    if (this.#real) this.#real.uncork()
    else this.#corks--
  }

  async fullyOpened(): Promise<boolean> {
    return this.#real ? this.#real.fullyOpened() : false
  }

  bind(mux: Protomux): void {
    if (this.#closed) return
    const real = mux.createChannel({ ...this.#options, unique: false })
    if (!real) {
      this.fail()
      return
    }
    this.#real = real
    for (const message of this.#messages) message.real = real.addMessage(message.options)
    if (this.#opening) real.open(this.#opening.handshake)
    for (let i = 0; i < this.#corks; i++) real.cork()
    for (const send of this.#queue.splice(0)) send()
  }

  fail(): void {
    if (this.#closed || this.#real) return
    this.#closed = true
    this.#queue = []
    this.#options.onclose?.(false)
    this.#options.ondestroy?.()
  }
}
