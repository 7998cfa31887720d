import { GrantSchema } from '#keys'
import { defineIntent, fields, GrantIdSchema, NameSchema } from '../intent.js'
import { admit } from '../membership.js'
import { anyWriter } from '../rules.js'
import type { InviteRow } from '../shapes.js'
import { rows } from '../view.js'

/** Somebody came in by an invite: used up and let in at once or not at all, whichever doors it was shown to. */
export const useInvite = defineIntent({
  op: 'useInvite',
  version: 1,
  schema: fields({ id: GrantIdSchema, name: NameSchema, grant: GrantSchema }),
  may: anyWriter,
  audit: ({ id }) => id,
  async apply(turn, { id, name, grant }) {
    const invite = await turn.get<InviteRow>(rows.invite(id))
    if (!invite) return 'unknown'
    const fits =
      grant.role === invite.role && (!invite.sites || grant.sites?.every((site) => invite.sites!.includes(site)))
    if (invite.state !== 'open' || turn.at >= invite.until || !fits) return 'conflict'
    const refused = await admit(turn, grant, { name, invite: id })
    if (refused) return refused
    const used: InviteRow = { ...invite, state: 'used', usedBy: grant.subject, closedAt: turn.at }
    await turn.put(rows.invite(id), used)
    return undefined
  },
})
