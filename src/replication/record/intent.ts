import type { Grant, Held, Key } from '#keys'
import { type Static, type TSchema, Type } from '#model'

/** Why an intent that reached the record was not taken. A reason never changes its meaning: the view counts by it. */
export const reasons = {
  malformed: 'it is no intent of this record',
  'too-large': 'it is larger than an intent may be',
  'no-fleet': 'the fleet is not created yet',
  'not-a-writer': 'its log is not of a writer of this record',
  'not-a-member': 'its author is not a member',
  grant: "its author's grant does not count",
  revoked: 'a key or grant in it was revoked',
  role: "its author's role may not do this",
  signature: 'it needs a signature that it does not have, or has a wrong one',
  repeated: 'it was signed for one use, and taken before',
  conflict: 'it contradicts what is there',
  unknown: 'what it is about is not there',
  unsigned: 'the log came after the last signature: only one that was signed for can take over',
  older: 'something newer is there',
} as const
export type Reason = keyof typeof reasons

/** Who stands behind an intent, as of the view that it met. */
export interface Author {
  readonly key: Key
  readonly held: Held
  /** The root, or who acts for it: its word about others is final. */
  readonly owner: boolean
}

/** What an intent's `apply` sees and changes. Nothing else: no clock, no chance, no network. */
export interface Turn {
  readonly at: number
  readonly author: Author
  /** The log that the intent stands in, and a name of its place that no other has. */
  readonly log: string
  readonly origin: string
  readonly fleet: Fleet | undefined
  /** The record's own key. */
  readonly record: Key
  get<T>(row: string): Promise<T | undefined>
  put(row: string, value: unknown): Promise<void>
  del(row: string): Promise<void>
  /** What the grant gives at the time of the intent; or why it gives nothing. */
  held(grant: Grant): Promise<Held | Reason>
  readonly base: BaseCalls
}

/** What intents change of the base below the record: who writes, who signs. Logs are named by their key in hex. */
export interface BaseCalls {
  addWriter(log: string, indexer: boolean): Promise<void>
  removeWriter(log: string): Promise<void>
  /** The last one that signs cannot be removed. */
  removable(log: string): boolean
  /** Blocks of the writer that were taken in; undefined if it is none. */
  written(log: string): Promise<number | undefined>
  indexers(): string[]
  /** Whether the writer was one, and had written, when the system log had this length. */
  signed(log: string, length: number): Promise<boolean>
  fork(indexers: readonly string[], system: string, length: number): Promise<boolean>
}

export interface Fleet {
  readonly root: Key
  readonly name: string
  readonly at: number
}

export interface IntentKind<Op extends string = string, S extends TSchema = TSchema> {
  readonly op: Op
  /** Grows when its fields or its meaning change: an older peer stops there and says so, instead of taking it otherwise than others. */
  readonly version: number
  readonly schema: S
  /** May create the fleet: the one intent that has no author in the view. */
  readonly genesis?: boolean
  /** Proves by itself what it claims: taken from the log of a stranger, too. */
  readonly fromStrangers?: boolean
  /** Leaves a row in the audit: whom or what it is about. */
  readonly audit?: (intent: Static<S>) => string
  /** Whether this author may, by what it holds alone. */
  readonly may: (author: Author, intent: Static<S>) => Reason | undefined
  /** Takes it into the view, or answers why not, having changed nothing. */
  readonly apply: (turn: Turn, intent: Static<S>) => Promise<Reason | undefined>
}

/** A table row more: see `intents/index.ts`. */
export function defineIntent<const Op extends string, S extends TSchema>(kind: IntentKind<Op, S>): IntentKind<Op, S> {
  return Object.freeze(kind)
}

const maxTime = 999_999_999_999_999
export const TimeSchema = Type.Integer({ minimum: 0, maximum: maxTime })
export const KeySchema = Type.String({ pattern: '^[0-9a-f]{64}$' })
export const GrantIdSchema = Type.String({ pattern: '^[0-9a-f]{32}$' })
export const NameSchema = Type.String({ minLength: 1, maxLength: 128 })
export const SiteSchema = Type.String({ pattern: '^[A-Za-z0-9_-]{1,63}$' })
export const SignatureSchema = Type.String({ pattern: '^[0-9a-f]{128}$' })

/** The fields of one kind; what is not named is refused. */
export function fields<P extends Parameters<typeof Type.Object>[0]>(properties: P) {
  return Type.Object(properties, { additionalProperties: false })
}

/** Before the fields: which intent, of which version, when its writer says it wrote it; and who signed it, if its author is not its log's. */
export const EnvelopeSchema = Type.Object(
  {
    op: Type.String({ pattern: '^[A-Za-z]{1,40}$' }),
    v: Type.Integer({ minimum: 1 }),
    at: TimeSchema,
    signed: Type.Optional(Type.Object({ by: KeySchema, signature: SignatureSchema }, { additionalProperties: false })),
    fields: Type.Object({}),
  },
  { additionalProperties: false },
)
export type Envelope = Static<typeof EnvelopeSchema>

export const maxIntentBytes = 256 * 1024
