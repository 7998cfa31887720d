import { type Clock, SdkError, within } from '#model'
import type { Caller, Endpoint, Transport } from './contract.js'
import { defaultTimeoutMs } from './serve.js'
import { encodeError } from './wire.js'

/** The private channel between a process and its child, at either end (`process`, `ChildProcess`); serialization `advanced`. */
export interface Channel {
  readonly connected: boolean
  send?(message: unknown, onError: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'disconnect', listener: () => void): unknown
  off(event: 'message', listener: (message: unknown) => void): unknown
  off(event: 'disconnect', listener: () => void): unknown
}

interface Ask {
  readonly rpc: 'ask'
  readonly id: number
  readonly contract: string
  readonly service: string
  readonly bytes: Uint8Array
}

interface Answer {
  readonly rpc: 'answer'
  readonly id: number
  readonly bytes: Uint8Array
}

/** Answers what the other end asks, in the name of `caller`, until the answered function is called. */
export function serveChannel(
  channel: Channel,
  caller: Caller,
  resolve: (contract: string, service: string) => Endpoint | undefined,
): () => void {
  const onMessage = async (message: unknown) => {
    if (!isPart<Ask>(message, 'ask')) return
    const { id, contract, service, bytes } = message
    const endpoint = resolve(contract, service)
    const silent = new SdkError('UNAVAILABLE', `${service} does not answer ${contract} now`)
    const reply = endpoint ? await endpoint(bytes, caller) : encodeError(silent.toJSON())
    if (channel.connected) channel.send?.({ rpc: 'answer', id, bytes: reply } satisfies Answer, () => {})
  }
  channel.on('message', onMessage)
  return () => channel.off('message', onMessage)
}

/** The transport to the process at the other end. Throws UNAVAILABLE once it is gone. */
export function channelTransport(channel: Channel, clock: Clock): (contract: string, service: string) => Transport {
  const waiting = new Map<number, { resolve(bytes: Uint8Array): void; reject(error: SdkError): void }>()
  let last = 0
  const gone = () => new SdkError('UNAVAILABLE', 'the process has ended')
  channel.on('message', (message) => {
    if (isPart<Answer>(message, 'answer')) waiting.get(message.id)?.resolve(message.bytes)
  })
  channel.on('disconnect', () => {
    for (const { reject } of waiting.values()) reject(gone())
  })
  return (contract, service) =>
    (bytes, { signal, timeoutMs = defaultTimeoutMs }) => {
      if (!channel.connected) return Promise.reject(gone())
      const id = ++last
      const ask: Ask = { rpc: 'ask', id, contract, service, bytes }
      return within(
        { what: 'the call', ms: timeoutMs, signals: [signal], clock },
        () =>
          new Promise<Uint8Array>((resolve, reject) => {
            waiting.set(id, { resolve, reject })
            channel.send?.(ask, (error) => error && reject(gone()))
          }),
      ).finally(() => waiting.delete(id))
    }
}

function isPart<T extends Ask | Answer>(message: unknown, rpc: T['rpc']): message is T {
  if (message === null || typeof message !== 'object') return false
  const { rpc: part, bytes } = message as Partial<T>
  return part === rpc && bytes instanceof Uint8Array
}
