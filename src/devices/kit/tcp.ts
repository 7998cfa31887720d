import { SdkError, toSdkError } from '#model'
import { type Caller, dial, type Wire } from './wire.js'

export interface Exchange {
  readonly host: string
  readonly port: number
  /** Aborts at the deadline; its reason is what the caller gets. */
  readonly signal: AbortSignal
  readonly payload: string | Uint8Array
  /** A longer reply is refused with DEVICE_BAD_REPLY; default 4 MiB. */
  readonly maxBytes?: number
  /** Sees every chunk once, in order, and says when the reply is complete; may throw an SdkError. Default: `jsonEnd()`. */
  readonly done?: (chunk: Buffer) => boolean
}

const defaultMaxBytes = 4 * 1024 * 1024

/**
 * One connection, one write, one reply: until `done`, the end of the stream or the cap. Rejects with DEVICE_UNREACHABLE (refused, no
 * route), DEVICE_BUSY (closed on us without a byte), DEVICE_BAD_REPLY (endless) or the signal's reason. An end without a byte is an
 * empty buffer: commands that cut the connection do so. `read` makes a value of the reply at once; what it throws is the outcome.
 */
export function exchange(options: Exchange): Promise<Buffer>
export function exchange<T>(options: Exchange, read: (reply: Buffer) => T): Promise<T>
export function exchange(options: Exchange, read: (reply: Buffer) => unknown = asItIs): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const talks = talksOf(options.signal)
    if (talks) talks.add(new Talk(options, talks, read, resolve, reject))
    else reject(abortError(options.signal, 0))
  })
}

const asItIs = (reply: Buffer) => reply

/** One exchange that is under way. */
class Talk implements Caller {
  /** When its first bytes came, after a look the next ones, ms. */
  since = 0
  readonly #options: Exchange
  /** It is one of these until it ends. */
  readonly #talks: Set<Talk>
  readonly #read: (reply: Buffer) => unknown
  readonly #resolve: (value: unknown) => void
  readonly #reject: (error: unknown) => void
  readonly #wire: Wire
  readonly #chunks: Buffer[] = []
  #size = 0
  #looked = 0
  #done: ((chunk: Buffer) => boolean) | undefined
  #ended = false

  constructor(
    options: Exchange,
    talks: Set<Talk>,
    read: (reply: Buffer) => unknown,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.#options = options
    this.#talks = talks
    this.#read = read
    this.#resolve = resolve
    this.#reject = reject
    this.#done = options.done
    this.#wire = dial(options.host, options.port, this)
  }

  opened(): void {
    this.#wire.send(this.#options.payload)
  }

