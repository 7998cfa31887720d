import { defineIntent, fields, GrantIdSchema } from '../intent.js'
import { anyWriter, mayInvite } from '../rules.js'
import type { InviteRow } from '../shapes.js'
import { rows } from '../view.js'

/** An open invite is called back. */
export const revokeInvite = defineIntent({
  op: 'revokeInvite',
  version: 1,
  schema: fields({ id: GrantIdSchema }),
  may: anyWriter,
  audit: ({ id }) => id,
  async apply(turn, { id }) {
    const invite = await turn.get<InviteRow>(rows.invite(id))
    if (!invite) return 'unknown'
    const forbidden = mayInvite(turn.author, invite.role, invite.sites)
    if (forbidden) return forbidden
    if (invite.state !== 'open') return 'conflict'
    const revoked: InviteRow = { ...invite, state: 'revoked', closedAt: turn.at }
    await turn.put(rows.invite(id), revoked)
    return undefined
  },
})
