import type { Device, Replies, Surroundings } from '#devices'
import type { DeviceEntry, DeviceRecord } from '#model'
import type { Settings } from './changes.js'
import type { Secret } from './credentials.js'
import { Ending } from './ending.js'
import type { Known } from './identity.js'
import { newPace, type Pace } from './pace.js'
import type { Pending } from './record.js'
import { Turns } from './turns.js'

interface World {
  readonly device: Device
  readonly entry: DeviceEntry
  readonly secret: Secret | undefined
  readonly io: Surroundings
}

/** All that a worker holds of one device while it runs. */
export interface Handle {
  readonly id: string
  /** What the operator says of it, without its account. */
  entry: DeviceEntry
  /** What it was recognised as; undefined until then. */
  device: Device | undefined
  /** Hardware that it was recognised by (identity.ts). */
  identity: string | undefined
  /** By which it was last told who it is. */
  marks: Known | undefined
  /** What it was last visited with, and what that was made of. */
  world: World | undefined
  record: DeviceRecord
  /** Replies that are asked rarely, for the next visit. */
  replies: Replies | undefined
  /** Of the protocol clients: tokens, nonces. */
  memory: Map<string, unknown>
  pace: Pace
  /** Visits in a row that failed. */
  failures: number
  /** When the first of them was (monotonic, ms). */
  goneAt: number | undefined
  /** When it was last given another address (monotonic, ms). */
  movedAt: number | undefined
  pending: Pending | undefined
  /** Its last stored settings, to see a change. */
  settings: Settings | undefined
  readonly turns: Turns
  /** Ends what is under way when the device is removed or the worker stops. */
  readonly ending: Ending
}

export function newHandle(index: number, id: string, entry: DeviceEntry, record: DeviceRecord): Handle {
  return {
    id,
    entry,
    device: undefined,
    identity: undefined,
    marks: undefined,
    world: undefined,
    record,
    replies: undefined,
    memory: new Map(),
    pace: newPace(index),
    failures: 0,
    goneAt: undefined,
    movedAt: undefined,
    pending: undefined,
    settings: undefined,
    turns: new Turns(),
    ending: new Ending(),
  }
}

/** The device may be another one now: what was learned of it is learned again. */
export function forget(handle: Handle): void {
  handle.device = undefined
  handle.replies = undefined
  handle.memory.clear()
}
