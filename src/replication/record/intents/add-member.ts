import { GrantSchema } from '#keys'
import { defineIntent, fields, NameSchema } from '../intent.js'
import { admit } from '../membership.js'
import { anyWriter } from '../rules.js'

/** A member comes in, or gets a newer grant. Who may make it was decided by who signed the grant. */
export const addMember = defineIntent({
  op: 'addMember',
  version: 1,
  schema: fields({ name: NameSchema, grant: GrantSchema }),
  may: anyWriter,
  audit: ({ grant }) => grant.subject,
  apply: (turn, { name, grant }) => admit(turn, grant, { name }),
})
