import type { KeyPair } from '#keys'
import { type Clock, SdkError, toSdkError, within } from '#model'
import { type Base, hexOf } from './base.js'
import { encode, refusal } from './encode.js'
import type { Reason } from './intent.js'
import type { Intent } from './intents/index.js'

/** Puts intents into the own log, one call after another, and tells what became of them. */
export class Writing {
  readonly counts = { written: 0, refused: 0 }
  readonly #parts: Parts
  /** By the length of our log. */
  readonly #outcomes = new Map<number, Reason | undefined>()
  #tail: Promise<unknown> = Promise.resolve()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Told by `apply` of every block. */
  outcome(log: string, length: number, reason: Reason | undefined): void {
    if (log === hexOf(this.#parts.base().local.key)) this.#outcomes.set(length, reason)
  }

  write(intents: readonly Intent[], as: KeyPair | undefined): Promise<void> {
    const run = this.#tail.then(() => this.#write(intents, as))
    this.#tail = run.catch(() => undefined)
    return run
  }

  async #write(intents: readonly Intent[], as: KeyPair | undefined): Promise<void> {
    const { usable, clock, pass } = this.#parts
    usable()
    if (intents.length === 0) return
    const record = hexOf(this.#parts.base().key)
    const blocks = intents.map((intent) => encode(intent, { at: clock.now(), record, as }))
    if (!this.#parts.base().writable && !blocks.every(({ fromStrangers }) => fromStrangers))
      throw new SdkError(
        'UNAVAILABLE',
        'this node may not write the fleet record: its role does not, or it waits to be let in',
      )
    await pass()
    // Only now: it may be another base, and it may have been let in, or out. The library shows blocks of strangers one at a time.
    const base = this.#parts.base()
    const optimistic = !base.writable
    const bytes = blocks.map((block) => block.bytes)
    for (const append of optimistic ? bytes.map((each) => [each]) : [bytes])
      await this.#append(base, append, optimistic)
  }

  async #append(base: Base, blocks: readonly Uint8Array[], optimistic: boolean): Promise<void> {
    const { clock, ms, stopped, follow } = this.#parts
    this.#outcomes.clear()
    const limits = { what: 'writing into the fleet record', ms, signals: [], clock }
    const length = await within(limits, () =>
      base.append(blocks.length === 1 ? blocks[0]! : blocks, { optimistic }),
    ).catch((error: unknown) => {
      throw stopped() ?? toSdkError(error, 'STORE_FAILED')
    })
    this.counts.written += blocks.length
    await follow()
    const first = length - blocks.length + 1
    for (let at = first; at <= length; at++) {
      const reason = this.#outcomes.get(at)
      if (reason !== undefined) {
        this.counts.refused++
        throw refusal(reason)
      }
      if (!this.#outcomes.has(at))
        throw new SdkError('UNAVAILABLE', 'it is stored and will be taken in when what it builds on has come')
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#tail
  }
}

interface Parts {
  readonly base: () => Base
  readonly clock: Clock
  readonly ms: number
  /** Throws why the record cannot be used. */
  readonly usable: () => void
  readonly stopped: () => SdkError | undefined
  /** Resolves when it is safe to append. */
  readonly pass: () => Promise<void>
  /** Resolves when what is asked from memory has what the view has. */
  readonly follow: () => Promise<void>
}
