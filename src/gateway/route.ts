import type { Static, TSchema } from '#model'
import type { Caller, RpcScope } from '#rpc'
import type { Identity } from './auth/authenticate.js'
import type { Gateway } from './gateway.js'

/** What a handler may say beside its answer. */
export interface Answer {
  status(code: number): void
  header(name: string, value: string): void
  /** Sends text of another type than JSON. */
  text(type: string, body: string): void
  /** Takes the connection over; nothing else is sent. */
  stream(): import('node:http').ServerResponse
}

/** One request, checked. `caller` is who asks; of an open route that may be `nobody`, who may do nothing anywhere. */
export interface Call<P, Q, B> {
  readonly params: P
  readonly query: Q
  readonly body: B
  readonly caller: Caller
  readonly identity: Identity | null
  readonly address: string
  header(name: string): string | undefined
  /** Aborts when the connection is cut. */
  readonly signal: AbortSignal
  readonly answer: Answer
}

/** `open`: for everybody who reaches the port. */
export type RouteScope = RpcScope | 'open'

/** What the audit keeps of a write; the default is the parameters and the body, secrets removed. */
export interface AuditRule<P, B, R> {
  readonly params?: false
  targets?(call: { params: P; body: B; reply: R | undefined }): string[]
  result?(reply: R): string
}

export interface Route<P extends TSchema, Q extends TSchema, B extends TSchema, R extends TSchema> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Parameters as `{id}`. */
  readonly path: string
  readonly group: string
  readonly scope: RouteScope
  /** One line, for the API description. */
  readonly summary: string
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** Absent: answered with 204 and nothing. */
  readonly reply?: R
  /** What the reply is if it is not JSON. */
  readonly type?: string
  readonly status?: number
  readonly audit?: AuditRule<Static<P>, Static<B>, Static<R>>
  handle(
    gateway: Gateway,
    call: Call<Static<P>, Static<Q>, Static<B>>,
  ): Promise<Static<R> | undefined> | Static<R> | undefined
}

// biome-ignore lint/suspicious/noExplicitAny: a table of routes of different shapes; `route` checks each one
export type AnyRoute = Route<any, any, any, any>

/** A row of a route table, its handler typed by its schemas. */
export function route<P extends TSchema, Q extends TSchema, B extends TSchema, R extends TSchema>(
  row: Route<P, Q, B, R>,
): AnyRoute {
  return Object.freeze(row)
}

/** `/devices/{id}` as fastify writes it: `/devices/:id`. */
export function urlOf(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1')
}
