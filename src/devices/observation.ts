import type { ErrorInfo } from '#model'
import type { Model, Telemetry } from './define.js'
import type { Replies } from './replies.js'

export interface Observation {
  readonly telemetry: Telemetry
  /** Field to reason: this device reports it, but it could not be read now. */
  readonly missing: Record<string, ErrorInfo>
  /** The hardware row; undefined if the model is not in the table. */
  readonly model: Model | undefined
  readonly replies: Replies
  readonly latencyMs: number
}