  arrived(bytes: Buffer): void {
    const { maxBytes = defaultMaxBytes } = this.#options
    this.#chunks.push(bytes)
    this.#size += bytes.length
    if (this.#size > maxBytes)
      this.#end(new SdkError('DEVICE_BAD_REPLY', `the reply does not end after ${maxBytes} bytes`))
    else linger(this)
  }

  ended(): void {
    this.#end()
  }

  /** A device that resets after its answer has answered: what came is judged by who asked for it. */
  broke(error: NodeJS.ErrnoException): void {
    this.#end(this.#size > 0 ? undefined : socketError(error))
  }

  /** Whether the reply is complete is only asked of a device that does not close by itself. */
  look(): void {
    if (this.#isComplete()) this.#end()
  }

  abort(): void {
    if (this.#size > 0 && this.#isComplete()) this.#end()
    else this.#end(abortError(this.#options.signal, this.#size))
  }

  #isComplete(): boolean {
    this.#done ??= jsonEnd()
    try {
      while (this.#looked < this.#chunks.length) if (this.#done(this.#chunks[this.#looked++]!)) return true
    } catch (error) {
      this.#end(toSdkError(error, 'DEVICE_BAD_REPLY'))
    }
    return false
  }

  #end(error?: SdkError): void {
    if (this.#ended) return
    this.#ended = true
    lingering.delete(this)
    this.#talks.delete(this)
    this.#wire.hangUp()
    if (error) {
      this.#reject(error)
      return
    }
    const chunks = this.#chunks
    const reply = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, this.#size)
    try {
      // Brackets enough to hurt whoever walks the value afterwards do not fit into less.
      if (this.#size > shallowUpTo && !this.#options.done) jsonEnd()(reply)
      this.#resolve(this.#read(reply))
    } catch (thrown) {
      this.#reject(thrown)
    }
  }
}

/** Who ends when a signal aborts: it gets one listener for all of them, for one exchange after the other waits for the same signal. */
const talksUntil = new WeakMap<AbortSignal, Set<Talk>>()

/** Undefined once the signal has aborted; that is only asked where nobody has listened yet. */
function talksOf(signal: AbortSignal): Set<Talk> | undefined {
  const known = talksUntil.get(signal)
  if (known) return known
  if (signal.aborted) return undefined
  const all = new Set<Talk>()
  const abortAll = () => {
    talksUntil.delete(signal)
    for (const talk of [...all]) talk.abort()
  }
  signal.addEventListener('abort', abortAll, { once: true })
  talksUntil.set(signal, all)
  return all
}

/**
 * Devices close the connection themselves right after the answer. Whoever closes first keeps the connection's remains for a minute, and
 * with thousands of polls a minute those make every further connect slow: so the device gets this long, ms, to be the first.
 */
const lingerMs = 30

/** The talks that have begun to be answered, the oldest first; one timer for all of them. */
const lingering = new Set<Talk>()
let isLooking = false

function linger(talk: Talk): void {
  if (lingering.has(talk)) return
  talk.since = performance.now()
  lingering.add(talk)
  lookSoon()
}

function lookSoon(): void {
  if (isLooking) return
  isLooking = true
  setTimeout(lookAtLingering, lingerMs).unref()
}

function lookAtLingering(): void {
  isLooking = false
  const until = performance.now() - lingerMs
  for (const talk of lingering) {
    if (talk.since > until) break
    lingering.delete(talk)
    talk.look()
  }
  if (lingering.size > 0) lookSoon()
}

/** A shorter JSON text cannot nest deep enough to hurt, bytes. */
export const shallowUpTo = 16 * 1024

const unreachable = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENOTFOUND', 'EAI_AGAIN'])
const ours = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM'])

/** A failed socket as one of our codes; the system's code stays in the message. */
export function socketError(error: NodeJS.ErrnoException): SdkError {
  const code = error.code ?? ''
  const options = { cause: error }
  if (code === 'ECONNREFUSED') return new SdkError('DEVICE_UNREACHABLE', 'the connection was refused', options)
  if (unreachable.has(code)) return new SdkError('DEVICE_UNREACHABLE', `there is no way to it (${code})`, options)
  if (code === 'ETIMEDOUT') return new SdkError('DEVICE_TIMEOUT', 'the connection timed out', options)
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return new SdkError('DEVICE_BUSY', 'it closed the connection without an answer', options)
  if (ours.has(code)) return new SdkError('UNAVAILABLE', `this machine has no socket left (${code})`, options)
  return new SdkError('DEVICE_UNREACHABLE', error.message, options)
}

/** Why an exchange was ended from outside, with how far the answer had come. */
export function abortError(signal: AbortSignal, received: number): SdkError {
  const reason = toSdkError(signal.reason, 'CANCELLED')
  const isTimeout = reason.code === 'TIMEOUT' || reason.code === 'DEVICE_TIMEOUT'
  if (!isTimeout) return reason
  if (received > 0) return new SdkError('DEVICE_TIMEOUT', `only half an answer: ${received} bytes, then nothing`)
  return reason.code === 'DEVICE_TIMEOUT' ? reason : new SdkError('DEVICE_TIMEOUT', 'no answer in time')
}

/** Deeper nesting than any device needs; what walks the reply afterwards recurses. */
const maxDepth = 64

/** A fresh detector of the end of a JSON text in chunks, for `done`. */
export function jsonEnd(): (chunk: Buffer) => boolean {
  const scan = jsonScanner()
  return (chunk) => scan(chunk) >= 0
}

/**
 * Finds the end of a JSON text in one pass over its chunks: a NUL, the bracket that closes the first one, or the line end of a reply that
 * is no JSON at all. Answers the offset in the chunk just after the text, or -1. Throws DEVICE_BAD_REPLY on nesting deeper than any device needs.
 */
export function jsonScanner(): (chunk: Buffer) => number {
  let depth = 0
  let opened = false
  let inString = false
  /** Bytes at the start of the next chunk that a backslash has taken already. */
  let skip = 0
  return (chunk) => {
    const { length } = chunk
    let open = depth
    let at = 0
    if (inString) {
      at = endOfString(chunk, skip)
      inString = at >= length
      if (!inString && chunk[at++] === 0) return at
    }
    for (; at < length; at++) {
      const byte = chunk[at]!
      if (meaning[byte] === 0) continue
      if (byte === 0x22) {
        at = endOfString(chunk, at + 1)
        inString = at >= length
        if (inString) break
        if (chunk[at] === 0) return at + 1
      } else if (byte === 0x7b || byte === 0x5b) {
        opened = true
        if (++open > maxDepth) throw new SdkError('DEVICE_BAD_REPLY', `the reply nests deeper than ${maxDepth}`)
      } else if (byte === 0x7d || byte === 0x5d) {
        if (--open <= 0) return at + 1
      } else if (byte === 0 || (!opened && at === length - 1)) {
        return at + 1
      }
    }
    depth = open
    skip = inString ? at - length : 0
    return -1
  }
}

/** 1 for the bytes that mean something outside a string: NUL, line end, quote, brackets. */
const meaning = new Uint8Array(256)
for (const byte of [0x00, 0x0a, 0x22, 0x5b, 0x5d, 0x7b, 0x7d]) meaning[byte] = 1

/** Where the string that `at` is in ends: its quote or a NUL; the length of the chunk, or one more after a backslash, if it goes on. */
function endOfString(chunk: Buffer, at: number): number {
  let place = at
  while (place < chunk.length) {
    const byte = chunk[place]!
    if (byte === 0x22 || byte === 0) break
    place += byte === 0x5c ? 2 : 1
  }
  return place
}
