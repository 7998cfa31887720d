import type { Static, TSchema } from '#model'

export const scopes = ['member', 'read', 'control', 'admin'] as const
/**
 * What a caller must hold: `member` takes part in the fleet (announces itself, is pinged), `read` sees, `control` commands devices,
 * `admin` changes who and what there is. Each includes those before it.
 */
export type RpcScope = (typeof scopes)[number]

export interface Method<I extends TSchema = TSchema, O extends TSchema = TSchema> {
  /** A query may be asked again after a lost answer; an action may not. */
  readonly kind: 'query' | 'action'
  readonly input: I
  readonly output: O
  readonly needs: RpcScope
}

export type Methods = Record<string, Method>

/** The typed methods that one kind of service answers. Declared once; input, output and needed scope travel with it. */
export interface Contract<M extends Methods = Methods> {
  readonly name: string
  readonly methods: M
  /** It concerns the fleet and no site: who is limited to some sites may call it, and its handlers look at what each may. */
  readonly fleetWide: boolean
}

export function contract<M extends Methods>(name: string, methods: M, { fleetWide = false } = {}): Contract<M> {
  return Object.freeze({ name, methods: Object.freeze(methods), fleetWide })
}

export function query<I extends TSchema, O extends TSchema>(shape: {
  input: I
  output: O
  needs?: RpcScope
}): Method<I, O> {
  return Object.freeze({ kind: 'query', needs: 'read', ...shape })
}

export function action<I extends TSchema, O extends TSchema>(shape: {
  input: I
  output: O
  needs?: RpcScope
}): Method<I, O> {
  return Object.freeze({ kind: 'action', needs: 'control', ...shape })
}

/** Who calls, as the transport established it. */
export interface Caller {
  /** Stable and not secret: a key's fingerprint, a token's id, `local:<service>`. Stands in the audit. */
  readonly id: string
  /** Of the node whose connection it came over; only a transport says it, whoever the caller claims to be. */
  readonly key?: string
  readonly scope: RpcScope
  /** Why the scope is less than the caller was given; said with a refusal. */
  readonly because?: string
  /** The sites that the scope is limited to; absent: all. */
  readonly sites?: readonly string[]
  /** The device libraries that it is limited to; absent: all. */
  readonly libraries?: readonly string[]
  /** The ids of the devices that it is limited to; absent: all. */
  readonly devices?: readonly string[]
  /** Aborts when the caller went away or cancelled. */
  readonly signal?: AbortSignal
}

/** Bytes in, bytes out; never rejects. */
export type Endpoint = (request: Uint8Array, caller: Caller) => Promise<Uint8Array>

export interface CallOptions {
  readonly signal?: AbortSignal
  /** Default 10,000 ms. */
  readonly timeoutMs?: number
  /** In whose name; a transport may only narrow what the connection itself may do. */
  readonly caller?: Caller
  /** The method is a query: a transport may ask again after a lost answer. A typed client says so from the contract. */
  readonly repeatable?: boolean
}

export type Transport = (request: Uint8Array, options: CallOptions) => Promise<Uint8Array>

export interface CallContext {
  readonly caller: Caller
  /** Aborts at the caller's deadline or cancellation. */
  readonly signal: AbortSignal
}

export type Handlers<M extends Methods> = {
  [K in keyof M]: (
    input: Static<M[K]['input']>,
    context: CallContext,
  ) => Static<M[K]['output']> | Promise<Static<M[K]['output']>>
}

export type Client<M extends Methods> = {
  [K in keyof M]: (input: Static<M[K]['input']>, options?: CallOptions) => Promise<Static<M[K]['output']>>
}
