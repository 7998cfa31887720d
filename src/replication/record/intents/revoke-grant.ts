import { Type } from '#model'
import { defineIntent, fields, GrantIdSchema, KeySchema } from '../intent.js'
import { revoke } from '../membership.js'
import { mayRule } from '../rules.js'
import type { MemberRow } from '../shapes.js'
import { rows } from '../view.js'

/** One grant of a member counts no more; another one, and the key, may. */
export const revokeGrant = defineIntent({
  op: 'revokeGrant',
  version: 1,
  schema: fields({ key: KeySchema, grant: GrantIdSchema, reason: Type.Optional(Type.String({ maxLength: 500 })) }),
  may: () => undefined,
  audit: ({ grant }) => grant,
  async apply(turn, { key, grant, reason }) {
    const member = await turn.get<MemberRow>(rows.member(key))
    if (!member || (member.grant.id !== grant && !turn.author.owner)) return 'unknown'
    const forbidden = mayRule(turn.author, member.grant)
    if (forbidden) return forbidden
    await revoke(turn, grant, reason)
    return undefined
  },
})
