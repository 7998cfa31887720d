import type { Frame } from './frame.js'
import { FrameWriter } from './frames.js'

/** Makes the blocks of frames for the segment that they go into: nothing goes on over its end, or from what was not stored. */
export class Blocks {
  readonly #writer = new FrameWriter()
  #segment = -1

  /** The last ones were not stored. */
  failed(): void {
    this.#writer.begin()
  }

  /** Pauses between its pieces. */
  *of(frame: Frame, segment: number): Generator<undefined, Uint8Array[]> {
    if (segment !== this.#segment) this.#writer.begin()
    this.#segment = segment
    try {
      return yield* this.#writer.encoding(frame)
    } catch (error) {
      this.#writer.begin()
      throw error
    }
  }
}
