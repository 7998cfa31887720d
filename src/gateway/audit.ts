import { type Clock, type Log, type Static, Type } from '#model'
import { type LineFile, openLines } from '#node'

export const AuditEntrySchema = Type.Object({
  /** ms since the epoch. */
  at: Type.Number(),
  /** Who: `token:<id>`, `session:<id>` for the operator by a sign-in link, `nobody`. */
  by: Type.String(),
  address: Type.String(),
  method: Type.String(),
  path: Type.String(),
  /** What it does, as the API description says it. */
  action: Type.String(),
  /** What it was done to: ids of devices, of a command, a scan or a token. */
  targets: Type.Array(Type.String()),
  targetCount: Type.Integer(),
  /** What was asked for; secrets removed. */
  params: Type.Optional(Type.Unknown()),
  status: Type.Integer(),
  /** The error's code if it was refused or failed. */
  code: Type.Optional(Type.String()),
  /** What came of it: the id of the command or scan that holds the rest. */
  result: Type.Optional(Type.String()),
})
export type AuditEntry = Static<typeof AuditEntrySchema>

/** A row of the audit that all nodes of a fleet share. */
export const RecordRowSchema = Type.Object({
  source: Type.Literal('record'),
  at: Type.Number(),
  /** `member:<key>`, or `nobody`: a signature of its own was enough. */
  by: Type.String(),
  /** The name of that member. */
  name: Type.Union([Type.String(), Type.Null()]),
  /** What was written, and about whom or what. */
  action: Type.String(),
  targets: Type.Array(Type.String()),
  targetCount: Type.Integer(),
})
export type RecordRow = Static<typeof RecordRowSchema>

export const AuditRowSchema = Type.Union([
  Type.Object({ source: Type.Literal('gateway'), ...AuditEntrySchema.properties }),
  RecordRowSchema,
])

/** Who did what. */
export type Audit = LineFile<AuditEntry>

export interface AuditOptions {
  storage: string
  clock: Clock
  log: Log
  maxBytes?: number
}

/** No line of it is ever dropped, however long the gateway lives. */
export function openAudit({ storage, ...options }: AuditOptions): Promise<Audit> {
  return openLines({
    folder: storage,
    name: 'audit',
    schema: AuditEntrySchema,
    keepFull: Number.POSITIVE_INFINITY,
    ...options,
  })
}
