import b4a from 'b4a'
import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import { SdkError } from '#model'
import type { Base } from './base.js'
import { createFleet } from './intents/create-fleet.js'

/** Stands in the first block of every record. */
const proof = b4a.from(`"op":"${createFleet.op}"`)

/**
 * Whether the key opens the record. The library does not say: with a wrong key it shows an empty record, and waits. The first block of the
 * first log tells; where it is not here yet, as soon as it comes.
 */
export class KeyCheck {
  readonly #core: Hypercore

  constructor(cores: Corestore, base: Base) {
    this.#core = cores.get({ key: base.key, writable: false, encryption: base.getWriterEncryption() })
  }

  /** Throws RECORD_KEY_WRONG. Undefined if there is nothing to tell by yet. */
  async here(): Promise<true | undefined> {
    await this.#core.ready()
    if (!(await this.#core.has(0))) return undefined
    return this.#look()
  }

  /** Waits for the first block. */
  async comes(): Promise<true | undefined> {
    try {
      await this.#core.get(0)
    } catch {
      // Closed before it came.
      return undefined
    }
    return this.#look()
  }

  async #look(): Promise<true> {
    const block = await this.#core.get(0)
    if (block && b4a.includes(block, proof)) return true
    throw new SdkError('RECORD_KEY_WRONG')
  }

  close(): Promise<void> {
    return this.#core.close()
  }
}
