import { roles } from '#keys'
import { defineIntent, fields, KeySchema, SignatureSchema } from '../intent.js'
import { logsOf } from '../membership.js'
import { anyWriter } from '../rules.js'
import type { MemberRow, WriterRow } from '../shapes.js'
import { isClaimed } from '../signed.js'
import { rows } from '../view.js'

/** A member that is installed anew now and then leaves a log behind: more than so many at once is a mistake. */
const maxLogs = 8

/**
 * A log of a member may write the record. The member's own signature says that the log is its own, its grant that its role may write: so
 * anybody may bring it, the new writer itself too.
 */
export const addWriter = defineIntent({
  op: 'addWriter',
  version: 1,
  fromStrangers: true,
  schema: fields({ member: KeySchema, log: KeySchema, claim: SignatureSchema }),
  may: anyWriter,
  audit: ({ log }) => log,
  async apply(turn, { member: key, log, claim }) {
    const member = await turn.get<MemberRow>(rows.member(key))
    if (!member) return 'unknown'
    const held = await turn.held(member.grant)
    if (typeof held === 'string') return held
    if (!roles[held.role].record) return 'role'
    if (!isClaimed(turn.record, log, key, claim)) return 'signature'
    const before = await turn.get<WriterRow>(rows.writer(log))
    if (before && (before.member !== key || !before.removed)) return 'conflict'
    const logs = await logsOf(turn, key)
    if (logs.length >= maxLogs) return 'conflict'
    await turn.base.addWriter(log, turn.base.indexers().includes(log))
    const row: WriterRow = { member: key, at: turn.at }
    await turn.put(rows.writer(log), row)
    await turn.put(rows.writersOf(key), [...logs, log])
    return undefined
  },
})
