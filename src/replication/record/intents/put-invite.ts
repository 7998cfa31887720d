import { roleNames } from '#keys'
import { Type } from '#model'
import { defineIntent, fields, GrantIdSchema, NameSchema, SiteSchema, TimeSchema } from '../intent.js'
import { mayInvite } from '../rules.js'
import type { InviteRow } from '../shapes.js'
import { rows } from '../view.js'

/** An invite is out: for which role, until when. Its secret stays at the door; this knows the name that is derived from it. */
export const putInvite = defineIntent({
  op: 'putInvite',
  version: 1,
  schema: fields({
    id: GrantIdSchema,
    role: Type.Enum([...roleNames]),
    sites: Type.Optional(Type.Array(SiteSchema, { minItems: 1, maxItems: 100 })),
    name: Type.Optional(NameSchema),
    until: TimeSchema,
  }),
  may: (author, { role, sites }) => mayInvite(author, role, sites),
  audit: ({ id }) => id,
  async apply(turn, invite) {
    if (await turn.get(rows.invite(invite.id))) return 'conflict'
    const row: InviteRow = { ...invite, at: turn.at, by: turn.author.key, state: 'open' }
    await turn.put(rows.invite(invite.id), row)
    return undefined
  },
})
