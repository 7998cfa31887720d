import b4a from 'b4a'
import { openIdentity } from '#keys'
import { type Clock, type Log, SdkError } from '#model'
import { loadMembership, mainProcess } from './membership.js'
import { openRecordOf } from './record.js'

/**
 * Takes the operator's word that no other copy of the fleet's record is ahead of the one in this folder: it may write again. The caller
 * holds the folder. Answers whether it was in doubt. Throws NOT_FOUND for a folder without a fleet.
 */
export async function trustRecordCopy(storage: string, { clock, log }: { clock: Clock; log: Log }): Promise<boolean> {
  const membership = await loadMembership(storage)
  if (!membership) throw new SdkError('NOT_FOUND', `${storage} belongs to no fleet`)
  const identity = await openIdentity(storage)
  const parts = {
    key: membership.record,
    encryptionKey: b4a.from(membership.encryptionKey, 'hex'),
    identity,
    keyPair: identity.keyPair(),
    clock,
    log,
  }
  const before = await openRecordOf(storage, mainProcess, parts)
  const { inDoubt } = before.stats()
  await before.close()
  if (inDoubt !== 1) return false
  // What it is left as when it closes says from now on that it is in order.
  const trusted = await openRecordOf(storage, mainProcess, { ...parts, trustCopy: true })
  await trusted.close()
  return true
}
