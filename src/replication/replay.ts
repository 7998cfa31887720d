import { type DeviceRecord, type Log, SdkError } from '#model'
import type { Gone } from './directory.js'
import { type Frame, withoutSamples } from './frame.js'
import { FrameReader } from './frames.js'
import type { Segment } from './segment.js'
import { withRow } from './shape.js'
import type { State } from './state.js'
import { Turns } from './turns.js'

/** The newest row of a device since its last whole record. */
interface Newest {
  frame: Frame
  asked: number
  /** -1: none since then was a sample. */
  read: number
  readFrame: Frame
}

/** Puts the last known records together again: the newest whole record of each device, and the newest numbers after it. */
export class Replay {
  readonly #state: State
  readonly #gone: ReadonlyMap<string, Gone>
  readonly #log: Log
  readonly #newest = new Map<string, Newest>()
  damaged = 0

  constructor(state: State, gone: ReadonlyMap<string, Gone>, log: Log) {
    this.#state = state
    this.#gone = gone
    this.#log = log
  }

  /** Reads one segment. `whole`: its samples and events are not in their tables yet. A damaged block is said and passed over. */
  async read(segment: Segment, whole: boolean): Promise<void> {
    const length = segment.core.length
    const reader = new FrameReader()
    const turns = new Turns()
    for (let block = 0; block < length; block++) {
      try {
        const bytes = await segment.core.get(block, { wait: false })
        if (bytes === null) throw new SdkError('STORE_FAILED', 'a block of the journal is not there')
        const frame = await turns.all(reader.decoding(bytes))
        if (frame.lost) this.damaged++
        segment.blocks = block
        await turns.all(segment.adding(whole ? frame : withoutSamples(frame), 1, bytes.length))
        this.take(segment, block, frame)
      } catch (error) {
        if (error instanceof SdkError && error.code === 'STORE_NEWER') throw error
        reader.skip()
        this.damaged++
        this.#log.error(
          { segment: segment.number, block, err: error },
          'a frame of the journal cannot be read and is left out',
        )
      }
    }
    segment.blocks = length
  }

  /** Takes in what one frame says; `finish` puts it into the records. */
  take(segment: Segment, block: number, frame: Frame): void {
    const { rows } = frame
    for (let row = 0; row < rows.count; row++) {
      const id = rows.ids[row]!
      if (this.#isGone(id, segment.number, block)) continue
      const newest = this.#newest.get(id) ?? { frame, asked: row, read: -1, readFrame: frame }
      newest.frame = frame
      newest.asked = row
      if (rows.read[row] === 1) {
        newest.read = row
        newest.readFrame = frame
      }
      this.#newest.set(id, newest)
    }
    for (const record of frame.records) {
      if (this.#isGone(record.id, segment.number, block)) continue
      this.#state.put(record)
      this.#state.wrote(record.id, segment.number)
      this.#newest.delete(record.id)
    }
  }

  #isGone(id: string, segment: number, block: number): boolean {
    const gone = this.#gone.get(id)
    return gone !== undefined && (segment < gone.segment || (segment === gone.segment && block < gone.block))
  }

  /** Puts the newest numbers into the records. */
  finish(): void {
    for (const [id, newest] of this.#newest) {
      const record = this.#state.get(id)
      if (record) this.#state.put(withNumbers(record, newest))
    }
    this.#newest.clear()
  }
}

function withNumbers(record: DeviceRecord, { frame, asked, read, readFrame }: Newest): DeviceRecord {
  const askedAt = known(frame.rows.askedAt[asked]) ?? record.askedAt
  const latencyMs = known(frame.rows.latencyMs[asked])
  const asIs = {
    ...record,
    askedAt,
    ...(latencyMs === undefined && !record.latencyMs ? {} : { latencyMs: latencyMs ?? null }),
  }
  if (read < 0) return asIs
  const { rows } = readFrame
  return withRow({ ...asIs, at: known(rows.at[read]) ?? record.at }, rows.rows[read]!)
}

function known(value: number | undefined): number | undefined {
  return value === undefined || Number.isNaN(value) ? undefined : value
}
