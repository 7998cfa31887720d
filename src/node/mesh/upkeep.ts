import b4a from 'b4a'
import { type Key, random } from '#keys'
import { SdkError } from '#model'
import type { FleetRecord } from '#replication'
import type { Caller, Handlers, RecordLog, RecordState, registrar } from '#rpc'
import { say } from './owner-word.js'

export interface UpkeepParts {
  readonly record: FleetRecord
  /** The root key of the fleet. */
  readonly fleet: Key
  readonly own: Key
  isConnected(member: Key): boolean
  /** Throws FORBIDDEN for who is limited to some sites. */
  needAll(caller: Caller): void
}

type Upkeep = 'record' | 'setIndexers' | 'removeWriter' | 'recover' | 'rotateTopic'

/** Who writes the record and who signs it: how it is kept going when an aggregator comes, goes or is lost. */
export function upkeepHandlers(parts: UpkeepParts): Pick<Handlers<(typeof registrar)['methods']>, Upkeep> {
  const { record, fleet, needAll } = parts
  return {
    record: () => stateOf(parts),
    async setIndexers({ logs, force = false, owner }, { caller }) {
      needAll(caller)
      const why = whyNotSign(stateOf(parts).logs, logs)
      if (why && !force) throw new SdkError('CONFLICT', why)
      await say(record, { op: 'setIndexers', logs: [...logs] }, owner)
      return {}
    },
    async removeWriter({ log, owner }, { caller }) {
      needAll(caller)
      if (record.indexers.includes(log))
        throw new SdkError(
          'CONFLICT',
          'this log signs the record: put another in its place first, miningsdk fleet indexers set',
        )
      await say(record, { op: 'removeWriter', log }, owner)
      return {}
    },
    async recover({ logs, system, length, owner }, { caller }) {
      needAll(caller)
      if (hasMajority(stateOf(parts).logs, record.indexers))
        throw new SdkError(
          'CONFLICT',
          'those who sign the record can be reached: change them with miningsdk fleet indexers set',
        )
      await say(record, { op: 'recover', logs: [...logs], system, length }, owner)
      return {}
    },
    async rotateTopic({ said }, { caller }) {
      needAll(caller)
      const made = () => ({ epoch: (record.topic?.epoch ?? 0) + 1, salt: b4a.toString(random(32), 'hex') })
      const { epoch, salt } = said ?? made()
      await say(record, { op: 'rotateTopic', epoch, salt }, said?.owner)
      return { epoch }
    },
  }

  function stateOf({ own, isConnected }: UpkeepParts): RecordState {
    const { indexers } = record
    const logs = record.members().flatMap(({ key, name, writers }) =>
      writers.map((log) => ({
        log,
        member: key,
        name,
        signs: indexers.includes(log),
        connected: key === own || isConnected(key),
      })),
    )
    // Who was revoked stays among those that sign until others do.
    const strange = indexers.filter((log) => !logs.some((one) => one.log === log))
    const gone = strange.map((log) => ({ log, member: null, name: null, signs: true, connected: false }))
    return { record: record.key, fleet, ...record.recovery(), logs: [...logs, ...gone] }
  }
}

/** Whether more than half of them are connected now: without that nothing is signed. */
function hasMajority(known: readonly RecordLog[], logs: readonly Key[]): boolean {
  return logs.filter((log) => known.find((one) => one.log === log)?.connected).length * 2 > logs.length
}

function whyNotSign(known: readonly RecordLog[], logs: readonly Key[]): string | undefined {
  const signing = known.filter(({ signs }) => signs).map(({ log }) => log)
  if (!hasMajority(known, signing))
    return 'most of those who sign now cannot be reached, and without them it is not settled: wait for them, or if they are lost for good: miningsdk fleet recover'
  if (!hasMajority(known, logs))
    return 'most of those who are to sign cannot be reached now: nothing would be signed until they are back (--yes does it all the same)'
  return undefined
}
