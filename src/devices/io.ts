import type { Clock, Options, SdkError } from '#model'
import type { Sessions } from './sessions.js'

export interface Credentials {
  readonly username: string
  readonly password: string
}

/**
 * All that a device module may use of the world: where the device is, who we are to it, until when, and a memory that its protocol
 * clients keep between visits (tokens, digest nonces). The worker owns it; device code holds no state of its own.
 */
export interface Io {
  readonly host: string
  /** Ports the operator gave, by protocol port name (`rpc`, `http`, `v3` ...). */
  readonly ports: Readonly<Record<string, number>>
  /** Modbus unit id. */
  readonly unit?: number | undefined
  /** Tried in this order. */
  readonly credentials: readonly Credentials[]
  /** Aborts at the deadline of this visit. */
  readonly signal: AbortSignal
  readonly memory: Map<string, unknown>
  readonly clock: Clock
  /** Aborts when nobody wants the device any more; absent: with the visit. */
  readonly ending?: AbortSignal | undefined
  /** What stays open between visits and is shared by devices; absent: everything is closed after each visit. */
  readonly sessions?: Sessions | undefined
  /** Settings of the library, checked against its schema. */
  readonly options?: Options | undefined
  /** What the operator has said it is: for devices that do not say so themselves. Absent in a scan. */
  readonly said?: { readonly library: string; readonly deviceType?: string | undefined } | undefined
}

/** The world without who ends the visit. */
export type Surroundings = Omit<Io, 'signal'>

/** The world until `signal` aborts. Written out: to copy an object whose fields come and go takes many times as long, on every poll. */
export function ioUntil(signal: AbortSignal, world: Surroundings): Io {
  const { host, ports, unit, credentials, memory, clock, ending, sessions, options, said } = world
  return { host, ports, unit, credentials, signal, memory, clock, ending, sessions, options, said }
}

export interface PortName {
  readonly name: string
  readonly default: number
}

export function portOf(io: Pick<Io, 'ports'>, port: PortName): number {
  return io.ports[port.name] ?? port.default
}

/** What one request brought. `value` is parsed but not yet interpreted; `raw` is what support may see (secrets still in it). */
export type Reply = { readonly value: unknown } | { readonly error: SdkError }

/**
 * How one family talks. `ask` gets all requests of a visit at once and uses as few connections and requests as the device allows,
 * never more at a time than a weak controller bears. It does not throw: each request has its own outcome, in order.
 */
export interface Protocol<Request = unknown> {
  readonly name: string
  readonly port: PortName
  ask(io: Io, requests: readonly Request[]): Promise<Reply[]>
}
