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
  const call = async (name: string, input: unknown, options?: CallOptions) => {
    const repeatable = contract.methods[name]!.kind === 'query'
    const merged = { timeoutMs: defaultTimeoutMs, repeatable, ...defaults, ...options }
    const reply = await transport(encodeRequest({ method: name, input, timeoutMs: merged.timeoutMs }), merged)
    return check(contract.methods[name]!.output, decodeReply(reply), `answer of ${contract.name}.${name}`, 'INTERNAL')
  }
  return Object.fromEntries(
    Object.keys(contract.methods).map((name) => [
      name,
      (input: unknown, options?: CallOptions) => call(name, input, options),
    ]),
  ) as Client<M>
}
