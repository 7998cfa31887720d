import { Type } from '#model'
import { defineIntent, fields, KeySchema } from '../intent.js'
import { logsOf, removeLog, revoke } from '../membership.js'
import { mayRule } from '../rules.js'
import type { MemberRow } from '../shapes.js'
import { rows } from '../view.js'

/** The key counts for nothing any more, nor do the grants that it signed. What the owner revoked only the owner lets in again. */
export const revokeMember = defineIntent({
  op: 'revokeMember',
  version: 1,
  schema: fields({ key: KeySchema, reason: Type.Optional(Type.String({ maxLength: 500 })) }),
  may: () => undefined,
  audit: ({ key }) => key,
  async apply(turn, { key, reason }) {
    if (key === turn.fleet?.root) return 'role'
    const member = await turn.get<MemberRow>(rows.member(key))
    // The owner may revoke a key that is not here yet: its grant may be on its way.
    if (!member && !turn.author.owner) return 'unknown'
    const forbidden = member && mayRule(turn.author, member.grant)
    if (forbidden) return forbidden
    await revoke(turn, key, reason)
    for (const log of await logsOf(turn, key)) await removeLog(turn, log)
    return undefined
  },
})
