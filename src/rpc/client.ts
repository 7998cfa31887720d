import { check } from '#model'
import type { CallOptions, Client, Contract, Methods, Transport } from './contract.js'
import { defaultTimeoutMs } from './serve.js'
import { decodeReply, encodeRequest } from './wire.js'

/** A typed client: one function a method. It rejects with the SdkError that the other side threw, or TIMEOUT, or CANCELLED. */
export function client<M extends Methods>(
  contract: Contract<M>,
  transport: Transport,
  defaults: CallOptions = {},
): Client<M> {
  const callOf = (method: string) => {
    const { kind, output } = contract.methods[method]!
    const what = `answer of ${contract.name}.${method}`
    const usual = { timeoutMs: defaultTimeoutMs, repeatable: kind === 'query', ...defaults }
    return async (input: unknown, options?: CallOptions) => {
      const all = options ? { ...usual, ...options } : usual
      const reply = await transport(encodeRequest({ method, input, timeoutMs: all.timeoutMs }), all)
      return check(output, decodeReply(reply), what, 'INTERNAL')
    }
  }
  return Object.fromEntries(Object.keys(contract.methods).map((name) => [name, callOf(name)])) as Client<M>
}
