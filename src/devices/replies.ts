import type { SdkError } from '#model'

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
/** By the name of the read; undefined: not asked yet. */
export type Replies = Readonly<Record<string, StoredReply | undefined>>
