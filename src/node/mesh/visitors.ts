import { type Key, keyOf, visitorOf } from '#keys'
import type { Clock } from '#model'
import type { FleetRecord } from '#replication'
import { afterwordMs } from './invite-seeds.js'

/** The guests of the invites in the record, whom a relay of the fleet serves on their way to the door. */
export interface Visitors {
  has(key: Key): boolean
  /** The invites may have changed. */
  look(): void
}

export function createVisitors(record: FleetRecord, clock: Clock): Visitors {
  let until: ReadonlyMap<Key, number> = new Map()
  let turn: Promise<void> = Promise.resolve()
  const read = async () => {
    const doors = (await record.invites()).map((invite) => ({ id: invite.id, closeAt: invite.until + afterwordMs }))
    const open = doors.filter(({ closeAt }) => closeAt > clock.now())
    until = new Map(open.map(({ id, closeAt }) => [keyOf(visitorOf(id)), closeAt]))
  }
  return {
    has: (key) => (until.get(key) ?? 0) > clock.now(),
    look() {
      // The record may close meanwhile; what is known stays.
      turn = turn.then(read).catch(() => {})
    },
  }
}
