import type { KeyPair } from '#keys'
import { type Clock, SdkError, sleep, toSdkError, within } from '#model'
import { type Base, hexOf } from './base.js'
import { encode, refusal } from './encode.js'
import type { Reason } from './intent.js'
import type { Intent } from './intents/index.js'
import { restMs } from './pace.js'

/** Calls that go into one append. */
const maxTogether = 256
const never = new AbortController().signal

interface Call {
  readonly intents: readonly Intent[]
  readonly as: KeyPair | undefined
  resolve(): void
  reject(error: unknown): void
}

interface Encoded {
  readonly call: Call
  readonly bytes: readonly Uint8Array[]
}

/** Puts intents into the own log, call after call, and tells what became of them. */
export class Writing {
  readonly counts = { written: 0, refused: 0 }
  readonly #parts: Parts
  /** By the length of our log. */
  readonly #outcomes = new Map<number, Reason | undefined>()
  readonly #waiting: Call[] = []
  #running: Promise<void> | undefined
  #lastAt = Number.NEGATIVE_INFINITY

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Told by `apply` of every block. */
  outcome(log: string, length: number, reason: Reason | undefined): void {
    if (log === hexOf(this.#parts.base().local.key)) this.#outcomes.set(length, reason)
  }

  write(intents: readonly Intent[], as: KeyPair | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ intents, as, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** What was asked for while an append was under way goes into the next one together: an append costs the same for many as for one. */
  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#gathered()
      const calls = this.#waiting.splice(0, maxTogether)
      try {
        await this.#together(calls)
      } catch (error) {
        for (const { reject } of calls) reject(error)
      }
    }
    // In the same turn in which nothing waits any more: who comes next begins a new run.
    this.#running = undefined
  }

  async #gathered(): Promise<void> {
    const { clock, peers } = this.#parts
    const waitMs = this.#lastAt + restMs(peers()) - clock.hr()
    if (waitMs > 0) await sleep(clock, waitMs, never)
    this.#lastAt = clock.hr()
  }

  /** Settles every call whose own intents decide; throws what concerns them all. */
  async #together(calls: readonly Call[]): Promise<void> {
    const { usable, pass, follow } = this.#parts
    usable()
    const encoded = calls.flatMap((call) => this.#encode(call))
    if (encoded.length === 0) return
    await pass()
    // Only now: it may be another base, and it may have been let in, or out.
    const base = this.#parts.base()
    this.#outcomes.clear()
    const blocks = encoded.flatMap(({ bytes }) => bytes)
    let length = 0
    // The library shows blocks of strangers one at a time.
    for (const some of base.writable ? [blocks] : blocks.map((one) => [one])) length = await this.#append(base, some)
    await follow()
    let end = length - blocks.length
    for (const { call, bytes } of encoded) {
      end += bytes.length
      this.#settle(call, end - bytes.length + 1, end)
    }
  }

  #encode(call: Call): Encoded[] {
    const { base, clock } = this.#parts
    const { intents, as, resolve, reject } = call
    try {
      const blocks = intents.map((intent) => encode(intent, { at: clock.now(), record: hexOf(base().key), as }))
      if (!base().writable && !blocks.every(({ fromStrangers }) => fromStrangers))
        throw new SdkError(
          'UNAVAILABLE',
          'this node may not write the fleet record: its role does not, or it waits to be let in',
        )
      if (blocks.length > 0) return [{ call, bytes: blocks.map(({ bytes }) => bytes) }]
      resolve()
    } catch (error) {
      reject(error)
    }
    return []
  }

  async #append(base: Base, blocks: readonly Uint8Array[]): Promise<number> {
    const { clock, ms, stopped } = this.#parts
    const limits = { what: 'writing into the fleet record', ms, signals: [], clock }
    const length = await within(limits, () =>
      base.append(blocks.length === 1 ? blocks[0]! : blocks, { optimistic: !base.writable }),
    ).catch((error: unknown) => {
      throw stopped() ?? toSdkError(error, 'STORE_FAILED')
    })
    this.counts.written += blocks.length
    return length
  }

  #settle({ resolve, reject }: Call, first: number, end: number): void {
    for (let at = first; at <= end; at++) {
      const reason = this.#outcomes.get(at)
      if (reason !== undefined) {
        this.counts.refused++
        reject(refusal(reason))
        return
      }
      if (!this.#outcomes.has(at)) {
        reject(new SdkError('UNAVAILABLE', 'it is stored and will be taken in when what it builds on has come'))
        return
      }
    }
    resolve()
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#running
  }
}

interface Parts {
  readonly base: () => Base
  /** With how many the record is exchanged now. */
  readonly peers: () => number
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
