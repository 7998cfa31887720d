import type { DeviceRecord, Event } from '#model'
import { emptyRow, type Row } from './shape.js'
import type { Tick } from './types.js'

/** What one tick says of the devices that were asked: a row each. */
export interface Rows {
  readonly count: number
  readonly ids: string[]
  readonly at: Float64Array
  readonly askedAt: Float64Array
  readonly latencyMs: Float64Array
  /** 1 if the device answered: the row is a sample. 0 if it was only asked. */
  readonly read: Uint8Array
  readonly rows: Row[]
}

/** A tick as it is stored: one block, nearly always. */
export interface Frame {
  readonly at: number
  readonly rows: Rows
  /** Whole records: of devices of which more than numbers changed, and of some more in turn. */
  readonly records: readonly DeviceRecord[]
  readonly events: readonly Event[]
  readonly settings: NonNullable<Tick['settings']>
  /** It has rows, but what they go on from is lost: they cannot be read. */
  readonly lost?: true
}

export function emptyRows(count: number): Rows {
  const column = () => new Float64Array(count).fill(Number.NaN)
  return {
    count,
    ids: new Array<string>(count).fill(''),
    at: column(),
    askedAt: column(),
    latencyMs: column(),
    read: new Uint8Array(count),
    rows: new Array<Row>(count).fill(emptyRow),
  }
}

/** The frame without its samples and events: they are in their tables already. */
export function withoutSamples(frame: Frame): Frame {
  return { ...frame, rows: emptyRows(0), events: [], settings: [] }
}
