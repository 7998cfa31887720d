import type { ErrorInfo, SdkError } from '#model'
import type { Model, Telemetry } from './define.js'

/** The outcome of one read, kept between visits so that slow reads are asked rarely. */
export interface StoredReply {
  readonly at: number
  readonly value?: unknown
  readonly error?: SdkError
  /** Of a lasting read: why it could not be asked again; `value` is of before. */
  readonly outdated?: SdkError
  /** The vendor's reply before parsing; only kept when asked for. Secrets are still in it. */
  readonly raw?: unknown
}
export type Replies = Readonly<Record<string, StoredReply>>

export interface Observation {
  readonly telemetry: Telemetry
  /** Field to reason: this device reports it, but it could not be read now. */
  readonly missing: Record<string, ErrorInfo>
  /** The hardware row; undefined if the model is not in the table. */
  readonly model: Model | undefined
  readonly replies: Replies
  readonly latencyMs: number
}
