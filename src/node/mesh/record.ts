import type { Identity, Key, KeyPair } from '#keys'
import type { Clock, Log } from '#model'
import { type FleetRecord, openCores, openRecord } from '#replication'
import { recordFolder } from './membership.js'

export interface RecordParts {
  /** None: a new record. */
  readonly key?: Key
  readonly encryptionKey: Uint8Array
  readonly identity: Identity
  /** The member that this node is. */
  readonly keyPair: KeyPair
  /** No other copy is ahead of this one, says the operator. */
  readonly trustCopy?: boolean
  readonly clock: Clock
  readonly log: Log
}

/** A process's copy of the fleet's record, closed with its store. */
export async function openRecordOf(storage: string, process: string, parts: RecordParts): Promise<FleetRecord> {
  const { key, encryptionKey, identity, keyPair, trustCopy = false, clock, log } = parts
  const cores = await openCores(recordFolder(storage, process), log, identity.seed(`record/${process}`))
  try {
    const record = await openRecord({
      cores,
      encryptionKey,
      member: keyPair,
      trustCopy,
      clock,
      log,
      ...(key ? { key } : {}),
    })
    const close = record.close.bind(record)
    record.close = async () => {
      await close()
      await cores.close()
    }
    return record
  } catch (error) {
    await cores.close()
    throw error
  }
}
