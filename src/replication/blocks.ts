import type { Frame } from './frame.js'
import { FrameWriter } from './frames.js'
import { othersTurn } from './turns.js'

/** Makes the blocks of frames for the segment that they go into: nothing goes on over its end, or from what was not stored. */
export class Blocks {
  readonly #writer = new FrameWriter()
  #segment = -1

  async of(frame: Frame, segment: number): Promise<Uint8Array[]> {
    if (segment !== this.#segment) this.#writer.begin()
    this.#segment = segment
    const blocks: Uint8Array[] = []
    try {
      for (const block of this.#writer.encode(frame)) {
        if (blocks.length > 0) await othersTurn()
        blocks.push(block)
      }
    } catch (error) {
      this.#writer.begin()
      throw error
    }
    return blocks
  }

  /** The last ones were not stored. */
  failed(): void {
    this.#writer.begin()
  }
}
