import { SdkError, toSdkError } from '#model'
import { abortError, socketError } from './tcp.js'
import { dial } from './wire.js'

export interface ConversationOptions {
  readonly host: string
  readonly port: number
  readonly signal: AbortSignal
  /** More unread bytes than this are refused with DEVICE_BAD_REPLY; default 4 MiB. */
  readonly maxBytes?: number
}

/** One open connection on which questions and answers alternate. */
export interface Line {
  send(bytes: string | Uint8Array): void
  /** Exactly so many bytes. */
  take(length: number): Promise<Buffer>
  /** All up to the end that `scan` finds: it sees every chunk once and answers the offset just after the end, or -1. */
  takeUntil(scan: (chunk: Buffer) => number): Promise<Buffer>
}

const defaultMaxBytes = 4 * 1024 * 1024

/**
 * Opens a connection, lets `talk` use it, closes it in any case. Every wait ends with the signal; errors as in `exchange`, and
 * DEVICE_BUSY or DEVICE_TIMEOUT ("half an answer") if the device closes before an answer is complete.
 */
export async function converse<T>(options: ConversationOptions, talk: (line: Line) => Promise<T>): Promise<T> {
  const { host, port, signal, maxBytes = defaultMaxBytes } = options
  if (signal.aborted) throw abortError(signal, 0)
  let chunks: Buffer[] = []
  let size = 0
  let failure: SdkError | undefined
  let wake: (() => void) | undefined
  let isOpen = false
  const fail = (error: SdkError) => {
    failure ??= error
    wake?.()
  }
  const onAbort = () => fail(abortError(signal, size))
  signal.addEventListener('abort', onAbort)
  const wire = dial(host, port, {
    opened() {
      isOpen = true
      wake?.()
    },
    arrived(bytes) {
      chunks.push(bytes)
      size += bytes.length
      if (size > maxBytes) fail(new SdkError('DEVICE_BAD_REPLY', `the reply does not end after ${maxBytes} bytes`))
      wake?.()
    },
    ended: () => fail(closedError(size)),
    broke: (error) => fail(socketError(error)),
  })

  const more = async () => {
    if (failure) throw failure
    await new Promise<void>((resolve) => {
      wake = resolve
    })
    wake = undefined
  }
  const cut = (length: number): Buffer => {
    const all = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)
    chunks = length < all.length ? [all.subarray(length)] : []
    size -= length
    return all.subarray(0, length)
  }
  const line: Line = {
    send: (bytes) => wire.send(bytes),
    async take(length) {
      if (length > maxBytes) throw new SdkError('DEVICE_BAD_REPLY', `an answer of ${length} bytes is announced`)
      while (size < length) await more()
      return cut(length)
    },
    async takeUntil(scan) {
      for (let seen = 0, before = 0; ; ) {
        while (seen === chunks.length) await more()
        const chunk = chunks[seen++]!
        const end = scan(chunk)
        if (end >= 0) return cut(before + end)
        before += chunk.length
      }
    },
  }
  try {
    while (!isOpen) await more()
    return await talk(line)
  } catch (error) {
    throw toSdkError(error, 'DEVICE_BAD_REPLY')
  } finally {
    signal.removeEventListener('abort', onAbort)
    wire.hangUp()
  }
}

function closedError(unread: number): SdkError {
  if (unread > 0) return new SdkError('DEVICE_TIMEOUT', `only half an answer: ${unread} bytes, then the end`)
  return new SdkError('DEVICE_BUSY', 'it closed the connection without an answer')
}
