import type { Key, Vault } from '#keys'
import type { Clock, Log, TSchema } from '#model'
import type { Reader } from '#replication'
import type { Caller, Client, Contract, Endpoint, Methods, ServiceHealth, Transport } from '#rpc'
import type { MeshOptions } from './mesh/options.js'

export type { Vault }

export type Closable = { close(): unknown } | { destroy(): unknown } | AsyncDisposable | Disposable

/** A lifetime. What is opened in it is closed with it, in reverse order; there is no stop() to write. */
export interface Scope {
  /** Aborts when the lifetime ends. */
  readonly signal: AbortSignal
  /** Keeps something that has to be closed, and answers it. */
  use<T extends Closable>(resource: T): T
  defer(close: () => unknown): void
  /** Runs `job` now and then every `ms` after it ended; never overlaps itself. An error of it is an error of the service. Returns how to stop it. */
  every(ms: number, job: (signal: AbortSignal) => unknown): () => void
  /** A lifetime within this one. */
  child(): Lifetime
}

/** A lifetime that its owner may end early. */
export interface Lifetime extends Scope {
  /** Resolves when everything in it is closed; rejects with an AggregateError of what its closers threw. */
  end(reason?: unknown): Promise<void>
}

/** Who answers what in this node (and, later, in the mesh), and whose feeds can be read. */
export interface Directory {
  /**
   * Every service that answers the contract now, with its node's key in the fleet (null: this process), and its own reader if that is one
   * of `readers()`: names may be alike, whose feed it is may not. The transport calls as this service unless a call names another caller.
   */
  find<M extends Methods>(
    contract: Contract<M>,
  ): readonly {
    service: string
    site: string
    node: Key | null
    reader: Reader | undefined
    client: Client<M>
    transport: Transport
  }[]
  readers(): readonly Reader[]
  /** Called when services or readers come or go. */
  watch(listener: () => void): () => void
}

/** What a service is given. Nothing else of the world reaches it. */
export interface Context<C = unknown> extends Scope {
  readonly name: string
  readonly site: string
  readonly config: C
  /** A folder of its own, made already. */
  readonly storage: string
  /** The storage folder of the whole node: only for what belongs to all its services (the admin token). */
  readonly nodeStorage: string
  /** Secrets of its own, sealed on the disk; no other service sees them. */
  readonly vault: Vault
  readonly clock: Clock
  readonly log: Log
  readonly directory: Directory
  /** True in the demo site: everything says that its devices are simulated. */
  readonly demo: boolean
  /** Answers calls for this contract until the scope ends; guarded by the callers' scope and this site. */
  provide<M extends Methods>(contract: Contract<M>, endpoint: Endpoint): void
  /** Lets others read this feed until the scope ends. */
  share(reader: Reader): void
  /**
   * Runs one more service in this node until the scope ends, or until it is told to; resolves when its first start has ended, well or not.
   * Throws CONFLICT for a name that is taken, CONFIG_INVALID for a configuration that it cannot take.
   */
  host(placement: Placement): Promise<Hosted>
  /** Shows that it is alive. A service that called it once and then stays silent for `livenessMs` is hung and started anew. */
  alive(): void
  /** Not ready with a reason, or ready (null). A service is not ready until its start() has returned. */
  ready(reason: string | null): void
  /** Plain numbers about itself, asked for when somebody looks. */
  stats(read: () => Record<string, number>): void
}

/** A service that another one runs beside itself. */
export interface Hosted {
  end(): Promise<void>
}

/** Anything a node runs. */
export interface Service<S extends TSchema = TSchema> {
  /** What it is: `device-worker`, `gateway`, `scanner`, `commander`. */
  readonly kind: string
  /** Of its own entry in `services[]`. */
  readonly config: S
  /** Started after every service of these kinds in the same node. */
  readonly after?: readonly string[]
  // biome-ignore lint/suspicious/noExplicitAny: the configuration is checked against `config` before it is passed
  start(context: Context<any>): void | Promise<void>
}

export function defineService<S extends TSchema>(service: Service<S>): Service<S> {
  return Object.freeze(service)
}

/** A service to run: which, under which name, with which configuration. */
export interface Placement {
  readonly name: string
  readonly service: Service
  readonly config: unknown
}

export interface NodeOptions {
  readonly site: string
  readonly storage: string
  readonly services: readonly Placement[]
  readonly clock?: Clock
  /** 0 to 1, spreads restarts; default Math.random. */
  readonly random?: () => number
  readonly log?: Log
  readonly demo?: boolean
  readonly mode?: 'single' | 'microservices'
  /** How the node takes part in the fleet of its storage folder; absent: it has no peers. */
  readonly mesh?: MeshOptions
  /** Where several processes share the storage folder: the name of this one. It takes only its own part of the folder. */
  readonly process?: string
  /** Ends the process, for whoever watches it to start it anew; absent: nobody would. */
  readonly leave?: () => void
  /** Timings of the supervisor, for tests. */
  readonly limits?: Partial<SupervisorLimits>
}

export interface SupervisorLimits {
  /** Silence after which a service counts as hung. */
  livenessMs: number
  /** First and longest wait before a restart; doubles between. */
  backoffMs: number
  maxBackoffMs: number
  /** A service that ran so long starts again at the first back-off. */
  healthyMs: number
  /** So many failures in a row make it `failed`: said so, and tried again only every `failedRetryMs`. */
  failuresToFail: number
  failedRetryMs: number
  /** A start may take so long. */
  startMs: number
  /** A broken or hung service may take so long to end before it is abandoned and started anew. */
  endMs: number
  /** All services together may take so long to close. */
  shutdownMs: number
}

/** A peer put together. */
export interface Node {
  readonly site: string
  /** The public key of its identity. */
  readonly key: Key
  readonly directory: Directory
  services(): ServiceHealth[]
  /** A client of a service's contract as the given caller, or as the operator of this process (admin). Throws UNAVAILABLE if nobody answers it. */
  connect<M extends Methods>(contract: Contract<M>, options?: { service?: string; caller?: Caller }): Client<M>
  /** The guarded endpoint of a service, for callers over other transports; undefined: it does not answer that now. */
  resolve(contract: string, service: string): Endpoint | undefined
  /** Restarts one service; resolves when it runs again. */
  restart(name: string): Promise<void>
  /** Resolves when the first start of every service has ended, well or not. */
  ready(): Promise<void>
  /** Closes everything in reverse order, within the deadline; says what did not close in time. */
  close(): Promise<{ late: string[] }>
}
